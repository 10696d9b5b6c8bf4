"""The audit of Laplace's approximation warns where it is wrong, and only there.

Wrong: few binary rows a group (mothers of one to three children, clusters of two and of five).
Right: districts, states and clusters of forty.
"""

import warnings

import pytest
import references

import bayesmlm as mlm
from bayesmlm import gallery

pytestmark = pytest.mark.slow


def checked(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)  # what is asked for here
        return model.fit("laplace", seed=2).check()


def shifted(check):
    return [finding for finding in check.findings if "Laplace's approximation" in finding.what]


@pytest.fixture
def model_of(stated, shared_data, monkeypatch):
    monkeypatch.setenv("BAYESMLM_DATA", str(shared_data))

    def build(name):
        if name.startswith("clusters"):
            return references.clusters(int(name.split()[-1]))
        return stated(name)[0] if name in STATED else gallery.read(name).model()

    return build


STATED = ("rodgold_sim01", "election88_simple")


@pytest.mark.parametrize("name", ["guimmun", "rodgold_sim01", "clusters of 2", "clusters of 5"])
def test_it_warns_of_few_rows_a_group(name, model_of):
    check = checked(model_of(name))
    print(f"{name}: {check}")
    assert not check.ok
    (found,) = shifted(check)
    assert "log sd_" in found.what and "posterior SDs too low" in found.what
    assert '"quadrature"' in found.next_step
    assert check.shift > 0.3


@pytest.mark.parametrize(
    "name", ["contraception", "election88", "election88_simple", "cbpp", "clusters of 40"]
)
def test_it_is_silent_where_the_approximation_is_good(name, model_of):
    check = checked(model_of(name))
    print(f"{name}: {check}")
    assert check.ok
    assert abs(check.shift) < 0.1
