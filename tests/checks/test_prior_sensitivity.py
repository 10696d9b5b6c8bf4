"""Power-scaling: a conflict, a harmless prior, and refits with scaled priors."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.checks.prior_blocks import prior_blocks
from bayesmlm.checks.prior_sensitivity import SENSITIVE, prior_sensitivity
from bayesmlm.errors import StatisticError

FORMULA = "Reaction ~ Days + (Days | Subject)"


def fitted(priors=None, formula=FORMULA):
    model = mlm.Model(formula, mlm.datasets.load("sleepstudy"), priors=priors)
    return model.fit("laplace", seed=1)


def test_default_priors_are_harmless():
    found = fitted().prior_sensitivity()
    assert found.ok and found.findings() == ()
    assert list(found.frame) == [
        "fixed effects",
        "SDs",
        "correlations",
        "residual SD",
        "likelihood",
    ]
    assert (found.frame["likelihood"] > SENSITIVE).all()
    assert "Not sensitive" in str(found) and "effects integrated out" in str(found)


def test_a_prior_of_an_sd_in_conflict():
    """The slopes' SD is about 6 by the data, and below 2 by this prior."""
    found = fitted({"sd_Subject[Days]": mlm.HalfNormal(1)}).prior_sensitivity()
    assert not found.ok
    label = "sd_Subject[Days]"
    assert found.frame.loc[label, "SDs"] > 0.2
    assert found.moves.loc[label, "SDs"] < -1
    assert found.moves.loc[label, "likelihood"] > 1
    first = next(line for line in found.findings() if line.startswith(label))
    assert "prior of SDs" in first and "pulls it down" in first and "may conflict" in first
    assert found.frame.drop(columns=["SDs", "likelihood"]).loc[label].max() < SENSITIVE


def test_a_prior_of_a_coefficient_in_conflict():
    found = fitted({"Days": mlm.Normal(0, 1.5)}, "Reaction ~ Days + (1 | Subject)")
    sensitivity = found.prior_sensitivity()
    assert sensitivity.frame.loc["Days", "fixed effects"] > SENSITIVE
    assert sensitivity.moves.loc["Days", "fixed effects"] < 0
    assert any(line.startswith("Days") and "conflict" in line for line in sensitivity.findings())


def test_a_prior_that_decides_alone_is_called_strong():
    """Nothing is known of the coefficient of a predictor that hardly varies."""
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"g": np.repeat(range(20), 6), "x": rng.normal(0, 1e-3, 120)})
    frame["y"] = rng.normal(size=20)[frame["g"]] + rng.normal(size=120)
    model = mlm.Model("y ~ x + (1 | g)", frame, priors={"x": mlm.Normal(3, 1)})
    found = model.fit("laplace", seed=1).prior_sensitivity()
    assert found.frame.loc["x", "likelihood"] < SENSITIVE < found.frame.loc["x", "fixed effects"]
    assert any("x is" in line and "a strong prior" in line for line in found.findings())


POWER = 2.0
PRIORS = {
    "Days": mlm.Normal(0, 3),
    "Intercept": mlm.Normal(250, 10),
    "sd_Subject[Intercept]": mlm.HalfNormal(20),
    "sd_Subject[Days]": mlm.HalfNormal(4),
    "corr_Subject": mlm.LKJ(2),
    "sigma": mlm.HalfNormal(5),
}


def powered(prior):
    """Return the prior whose density is that of another squared."""
    if isinstance(prior, mlm.LKJ):
        return mlm.LKJ(POWER * (prior.eta - 1) + 1)
    if isinstance(prior, mlm.Normal):
        return mlm.Normal(prior.mu, prior.sigma / np.sqrt(POWER))
    return mlm.HalfNormal(prior.sigma / np.sqrt(POWER))


BLOCKS = {
    "fixed effects": ("Days", "Intercept"),
    "SDs": ("sd_Subject[Intercept]", "sd_Subject[Days]"),
    "correlations": ("corr_Subject",),
    "residual SD": ("sigma",),
}


@pytest.fixture(scope="module")
def base():
    return fitted(PRIORS).result


@pytest.mark.parametrize("block", BLOCKS)
def test_each_block_against_a_refit_with_its_priors_squared(base, block):
    """Draws weighted by the block's own prior density are those of the refit."""
    scaled = {name: powered(PRIORS[name]) for name in BLOCKS[block]}
    again = fitted(PRIORS | scaled).result
    log_weights = (POWER - 1) * prior_blocks(base)[block]
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    effective = 1 / (weights**2).sum()
    assert effective > 50
    for name in ("beta", "sd_Subject", "corr_Subject", "sigma"):
        before = base.posterior[name].to_numpy().reshape(4000, -1)
        after = again.posterior[name].to_numpy().reshape(4000, -1)
        error = after.std(axis=0) * np.sqrt(
            1 / effective + 1 / again.tree["sample_stats"]["ess"].item()
        )
        assert (np.abs(weights @ before - after.mean(axis=0)) < 4 * error).all()


def test_moves_are_the_slope_of_the_mean(base):
    """By the weighted means a little above and below."""
    found = prior_sensitivity(base)
    h = 0.01
    for block in BLOCKS:
        logs = prior_blocks(base)[block]
        for name, label in (("sigma", "sigma"), ("sd_Subject", "sd_Subject[Intercept]")):
            draws = base.posterior[name].to_numpy().reshape(4000, -1)[:, 0]
            up, down = (np.average(draws, weights=np.exp(a * (logs - logs.max()))) for a in (h, -h))
            expected = (up - down) / (2 * h) / draws.std()
            assert found.moves.loc[label, block] == pytest.approx(expected, rel=0.02, abs=1e-4)


def test_crossed_groupings_and_refusals(make_result):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": np.repeat(range(6), 8), "h": np.tile(range(8), 6)})
    frame["y"] = rng.normal(size=6)[frame["g"]] + rng.normal(size=48)
    fit = mlm.Model("y ~ 1 + (1 | g) + (1 | h)", frame).fit("laplace", seed=1)
    assert "given the effects, as groupings are crossed" in fit.prior_sensitivity().note
    plain = mlm.Model("y ~ g", frame).fit("laplace", seed=1)
    assert "no effects" in plain.prior_sensitivity().note
    with pytest.raises(StatisticError, match="no draws"):
        mlm.Model("y ~ 1 + (1 | g)", frame).fit("ml").prior_sensitivity()
