"""One grouping, many hyperparameter vectors side by side, against one after the other."""

import numpy as np
import pytest

from bayesmlm.density import lanes
from bayesmlm.density.noise import Noise

FORMULAS = (
    "y ~ 1 + (1 | a)",
    "y ~ x + w + (x | a)",
    "y ~ 0 + (x + w | a)",
    "y ~ x + (1 | a) + (0 + w | a)",
    "y | precision(v) ~ x + (x | a)",
)


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("S", [lanes.FEWEST, lanes.LANES, lanes.LANES + 3])
def test_a_batch_is_its_vectors(formula, S, frame, marginal_of, psi_of):
    """Blocks of every size, the last one not full."""
    marginal = marginal_of(formula, frame(3))
    psi = psi_of(marginal, 2, S)
    together = marginal.evaluate(psi)
    apart = np.concatenate([marginal.evaluate(one[None]) for one in psi])
    np.testing.assert_allclose(together, apart, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("formula", FORMULAS)
def test_families_add_up(formula, frame, marginal_of, psi_of, monkeypatch):
    from bayesmlm.density import nested_arrays

    psi = psi_of(marginal_of(formula, frame(3)), 2, 20)
    whole = marginal_of(formula, frame(3)).evaluate(psi)
    monkeypatch.setattr(nested_arrays, "FAMILY", 3)
    cut = marginal_of(formula, frame(3))
    assert len(cut.structure.arguments[5]) > 2
    np.testing.assert_allclose(cut.evaluate(psi), whole, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("formula", FORMULAS)
def test_draws_of_a_batch_are_those_of_its_vectors(formula, frame, marginal_of, psi_of):
    """Means of the effects given each vector, as the dense algebra of one gives them."""
    marginal = marginal_of(formula, frame(3))
    psi = psi_of(marginal, 2, 70)
    beta, effects = marginal.recover(psi)
    for s in (0, 13, 69):
        one_beta, one = marginal.recover(psi[s : s + 1])
        np.testing.assert_allclose(beta[s], one_beta[0], rtol=1e-8, atol=1e-9)
        for name, values in one.items():
            np.testing.assert_allclose(effects[name][s], values[0], rtol=1e-7, atol=1e-8)


def test_a_block_that_is_not_positive_definite_gives_nan():
    own = np.array([[[-5.0, 1.0, 1.0]]])
    G, sigma = np.ones((9, 1)), np.ones(9)
    logs, _ = lanes.eliminated(1.0, own, np.array([0, 1]), G, sigma)
    assert np.isnan(logs).all()


def test_draws_have_the_moments_that_dense_algebra_gives(frame, marginal_of, psi_of):
    marginal = marginal_of("y ~ x + (x | a)", frame(3))
    psi = np.repeat(psi_of(marginal, 1, 1), 4000, axis=0)
    beta, effects = marginal.recover(psi, Noise(1))
    mean, exact = marginal.recover(psi[:1])
    error = beta.std(axis=0) / np.sqrt(len(beta))
    assert (np.abs(beta.mean(axis=0) - mean[0]) < 4.5 * error).all()
    u = effects["a"]
    error = u.std(axis=0) / np.sqrt(len(u))
    assert (np.abs(u.mean(axis=0) - exact["a"][0]) < 4.5 * error).all()
