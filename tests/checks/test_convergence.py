import numpy as np
import pytest
import xarray as xr

from bayesmlm.checks import check_convergence
from bayesmlm.checks.convergence import more_draws


def tree_of(x, diverging=0, deepest=0):
    chains, draws = x.shape[:2]
    flags = np.zeros(chains * draws, dtype=bool)
    stats = {}
    for name, count in (("diverging", diverging), ("maxdepth_reached", deepest)):
        values = flags.copy()
        values[:count] = True
        stats[name] = (("chain", "draw"), values.reshape(chains, draws))
    posterior = xr.Dataset(
        {"u_g": (("chain", "draw", "g"), x)}, coords={"g": list("abc")[: x.shape[2]]}
    )
    return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": xr.Dataset(stats)})


@pytest.fixture
def good():
    return np.random.default_rng(0).normal(size=(4, 1000, 3))


def test_independent_draws_pass(good):
    found = check_convergence(tree_of(good))
    assert found.ok
    assert str(found).startswith("Converged: largest R-hat")
    assert found.draws == 4000
    assert found.ess > 3000


def test_chains_that_disagree_are_named_with_the_next_step(good):
    good[0, :, 1] += 3
    found = check_convergence(tree_of(good))
    assert not found.ok
    assert found.r_hat_of == "u_g[b]"
    assert found.r_hat > 1.05
    assert "R-hat of u_g[b]" in str(found)
    assert "next: fit again with NUTS(tune=2000, draws=2000)" in str(found)


def test_slow_mixing_is_told_with_the_draws_needed():
    rng = np.random.default_rng(1)
    x = np.zeros((4, 1000, 1))
    for t in range(1, 1000):
        x[:, t] = 0.97 * x[:, t - 1] + rng.normal(size=(4, 1))
    found = check_convergence(tree_of(x))
    assert found.ess < 400
    assert any("effective sample size" in finding.what for finding in found.findings)


def test_divergences_come_first(good):
    found = check_convergence(tree_of(good, diverging=7))
    assert found.divergences == 7
    assert found.findings[0].what.startswith("7 of 4,000 draws diverged")
    assert "target_accept=0.99" in found.findings[0].next_step


def test_tree_depth_is_told_from_one_percent(good):
    assert check_convergence(tree_of(good, deepest=40)).ok
    found = check_convergence(tree_of(good, deepest=41))
    assert "max_treedepth=12" in found.findings[0].next_step


def test_one_chain_cannot_be_judged(good):
    found = check_convergence(tree_of(good[:1]))
    assert np.isnan(found.r_hat)
    assert "one chain" in found.findings[0].what


def test_a_parameter_that_never_moves_is_not_converged(good):
    good[:, :, 2] = 1.0
    found = check_convergence(tree_of(good))
    assert not found.ok
    assert "u_g[c]" in str(found)


def test_draws_asked_for_are_whole_thousands_and_enough():
    assert more_draws(200, 1000) == 3000
    assert more_draws(399, 1000) == 2000
    assert more_draws(float("nan"), 1000) == 4000
