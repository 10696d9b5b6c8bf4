"""Student-t and Cauchy priors of fixed effects, integrated under Normal ones and weighted."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import norm

import bayesmlm as mlm


def known(n=12):
    """Return y with known SDs and no groups, so that the intercept is all there is."""
    rng = np.random.default_rng(1)
    return pd.DataFrame({"y": rng.normal(3, 2, n), "se": np.full(n, 2.0), "g": np.arange(n) % 4})


def frame(seed=3, groups=15, rows=8):
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), rows)
    x, w = rng.normal(size=g.size), rng.normal(size=groups)[g]
    y = 1 + 0.8 * x + 0.3 * w + rng.normal(0, 0.7, groups)[g] + rng.normal(size=g.size)
    return pd.DataFrame({"y": y, "x": x, "w": w, "g": g})


@pytest.mark.parametrize("prior", [mlm.StudentT(4, 0, 0.5), mlm.Cauchy(0, 0.3)], ids=str)
def test_the_intercept_by_numerical_integration(prior):
    """Given an SD of almost zero, the posterior of the intercept is one integral away."""
    data = known()
    priors = {"Intercept": prior, "sd_g": mlm.HalfNormal(1e-3)}
    fit = mlm.Model("y | se(se) ~ 1 + (1 | g)", data, priors=priors).fit("laplace", seed=1)
    y, se = data["y"].to_numpy(), data["se"].to_numpy()
    best = norm.logpdf(y, y.mean(), se).sum()

    def density(b):
        return np.exp(norm.logpdf(y, b, se).sum() - best + prior.log_density(np.array([b]))[0])

    moments = [quad(lambda b, k=k: b**k * density(b), -5, 10)[0] for k in range(3)]
    mean = moments[1] / moments[0]
    sd = np.sqrt(moments[2] / moments[0] - mean**2)
    found = fit.tree["posterior"]["beta"]
    error = 1 / np.sqrt(found.attrs["ess"])
    draws = found.to_numpy().ravel()
    assert abs(draws.mean() - mean) < 4 * sd * error
    assert abs(draws.std() / sd - 1) < 4 * error
    assert any("weighted by the ratio" in note for note in fit.result.notes)


@pytest.mark.slow
def test_against_nuts_on_everything():
    priors = {"x": mlm.StudentT(3, 0, 0.2), "w": mlm.Cauchy(0, 0.1), "Intercept": mlm.Normal(0, 5)}
    model = mlm.Model("y ~ x + w + (1 | g)", frame(), priors=priors)
    fast = model.fit(mlm.Laplace(draws=8000), seed=1)
    slow = model.fit(mlm.NUTS(draws=4000, random_effects="sample", target_accept=0.95), seed=2)
    assert isinstance(fast.result.engine, mlm.Laplace)
    for name in ("beta", "sd_g", "sigma", "u_g"):
        one, other = (fit.tree["posterior"][name].to_numpy() for fit in (fast, slow))
        one, other = (v.reshape(v.shape[0] * v.shape[1], -1) for v in (one, other))
        ess = fast.tree["posterior"][name].attrs["ess"]
        error = other.std(axis=0) * np.sqrt(1 / ess + 1 / 2000)
        bound = norm.isf(1e-3 / 2 / 40)
        assert (np.abs(one.mean(axis=0) - other.mean(axis=0)) < bound * error).all(), name


def test_a_prior_that_rules_is_left_to_nuts():
    """A coefficient of which the data say nothing has its Cauchy prior's tails."""
    data = frame(groups=6, rows=4)
    data["z"] = 1e-6 * np.arange(len(data))
    priors = {"z": mlm.Cauchy(0, 1)}
    fit = mlm.Model("y ~ z + (1 | g)", data, priors=priors).fit("laplace", seed=1)
    assert isinstance(fit.result.engine, mlm.NUTS)
    assert any("rules a fixed effect" in note for note in fit.result.notes)


def test_effects_that_are_not_kept_are_drawn_again():
    model = mlm.Model("y ~ x + (1 | g)", frame(), priors={"x": mlm.StudentT(3, 0, 1)})
    kept = model.fit(mlm.Laplace(draws=500), seed=4)
    left = model.fit(mlm.Laplace(draws=500, keep_random_effects=False), seed=4)
    one, other = (mlm.effects.random_effects(f.result, "g") for f in (kept, left))
    np.testing.assert_array_equal(one.to_numpy(), other.to_numpy())
