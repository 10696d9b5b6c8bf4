"""The higher-order correction against its formula, numerical integration and error orders."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import norm

import bayesmlm as mlm
from bayesmlm.density import quadrature_marginal
from bayesmlm.density.higher_order import SIXTH, higher_derivatives, moments_rule
from bayesmlm.families import family
from bayesmlm.families.rows import code

FAMILIES = ("bernoulli", "binomial", "poisson")


def density(formula, frame, name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)
        model = mlm.Model(formula, frame, family=name)
    return quadrature_marginal(model.design, model.prior_values, 1)


def rows(size, groups=3):
    """Return rows whose every pattern is repeated as clusters grow, with a weight."""
    pattern = pd.DataFrame(
        {
            "y": [0, 1, 1, 0, 1],
            "r": [2, 3, 1, 0, 4],
            "k": [1, 0, 2, 3, 1],
            "x": [-1.0, 0.3, 1.2, -0.2, 0.6],
            "n": 4,
        }
    )
    parts = [pattern.loc[np.arange(size + g) % 5].assign(g=g) for g in range(groups)]
    return pd.concat(parts, ignore_index=True)


LEFT = {"bernoulli": "y", "binomial": "r | trials(n)", "poisson": "k"}


@pytest.mark.parametrize("name", FAMILIES)
def test_derivatives_are_those_of_the_log_density(name):
    """Each by a difference of the one before; the first of SciPy's means and variances."""
    f, out = family(name), np.empty(4)
    kernel = code(f)

    def at(eta):
        higher_derivatives(kernel, eta, 3.0, 1.7, out)
        return out.copy()

    for eta in (-2.0, 0.1, 1.5):
        step = 1e-5
        slopes = (at(eta + step) - at(eta - step)) / (2 * step)
        np.testing.assert_allclose(at(eta)[1:], slopes[:-1], rtol=1e-7)
        mean = np.exp(eta) if name == "poisson" else 1 / (1 + np.exp(-eta))
        third = mean if name == "poisson" else 3 * mean * (1 - mean) * (1 - 2 * mean)
        assert at(eta)[0] == pytest.approx(-1.7 * third)


@pytest.mark.parametrize("name", FAMILIES)
def test_one_effect_agrees_with_the_formula(name):
    """log(1 + h4 V²/8 + h6 V³/48 + 5 h3² V³/24), derivatives by SciPy at the mode."""
    from scipy.optimize import minimize_scalar

    frame = rows(8)
    marginal = density(f"{LEFT[name]} ~ x + (1 | g)", frame, name)
    sd, beta = 0.9, np.array([0.2, -0.4])
    theta = np.concatenate([marginal.data.to_X @ beta, [np.log(sd)]])
    corrected = replace(marginal, order=SIXTH)
    got = (corrected.log_likelihood(theta) - marginal.log_likelihood(theta)).item()
    f, design, expected = marginal.design.family, marginal.design, 0.0
    for g in range(3):
        at = (frame["g"] == g).to_numpy()
        own = {key: value[at] for key, value in design.outcome.rows.items()}

        def log_joint(v, at=at, own=own):
            eta = design.X[at] @ beta + sd * v
            return f.log_density(design.y[at], eta, {}, own).sum() + norm.logpdf(v)

        mode = minimize_scalar(lambda v: -log_joint(v), tol=1e-12).x
        eta = design.X[at] @ beta + sd * mode
        mean = f.mean(eta, {}, own)
        n = own.get("trials", 1.0)
        if name == "poisson":
            second = third = fourth = sixth = -mean
        else:
            s = mean * (1 - mean)
            second, third = -n * s, -n * s * (1 - 2 * mean)
            fourth, sixth = -n * s * (1 - 6 * s), -n * s * (1 - 30 * s + 120 * s**2)
        h2, h3 = sd**2 * np.sum(second) - 1, sd**3 * np.sum(third)
        h4, h6 = sd**4 * np.sum(fourth), sd**6 * np.sum(sixth)
        V = -1 / h2
        expected += np.log1p(h4 * V**2 / 8 + h6 * V**3 / 48 + 5 * h3**2 * V**3 / 24)
    assert abs(expected) > 1e-4
    assert got == pytest.approx(expected, rel=1e-6)


def error_of(marginal, theta, order, nodes=60):
    """Return the log likelihood less that of many nodes."""
    exact = marginal.with_nodes(nodes).log_likelihood(theta).item()
    return replace(marginal, order=order).log_likelihood(theta).item() - exact


@pytest.mark.parametrize("name", ["bernoulli", "poisson"])
def test_errors_fall_with_the_rows_of_a_group_and_with_their_square(name):
    """Against numerical integration: halved, and quartered, as clusters double."""
    plain, sixth = [], []
    theta = np.array([0.2, np.log(0.8)])
    for size in (80, 160, 320):
        frame = rows(size, 1)
        double = pd.concat([frame, frame.assign(g=1)])
        marginal = density(f"{LEFT[name]} ~ 1 + (1 | g)", double, name)
        plain.append(abs(error_of(marginal, theta, 2)))
        sixth.append(abs(error_of(marginal, theta, SIXTH)))
    orders = np.log2(np.array([plain, sixth])[:, :-1] / np.array([plain, sixth])[:, 1:])
    assert orders[0] == pytest.approx([1, 1], abs=0.2)
    assert orders[1] == pytest.approx([2, 2], abs=0.3)


def test_the_integral_that_stands_for_the_truth():
    """The 60 nodes above are SciPy's integral."""
    frame = rows(6, 2)
    marginal = density("y ~ 1 + (1 | g)", frame, "bernoulli")
    theta = np.array([0.2, np.log(0.8)])
    beta = marginal.to_user(theta[None, :1])[0, 0]
    expected = 0.0
    for _, own in frame.groupby("g"):
        y = own["y"].to_numpy()

        def integrand(v, y=y):
            eta = beta + 0.8 * v
            return np.exp((y * eta - np.logaddexp(0, eta)).sum() + norm.logpdf(v))

        expected += np.log(quad(integrand, -12, 12, epsabs=1e-13)[0])
    assert marginal.with_nodes(60).log_likelihood(theta).item() == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("right", ["x + (1 | g)", "x + (x | g)"])
@pytest.mark.parametrize("size", [5, 10])
def test_it_is_closer_than_plain_laplace_on_small_clusters(name, right, size):
    marginal = density(f"{LEFT[name]} ~ {right}", rows(size, 8), name)
    theta = np.zeros(marginal.size)
    theta[np.concatenate([2 + slots.sds for slots in marginal.layout.groups])] = np.log(0.8)
    plain, sixth = (abs(error_of(marginal, theta, order, 30)) for order in (2, SIXTH))
    assert sixth < 0.35 * plain


def test_moments_of_the_rule():
    nodes, weights = moments_rule(2)
    assert weights.sum() == pytest.approx(1)
    x, y = nodes.T
    assert weights @ x**6 == pytest.approx(15)
    assert weights @ (x**2 * y**4) == pytest.approx(3)
    assert weights @ (x**3 * y**3) == pytest.approx(0, abs=1e-12)


def test_the_gradient_is_that_of_the_corrected_likelihood():
    marginal = replace(density("y ~ x + (1 | g)", rows(7), "bernoulli"), order=SIXTH)
    theta = np.array([0.1, -0.2, 0.1])
    _, slope = marginal.log_likelihood_gradient(theta)
    for k in range(3):
        move = 1e-3 * np.eye(3)[k]
        rise = marginal.log_likelihood(theta + move) - marginal.log_likelihood(theta - move)
        assert slope[0, k] == pytest.approx(rise.item() / 2e-3, rel=1e-3, abs=1e-6)
