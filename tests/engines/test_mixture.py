"""The likelihood of mass points: direct summation, its gradient, its coordinates."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmlm as mlm
from bayesmlm.engines.mixture import Mixing, mixture

CASES = {
    "gaussian": "y ~ x + w + (x | g)",
    "bernoulli": "b ~ x + w + (1 | g)",
    "binomial": "k | trials(n) ~ x + w + (x | g)",
    "poisson": "c | weights(v) ~ x + w + offset(t) + (1 | g)",
}


def rows():
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"g": np.repeat(list("abcd"), 5), "x": rng.normal(3, 2, 20)})
    frame["w"], frame["t"] = rng.normal(size=20), rng.normal(size=20) / 5
    frame["v"] = rng.uniform(0.5, 2, 20)
    frame["y"], frame["b"] = rng.normal(size=20), rng.integers(0, 2, 20)
    frame["n"] = rng.integers(1, 6, 20)
    frame["k"], frame["c"] = rng.binomial(frame["n"], 0.5), rng.poisson(2, 20)
    return frame


def setting(family, K=3):
    frame = rows()
    density = mixture(mlm.Model(CASES[family], frame, family=family).design)
    rng = np.random.default_rng(6)
    at = Mixing(
        rng.normal(size=density.X.shape[1]) / 3,
        rng.normal(size=(K, density.Z.shape[1])),
        np.log(rng.dirichlet(np.ones(K))),
        np.array([-0.3] if family == "gaussian" else []),
    )
    return frame, density, at


def row_density(family, frame, eta):
    p = 1 / (1 + np.exp(-eta))
    if family == "gaussian":
        return stats.norm.pdf(frame["y"], eta, np.exp(-0.3))
    if family == "bernoulli":
        return stats.bernoulli.pmf(frame["b"], p)
    if family == "binomial":
        return stats.binom.pmf(frame["k"], frame["n"], p)
    return stats.poisson.pmf(frame["c"], np.exp(eta)) ** frame["v"]


@pytest.mark.parametrize("family", CASES)
def test_it_is_the_sum_over_all_assignments(family):
    """Over all 3⁴ ways to give four groups one of three points, in the user's coordinates."""
    frame, density, at = setting(family)
    beta, deviations = density.user(at)
    design = density.design
    total = 0.0
    for chosen in itertools.product(range(3), repeat=4):
        u = deviations[np.array(chosen)[design.random[0].grouping.codes]]
        eta = design.X @ beta + design.offset + (design.random[0].Z * u).sum(axis=1)
        total += np.prod(row_density(family, frame, eta)) * np.prod(at.mass[list(chosen)])
    assert density.value(at) == pytest.approx(np.log(total), rel=1e-10)


@pytest.mark.parametrize("family", CASES)
def test_the_gradient_is_the_derivative(family):
    _, density, at = setting(family)
    flat, h = at.flat(), 1e-6
    _, gradient = density.with_gradient(flat, 3)
    moves = h * np.eye(len(flat))
    numeric = [
        (density.with_gradient(flat + m, 3)[0] - density.with_gradient(flat - m, 3)[0]) / (2 * h)
        for m in moves
    ]
    np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-7)


def test_the_vector_is_read_back():
    _, density, at = setting("gaussian")
    back = density.unflat(at.flat(), 3)
    for name in ("gamma", "points", "log_mass", "log_sigma"):
        np.testing.assert_allclose(getattr(back, name), getattr(at, name), rtol=1e-12)


@pytest.mark.parametrize("family", CASES)
def test_the_gain_is_the_slope_towards_a_point(family):
    _, density, at = setting(family)
    new, h = np.full((1, density.Z.shape[1]), 0.4), 1e-7
    more = Mixing(
        at.gamma,
        np.vstack([at.points, new]),
        np.append(at.log_mass + np.log1p(-h), np.log(h)),
        at.log_sigma,
    )
    slope = (density.value(more) - density.value(at)) / h
    assert density.gain(at, new)[0] == pytest.approx(slope, rel=1e-4)
