"""Weighted draws of one group's effects against the integral they estimate."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

from bayesmlm.density.one_group import draw_weighted
from bayesmlm.density.streams import streams
from bayesmlm.families import family
from bayesmlm.families.rows import code


@pytest.mark.parametrize("tau", [0.5, 3.0])
def test_mean_weights_estimate_the_density_of_the_rows(tau):
    y, S = np.array([1.0, 1.0, 0.0, 1.0]), 20_000
    base = np.array([[0.3, -0.5, 0.1, 1.0], [-2.0, -2.0, -2.0, -2.0]])
    bernoulli = family("bernoulli", None)
    rows = (code(bernoulli), y, np.ones((1, 1)), np.ones(1))
    repeated = np.repeat(base, S, axis=0)
    L, Z = np.full((2 * S, 1, 1), tau), np.ones((4, 1))
    v, log_weights = draw_weighted(repeated, L, np.empty((2 * S, 0)), Z, rows, streams(3, 1)[0])
    grid = np.linspace(-9, 9, 8001)
    exact, means = [], []
    for eta in base:
        p = expit((2 * y - 1)[:, None] * (eta[:, None] + tau * grid))
        density = p.prod(axis=0) * norm.pdf(grid)
        exact.append(density.sum() * (grid[1] - grid[0]))
        means.append((density @ grid) / density.sum())
    weights = np.exp(log_weights - log_weights.max()).reshape(2, S)
    ratio = weights[0].mean() / weights[1].mean()
    relative = np.sqrt(((weights.std(axis=1) / weights.mean(axis=1)) ** 2).sum() / S)
    assert ratio == pytest.approx(exact[0] / exact[1], rel=4 * relative)
    for own, drawn, mean in zip(weights, v.reshape(2, S), means, strict=True):
        assert own @ drawn / own.sum() == pytest.approx(mean, abs=0.04)


def test_a_seed_is_a_draw():
    rows = (code(family("poisson", None)), np.array([2.0, 4.0]), np.empty((0, 1)), np.ones(1))
    given = np.zeros((5, 2)), np.ones((5, 1, 1)), np.empty((5, 0)), np.ones((2, 1)), rows
    one, two, other = (draw_weighted(*given, streams(seed, 1)[0])[0] for seed in (1, 1, 2))
    assert (one == two).all() and (one != other).any()
