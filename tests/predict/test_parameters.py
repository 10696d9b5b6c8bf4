"""Parameters from priors, from a fit, and as given."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.predict.given_parameters import given_parameters, parameter_names
from bayesmlm.predict.parameters import fitted_parameters
from bayesmlm.predict.prior_draws import prior_parameters

RNG = np.random.default_rng(5)
N = 60
DATA = pd.DataFrame({"g": np.arange(N) % 6, "x": RNG.normal(3, 1, N), "w": RNG.normal(size=N)})
DATA["y"] = RNG.normal(5, 2, N)
DATA["o"] = np.arange(N) % 4
DRAWS = 20_000
FULL = {
    "Intercept": 1.0,
    "x": 2.0,
    "sd_g[Intercept]": 0.5,
    "sd_g[x]": 0.25,
    "corr_g[Intercept~x]": -0.5,
    "sigma": 3.0,
}


def model(formula="y ~ x + (x | g)", **options):
    return mlm.Model(formula, DATA, **options)


def priors_of(found, seed=1):
    rng = np.random.default_rng(seed)
    return prior_parameters(found.design, found.prior_values, DRAWS, rng)


def uniform(values, distribution):
    """Return the p-value of a Kolmogorov test."""
    return stats.kstest(values, distribution.cdf).pvalue


def test_prior_draws_follow_the_priors():
    own = model(
        priors={
            "Intercept": mlm.Normal(10, 3),
            "x": mlm.StudentT(4, -2, 0.5),
            "sd_g[Intercept]": mlm.HalfStudentT(3, 2),
            "sd_g[x]": mlm.Exponential(0.7),
            "corr": mlm.LKJ(1.5),
            "sigma": mlm.HalfCauchy(1.3),
        }
    )
    found = priors_of(own)
    # six tests: 0.001 is a Bonferroni bound of 0.006, the seed being fixed
    assert uniform(found.beta[:, 0], stats.norm(10, 3)) > 0.001
    assert uniform(found.beta[:, 1], stats.t(4, -2, 0.5)) > 0.001
    half_t = np.where(RNG.random(DRAWS) < 0.5, -1, 1) * found.sds["g"][:, 0]
    assert uniform(half_t, stats.t(3, 0, 2)) > 0.001
    assert uniform(found.sds["g"][:, 1], stats.expon(scale=0.7)) > 0.001
    assert uniform((found.correlations["g"][:, 0] + 1) / 2, stats.beta(1.5, 1.5)) > 0.001
    assert uniform(found.others["sigma"], stats.halfcauchy(scale=1.3)) > 0.001


def test_the_default_intercept_has_its_prior_at_the_means():
    own = model("y ~ x + (1 | g)")
    found = priors_of(own)
    at_means = found.beta[:, 0] + found.beta[:, 1] * DATA["x"].mean()
    prior = own.prior_values.coefficients["Intercept"]
    assert uniform(at_means, stats.norm(prior.mu, prior.sigma)) > 0.001
    assert uniform(found.beta[:, 0], stats.norm(prior.mu, prior.sigma)) < 1e-6


def test_thresholds_increase_and_hold_at_the_means():
    found = priors_of(model("o ~ x + (1 | g)", family="cumulative"))
    cuts = found.others["thresholds"] - found.beta[:, :1] * DATA["x"].mean()
    assert (np.diff(found.others["thresholds"], axis=1) > 0).all()
    # order statistics of three independent values
    assert uniform(cuts.max(axis=1), Cubed(stats.t(3, 0, 2.5))) > 0.001


class Cubed:
    """The largest of three."""

    def __init__(self, one):
        self.one = one

    def cdf(self, x):
        return self.one.cdf(x) ** 3


def test_student_effects_have_their_degrees_of_freedom():
    found = priors_of(model("y ~ x + (1 | gr(g, dist='student'))"))
    assert uniform(found.freedom["g"] - 2, stats.gamma(2, scale=10)) > 0.001


def test_a_fit_gives_its_draws_in_order():
    fit = model().fit("laplace", seed=1, draws=200)
    found, posterior = fitted_parameters(fit.result), fit.tree["posterior"]
    assert found.size == 200
    assert found.beta[7].tolist() == posterior["beta"].to_numpy()[0, 7].tolist()
    block = fit.result.design.random[0]
    T = found.covariance(block)[7]
    sds, r = posterior["sd_g"].to_numpy()[0, 7], posterior["corr_g"].to_numpy()[0, 7, 0]
    assert pytest.approx(np.array([[1, r], [r, 1]]) * np.outer(sds, sds)) == T


def test_given_values_and_distributions():
    own = model()
    assert parameter_names(own.design) == tuple(FULL)
    rng = np.random.default_rng(1)
    short = {**FULL, "x": mlm.Normal(2, 0.1)}
    short["corr_g"] = short.pop("corr_g[Intercept~x]")
    found = given_parameters(own.design, short, DRAWS, rng)
    assert (found.beta[:, 0] == 1).all() and (found.sds["g"] == [0.5, 0.25]).all()
    assert uniform(found.beta[:, 1], stats.norm(2, 0.1)) > 0.001
    expected = [[0.25, -0.0625], [-0.0625, 0.0625]]
    assert found.covariance(own.design.random[0])[3] == pytest.approx(np.array(expected))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"y": 1.0}, "a parameter 'y'"),
        ({"sigma": None}, "sigma is no finite number"),
        ({"sigma": -1.0}, "sigma that is not positive"),
        ({"sd_g[x]": -0.1}, "SD by g below 0"),
        ({"corr_g[Intercept~x]": 1.1}, "that no matrix has"),
        ({"sd_g": 1.0}, "'sd_g'"),
    ],
)
def test_bad_values(change, said):
    with pytest.raises(StatisticError, match=said):
        given_parameters(model().design, FULL | change, 1, np.random.default_rng(1))


def test_missing_values_are_named():
    few = {name: value for name, value in FULL.items() if name not in ("x", "sigma")}
    with pytest.raises(StatisticError, match="no value of x, sigma"):
        given_parameters(model().design, few, 1, np.random.default_rng(1))
    with pytest.raises(StatisticError, match="a dictionary of numbers"):
        given_parameters(model().design, [1.0], 1, np.random.default_rng(1))
