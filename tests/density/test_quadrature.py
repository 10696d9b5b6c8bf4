"""Quadrature against SciPy's integration, closed forms and numerical derivatives."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import dblquad, quad
from scipy.optimize import minimize
from scipy.stats import norm

import bayesmlm as mlm
from bayesmlm.density import gaussian_marginal
from bayesmlm.density.gauss_hermite import gauss_hermite
from bayesmlm.density.quadrature import QuadratureMarginal, quadrature_marginal

FAMILIES = (("bernoulli", "logit"), ("bernoulli", "probit"), ("binomial", "logit"))
FAMILIES += (("binomial", "probit"), ("poisson", "log"))


def data(seed=0, rows=30, groups=6):
    rng = np.random.default_rng(seed)
    g = np.concatenate([np.arange(groups), rng.integers(0, groups, rows - groups)])
    eta = 0.3 + rng.normal(size=groups)[g]
    n = rng.integers(1, 6, rows)
    return pd.DataFrame(
        {
            "g": g,
            "x": rng.normal(2, 1, rows),
            "w": rng.uniform(0.5, 2, rows),
            "n": n,
            "bernoulli": rng.binomial(1, 1 / (1 + np.exp(-eta))),
            "binomial": rng.binomial(n, 1 / (1 + np.exp(-eta))),
            "poisson": rng.poisson(np.exp(eta)),
            "gaussian": eta + rng.normal(size=rows),
        }
    )


def density(family, link, right, nodes, frame=None, **options):
    frame = data() if frame is None else frame
    left = {"binomial": "binomial | trials(n)"}.get(family, family)
    if options.pop("weights", False):
        left += " + weights(w)" if "|" in left else " | weights(w)"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)
        model = mlm.Model(f"{left} ~ {right}", frame, family=family, link=link, **options)
    found = quadrature_marginal(model.design, model.prior_values, nodes)
    assert isinstance(found, QuadratureMarginal), found
    return found


def theta_of(marginal, seed=1):
    rng = np.random.default_rng(seed)
    theta = 0.4 * rng.normal(size=marginal.size)
    theta[marginal.data.X.shape[1] :] += 0.3
    return theta


def joint(marginal, theta, group, u):
    """Return the log joint density of a group's rows and effects, by SciPy."""
    design = marginal.design
    coordinates, psi = marginal.split(theta[None])
    beta = marginal.to_user(coordinates)[0]
    block = design.random[0]
    at = block.grouping.codes == group
    eta = (design.X @ beta + design.offset + block.Z @ u)[at]
    rows = {name: values[at] for name, values in design.outcome.rows.items()}
    others = {"sigma": float(np.exp(psi[0, -1]))} if design.estimates_scale else {}
    own = design.family.log_density(design.y[at], eta, others, rows)
    L = marginal.layout.groups[0].factor(psi)[0]
    return (rows.get("weights", 1.0) * own).sum() + (
        norm.logpdf(np.linalg.solve(L, u)).sum() - np.log(np.diag(L)).sum()
    )


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize(("family", "link"), FAMILIES)
def test_one_effect_agrees_with_numerical_integration(family, link, weights):
    marginal = density(family, link, "x + offset(w) + (1 | g)", 40, weights=weights)
    theta = theta_of(marginal)
    expected = 0.0
    for g in range(6):

        def f(u, g=g):
            return np.exp(joint(marginal, theta, g, np.array([u])))

        expected += np.log(quad(f, -12, 12, epsabs=0, epsrel=1e-10, limit=300)[0])
    assert marginal.log_likelihood(theta)[0] == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("right", ["x + (x | g)", "x + (x || g)"])
def test_two_effects_agree_with_numerical_integration(right):
    frame = data(3, rows=8, groups=2)
    marginal = density("poisson", "log", right, 20, frame)
    theta = theta_of(marginal)
    expected = 0.0
    for g in range(2):

        def f(a, b, g=g):
            return np.exp(joint(marginal, theta, g, np.array([a, b])))

        expected += np.log(dblquad(f, -8, 8, -8, 8, epsabs=0, epsrel=1e-7)[0])
    assert marginal.log_likelihood(theta)[0] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("family", "link"), FAMILIES)
def test_one_node_is_laplaces_approximation(family, link):
    marginal = density(family, link, "x + (x | g)", 1)
    theta = theta_of(marginal)
    expected = 0.0
    for g in range(6):

        def f(u, g=g):
            return -joint(marginal, theta, g, u)

        best = minimize(f, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-8})
        best = minimize(f, best.x, method="BFGS", options={"gtol": 1e-7})
        step, H = 1e-3, np.empty((2, 2))
        for a in range(2):
            for b in range(2):
                ea, eb = step * np.eye(2)[a], step * np.eye(2)[b]
                signs = ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))
                H[a, b] = sum(s * f(best.x + i * ea + j * eb) for i, j, s in signs) / 4 / step**2
        expected += -best.fun + np.log(2 * np.pi) - 0.5 * np.linalg.slogdet(H)[1]
    assert marginal.log_likelihood(theta)[0] == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("nodes", [1, 2, 5])
@pytest.mark.parametrize("right", ["x + (1 | g)", "x + (x | g)", "x + (x + w | g)", "1 + (x || g)"])
@pytest.mark.parametrize(("family", "link"), FAMILIES)
def test_the_gradient_is_that_of_the_rule(family, link, right, nodes):
    marginal = density(family, link, right, nodes)
    theta = theta_of(marginal)
    values, gradient = marginal.gradient(theta)
    moves = 1e-4 * np.eye(marginal.size)
    numerical = (marginal.log_density(theta + moves) - marginal.log_density(theta - moves)) / 2e-4
    np.testing.assert_allclose(gradient[0], numerical, rtol=1e-5, atol=2e-5)
    assert values[0] == pytest.approx(marginal.log_density(theta)[0], rel=1e-12)


@pytest.mark.parametrize("right", ["0 + (1 | g)", "0 + (x | g)"])
def test_a_gaussian_response_is_exact_by_any_number_of_nodes(right):
    frame = data()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)
        model = mlm.Model(f"gaussian ~ {right}", frame)
    exact = gaussian_marginal(model.design, model.prior_values)
    for nodes in (1, 2, 7):
        own = quadrature_marginal(model.design, model.prior_values, nodes)
        psi = theta_of(own)[None]
        assert own.log_likelihood(psi)[0] == pytest.approx(exact.log_likelihood(psi)[0], rel=1e-10)
        assert own.log_density(psi)[0] == pytest.approx(exact.log_density(psi)[0], rel=1e-10)
        _, gradient = own.log_likelihood_gradient(psi)
        np.testing.assert_allclose(gradient[0], exact.likelihood_gradient(psi[0]), rtol=1e-5)


def test_any_prior_on_the_line_serves():
    priors = {"Intercept": mlm.StudentT(4, 0.5, 2), "x": mlm.Normal(0.2, 0.7)}
    marginal = density("poisson", "log", "x + (1 | g)", 3, priors=priors)
    theta = theta_of(marginal)
    beta = marginal.to_user(theta[None, :2])[0]
    expected = sum(
        priors[name].log_density(value)
        for name, value in zip(("Intercept", "x"), beta, strict=True)
    )
    expected += -np.linalg.slogdet(marginal.data.to_X)[1]
    sd = marginal.priors.sds["g"]["Intercept"]
    expected += sd.log_density(np.exp(theta[2])) + theta[2]
    assert marginal.prior.log_density(theta[None])[0] == pytest.approx(float(expected))
    step = 1e-5 * np.eye(3)
    ahead, behind = (marginal.prior.log_density(theta + s * step) for s in (1, -1))
    value, gradient = marginal.prior.with_gradient(theta)
    assert value == pytest.approx(float(expected))
    np.testing.assert_allclose(gradient, (ahead - behind) / 2e-5, rtol=1e-6)


def test_far_out_it_is_finite_or_minus_infinity():
    marginal = density("poisson", "log", "x + (1 | g)", 7)
    theta = np.array([[0, 0, 6.0], [40, 0, 2], [-60, 30, 1], [800, 0, 0], [0, 0, 900]])
    values = marginal.log_density(theta)
    assert not np.isnan(values).any() and np.isfinite(values[:3]).all()
    assert np.isfinite(values[3]) or values[3] == -np.inf
    assert values[4] == -np.inf


@pytest.mark.parametrize(
    ("right", "why"),
    [("1 + (1 | g) + (1 | n)", "there are 2"), ("1 + (x * w | g)", "4 effects")],
)
def test_what_it_does_not_serve(right, why):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)
        model = mlm.Model(f"poisson ~ {right}", data(), family="poisson")
    assert why in quadrature_marginal(model.design, model.prior_values, 7)


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_moments_of_the_rule(dimensions):
    points, log_weights = gauss_hermite(6, dimensions)
    assert points.shape == (6**dimensions, dimensions)
    weights = np.exp(log_weights - (points**2).sum(axis=1) / 2)
    for power, moment in ((0, 1), (2, 1), (4, 3), (6, 15), (1, 0), (3, 0)):
        got = weights @ points**power
        np.testing.assert_allclose(got, moment, rtol=1e-12, atol=1e-12)
