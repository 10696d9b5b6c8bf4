"""Savage-Dickey against marginal likelihoods by numerical integration."""

import numpy as np
import pandas as pd
import pytest
import scipy.integrate
import scipy.stats

import bayesmlm as mlm
from bayesmlm.checks.savage_dickey import (
    bound,
    distribution_function,
    log_ratio_at_zero,
    savage_dickey,
)
from bayesmlm.errors import StatisticError


def schools(spread, prior):
    """Return effects with known errors and an SD of their own, and the model of them."""
    rng = np.random.default_rng(6)
    s = rng.uniform(0.8, 1.2, 20)
    y = spread * rng.normal(size=20) + s * rng.normal(size=20)
    frame = pd.DataFrame({"y": y, "s": s, "g": range(20)})
    priors = {"Intercept": mlm.Normal(0, 2), "sd_g": prior}
    return mlm.Model("y | se(s) ~ 1 + (1 | g)", frame, priors=priors), y, s


def exact_factor(y, s, prior_density):
    """Return p(y | tau = 0) / p(y), tau integrated numerically and the mean exactly."""
    tau = np.linspace(0, 40, 20_001)
    V = s**2 + tau[:, None] ** 2
    # rank one: V + 4 11'
    ones, both = (1 / V).sum(axis=1), (y / V).sum(axis=1)
    log_det = np.log(V).sum(axis=1) + np.log1p(4 * ones)
    quad = (y**2 / V).sum(axis=1) - 4 * both**2 / (1 + 4 * ones)
    density = np.exp(-0.5 * (log_det + quad))
    return density[0] / scipy.integrate.trapezoid(density * prior_density(tau), tau)


@pytest.mark.parametrize(
    ("spread", "prior", "law"),
    [
        (0.0, mlm.HalfNormal(2), scipy.stats.halfnorm(0, 2)),
        (0.5, mlm.HalfCauchy(1), scipy.stats.halfcauchy(0, 1)),
        (0.8, mlm.Exponential(1), scipy.stats.expon(0, 1)),
        (0.3, mlm.HalfStudentT(3, 2.5), None),
    ],
)
def test_the_ratio_is_that_of_marginal_likelihoods(spread, prior, law):
    model, y, s = schools(spread, prior)
    density = (lambda t: 2 * scipy.stats.t(3, 0, 2.5).pdf(t)) if law is None else law.pdf
    expected = exact_factor(y, s, density)
    found = savage_dickey(model.fit(mlm.Laplace(draws=20_000), seed=1).result, "g")
    assert found.resolved
    assert np.log(found.bayes_factor) == pytest.approx(np.log(expected), abs=4 * found.log_error)
    assert found.bayes_factor == pytest.approx(expected, rel=0.25)
    for scale, value in ((0.5, found.halved), (2.0, found.doubled)):
        other = exact_factor(y, s, lambda t, c=scale: density(t / c) / c)
        assert value == pytest.approx(other, rel=0.3)


def test_far_from_zero_it_is_a_bound():
    model, y, s = schools(5.0, mlm.HalfNormal(5))
    expected = exact_factor(y, s, scipy.stats.halfnorm(0, 5).pdf)
    found = savage_dickey(model.fit("laplace", seed=1).result, "g")
    assert not found.resolved
    assert expected < found.bayes_factor < 0.1
    assert "more than" in str(found) and "a bound" in str(found)


@pytest.mark.parametrize("slope", [0.0, 1.0])
def test_draws_of_a_known_ratio(slope):
    """Draws of a half-normal under a half-normal prior: the ratio is that of the scales."""
    rng = np.random.default_rng(3)
    draws = np.abs(rng.normal(0, 1.0, 20_000))
    value, error = log_ratio_at_zero(draws, mlm.HalfNormal(1.0 + slope))
    assert value == pytest.approx(np.log(1 + slope), abs=max(4 * error, 1e-9))
    assert error < 0.1


def test_a_correlated_slope_is_named(shared_data):
    fit = mlm.Model("Reaction ~ Days + (Days | Subject)", mlm.datasets.load("sleepstudy")).fit(
        "laplace", seed=1
    )
    found = fit.savage_dickey("Subject", "Days")
    assert not found.resolved and found.bayes_factor < 0.1
    assert found.parameter == "sd_Subject[Days]"
    with pytest.raises(StatisticError, match="pass effect="):
        fit.savage_dickey("Subject")


def test_what_is_refused():
    for prior in (mlm.InverseGamma(2, 1), mlm.Gamma(2, 1)):
        model = schools(0.5, prior)[0]
        with pytest.raises(StatisticError, match="finite and positive"):
            savage_dickey(model.fit("laplace", seed=1).result, "g")
    with pytest.raises(StatisticError, match="no draws"):
        savage_dickey(schools(0.5, mlm.HalfNormal(1))[0].fit("ml").result, "g")


def test_distribution_functions_and_bound():
    x = np.array([0.0, 0.4, 2.0])
    found = distribution_function(mlm.HalfStudentT(3, 2.5), x)
    np.testing.assert_allclose(found, 2 * scipy.stats.t(3, 0, 2.5).cdf(x) - 1)
    draws = np.linspace(1, 2, 1000)
    assert bound(draws, mlm.HalfNormal(2)) == pytest.approx(
        0.02 / scipy.stats.halfnorm(0, 2).cdf(draws[20])
    )
