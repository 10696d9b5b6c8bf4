"""The operation against the density it stands for, in Numba and in Python."""

import subprocess
import sys

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode

from bayesmlm.density.pymc_op import log_likelihood, operation
from bayesmlm.errors import UnsupportedError

CASES = {
    "no random effects": "y ~ x",
    "one factor": "y ~ x + (1 | a)",
    "no fixed effects": "y ~ 0 + (1 | a)",
    "correlated": "y ~ x + w + (x + w | a)",
    "independent": "y ~ x + (x || a)",
    "both": "y ~ x + (x | a) + (0 + w | a)",
    "nested": "y ~ x + (x | a) + (1 | b) + (x || top)",
    "crossed": "y ~ x + (x | a) + (w | c)",
    "known sampling SDs": "y | se(s) ~ x + (x | a)",
    "weights": "y | weights(v) ~ x + (x | a) + (1 | c)",
    "precisions": "y | precision(v) ~ x + (1 | a)",
}
MODES = {"numba": "NUMBA", "python": Mode(linker="py", optimizer="fast_compile")}


def compiled(marginal, mode):
    psi = pt.dvector("psi")
    value = log_likelihood(marginal, psi)
    return pytensor.function([psi], [value, pytensor.grad(value, psi)], mode=MODES[mode])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", CASES)
def test_value_and_gradient_are_those_of_the_density(
    frame, marginal_of, psi_of, differences, name, mode
):
    marginal = marginal_of(CASES[name], frame(2))
    function = compiled(marginal, mode)
    for psi in psi_of(marginal, 3):
        value, gradient = function(psi)
        assert value == pytest.approx(marginal.log_likelihood(psi[None])[0], rel=1e-10)
        assert gradient == pytest.approx(marginal.likelihood_gradient(psi), rel=1e-10, abs=1e-10)
        numeric = differences(marginal.log_likelihood, psi)
        assert gradient == pytest.approx(numeric, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["nested", "crossed"])
def test_where_it_cannot_be_computed_it_is_minus_infinity(frame, marginal_of, name, mode):
    marginal = marginal_of(CASES[name], frame(2))
    value, gradient = compiled(marginal, mode)(np.full(marginal.layout.size, 800.0))
    assert value == -np.inf
    assert np.array_equal(gradient, np.zeros(marginal.layout.size))


def test_a_second_derivative_is_refused(frame, marginal_of):
    psi = pt.dvector("psi")
    slope = pytensor.grad(log_likelihood(marginal_of("y ~ x + (1 | a)", frame(2)), psi), psi)
    with pytest.raises(UnsupportedError, match="second derivative of the marginal likelihood"):
        pytensor.grad(slope.sum(), psi)


def test_numba_runs_it_without_going_through_python(frame, marginal_of, monkeypatch):
    marginal = marginal_of("y ~ x + (1 | a)", frame(2))

    def forbidden(*_):
        raise AssertionError("the operation's Python implementation was called")

    monkeypatch.setattr(type(operation(True)), "perform", forbidden)
    psi = np.zeros(marginal.layout.size)
    expected = marginal.log_likelihood(psi[None])[0]
    assert compiled(marginal, "numba")(psi)[0] == pytest.approx(expected, rel=1e-10)
    with pytest.raises(AssertionError, match="Python implementation"):
        compiled(marginal, "python")(psi)


def test_data_of_another_model_are_its_own(frame, marginal_of):
    """Two models of one structure share compiled code, not data."""
    marginals = [marginal_of("y ~ x + (1 | a)", frame(seed)) for seed in (1, 2)]
    functions = [compiled(marginal, "numba") for marginal in marginals]
    psi = np.array([0.3, -0.2])
    found = [float(function(psi)[0]) for function in functions]
    assert found == pytest.approx([m.log_likelihood(psi[None])[0] for m in marginals], rel=1e-10)
    assert abs(found[0] - found[1]) > 1e-3


@pytest.mark.slow
def test_another_process_reads_a_pickled_model_and_runs_it(tmp_path):
    import cloudpickle

    import bayesmlm as mlm

    graph = mlm.Model(
        "Reaction ~ Days + (Days | Subject)", mlm.datasets.load("sleepstudy")
    ).to_pymc(random_effects="integrate")
    (tmp_path / "graph").write_bytes(cloudpickle.dumps(graph))
    code = (
        "import sys, cloudpickle; graph = cloudpickle.load(open(sys.argv[1], 'rb')); "
        "from bayesmlm.density.pymc_op import operation; "
        "type(operation(True)).perform = None; "
        "print(float(graph.compile_logp()(graph.initial_point())))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "graph")]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert float(out) == pytest.approx(graph.compile_logp()(graph.initial_point()), rel=1e-12)
