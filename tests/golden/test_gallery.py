"""The gallery by its own tolerance rule, for the models whose data come with the package."""

import pytest

import bayesmlm as mlm
from bayesmlm import gallery

pytestmark = pytest.mark.slow

ENTRIES = [
    name for name in gallery.available() if mlm.datasets.about(gallery.read(name).dataset).included
]


@pytest.mark.parametrize("name", ENTRIES)
def test_ours_agrees_with_the_published_table(name):
    entry = gallery.read(name)
    fit = entry.model().fit(**{"seed": 1} | entry.fit_options())
    convergence = fit.check()
    print(f"{name}: {convergence}")
    assert convergence.ok
    assert convergence.r_hat <= 1.01
    assert convergence.ess >= 400
    assert convergence.divergences == 0
    table = gallery.compare(entry, fit)
    assert table["ok"].all(), table[~table["ok"]].to_string()
