"""Effects integrated out of families with further parameters, against SciPy's integration."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import norm

import bayesmlm as mlm
from bayesmlm import names
from bayesmlm.density.latent import LatentMarginal, latent_marginal
from bayesmlm.density.quadrature import QuadratureMarginal, quadrature_marginal
from bayesmlm.families.parameter import ORDERED

GROUPS = 5

FAMILIES = (
    ("cumulative", "logit"),
    ("cumulative", "probit"),
    ("cumulative", "cloglog"),
    ("negbinomial", "log"),
    ("gamma", "log"),
    ("beta", "logit"),
    ("beta_binomial", "logit"),
    ("lognormal", "identity"),
    ("student", "identity"),
    ("zero_inflated_poisson", "log"),
    ("zero_inflated_negbinomial", "log"),
    ("hurdle_poisson", "log"),
    ("hurdle_negbinomial", "log"),
)


def data(family, rows=30, seed=2):
    """Responses of every kind of support; what matters is that their densities differ."""
    rng = np.random.default_rng(seed)
    g = np.concatenate([np.arange(GROUPS), rng.integers(0, GROUPS, rows - GROUPS)])
    x, n = rng.normal(2, 1, rows), rng.integers(3, 9, rows)
    eta = 0.4 * (x - 2) + 0.8 * rng.normal(size=GROUPS)[g]
    p = 1 / (1 + np.exp(-eta))
    if family == "cumulative":
        y = np.digitize(eta + rng.logistic(size=rows), [-1.0, 0.3, 1.2])
    elif family == "beta":
        y = rng.beta(4 * p, 4 * (1 - p))
    elif family == "beta_binomial":
        y = rng.binomial(n, rng.beta(3 * p, 3 * (1 - p)))
    elif family in ("gamma", "lognormal"):
        y = rng.gamma(2.0, np.exp(eta) / 2)
    elif family == "student":
        y = eta + rng.standard_t(4, rows)
    else:
        y = rng.poisson(rng.gamma(2.0, np.exp(1 + eta) / 2)) * rng.binomial(1, 0.8, rows)
    w = rng.uniform(0.5, 2, rows)
    return pd.DataFrame({"g": g, "h": np.arange(rows) % 3, "x": x, "n": n, "y": y, "w": w})


def density(family, link, right, nodes, make=quadrature_marginal, weights=False):
    left = "y | trials(n)" if family == "beta_binomial" else "y"
    if weights:
        left += " + weights(w)" if "|" in left else " | weights(w)"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)
        model = mlm.Model(f"{left} ~ {right}", data(family), family=family, link=link)
    found = make(model.design, model.prior_values, nodes)
    assert isinstance(found, QuadratureMarginal | LatentMarginal), found
    return found


def theta_of(marginal, seed=1):
    rng = np.random.default_rng(seed)
    return 0.3 * rng.normal(size=marginal.size) + 0.1


def joint(marginal, theta, group, u):
    """Return the log joint density of a group's rows and its effect, by SciPy.

    The thresholds of psi are those at the means of the predictors.
    """
    design = marginal.design
    coordinates, psi = marginal.split(theta[None])
    beta = marginal.to_user(coordinates)[0]
    block = design.random[0]
    at = block.grouping.codes == group
    X = design.X - design.X.mean(axis=0) * design.family.ordered
    eta = (X @ beta + design.offset + block.Z[:, 0] * u)[at]
    others = {}
    for own in marginal.layout.further:
        values = own.parameter.natural(psi[0, own.at])
        others[own.parameter.name] = values if own.parameter.support == ORDERED else values[0]
    rows = {name: values[at] for name, values in design.outcome.rows.items()}
    density = design.family.log_density(design.y[at], eta, others, rows)
    sd = np.exp(psi[0, marginal.layout.groups[0].sds[0]])
    return (rows.get("weights", 1.0) * density).sum() + norm.logpdf(u, 0, sd)


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize(("family", "link"), FAMILIES)
def test_the_likelihood_is_the_integral(family, link, weights):
    marginal = density(family, link, "x + offset(0.1 * w) + (1 | g)", 40, weights=weights)
    theta = theta_of(marginal)
    expected = 0.0
    for g in range(GROUPS):

        def f(u, g=g):
            return np.exp(joint(marginal, theta, g, u))

        expected += np.log(quad(f, -12, 12, epsabs=0, epsrel=1e-10, limit=400)[0])
    assert marginal.log_likelihood(theta)[0] == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("nodes", [1, 2, 7])
@pytest.mark.parametrize("right", ["x + (1 | g)", "x + (x | g)"])
@pytest.mark.parametrize(("family", "link"), FAMILIES)
def test_the_gradient_is_that_of_the_rule(family, link, right, nodes):
    marginal = density(family, link, right, nodes, weights=right.endswith("(1 | g)"))
    theta = theta_of(marginal)
    values, gradient = marginal.gradient(theta)
    moves = 1e-4 * np.eye(marginal.size)
    numerical = (marginal.log_density(theta + moves) - marginal.log_density(theta - moves)) / 2e-4
    np.testing.assert_allclose(gradient[0], numerical, rtol=1e-5, atol=2e-5)
    assert values[0] == pytest.approx(marginal.log_density(theta)[0], rel=1e-12)


@pytest.mark.parametrize(("family", "link"), FAMILIES)
def test_without_fixed_effects_the_field_is_one_groupings_integral(family, link):
    right = "0 + (1 | g)" if family != "cumulative" else "1 + (1 | g)"
    latent = density(family, link, right, 40, latent_marginal)
    one = density(family, link, right, 40)
    psi = theta_of(one)[None]
    assert latent.log_likelihood(psi)[0] == pytest.approx(one.log_likelihood(psi)[0], abs=1e-8)
    assert latent.layout.further_positions.size == len(latent.layout.labels) - 1


def test_an_unordered_response_has_no_integral():
    frame = data("cumulative").assign(y=lambda d: d["y"].astype(str))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)
        model = mlm.Model("y ~ x + (1 | g)", frame, family="categorical")
    for make in (quadrature_marginal, latent_marginal):
        assert "a linear predictor for each category" in make(model.design, model.prior_values, 7)


def test_thresholds_are_those_at_the_means():
    """Moving the origin of a predictor moves nothing but the displayed thresholds."""
    frame = data("cumulative")
    values = []
    for origin in (0.0, 50.0):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", mlm.BayesmlmWarning)
            moved = frame.assign(x=frame["x"] + origin)
            model = mlm.Model("y ~ x + (1 | g)", moved, family="cumulative")
        marginal = quadrature_marginal(model.design, model.prior_values, 5)
        values.append(marginal.log_density(theta_of(marginal))[0])
    assert values[0] == pytest.approx(values[1], rel=1e-12)
    assert [p.name for p in model.design.parameters] == [names.THRESHOLDS]
