"""The log likelihood of rows, against SciPy's distributions at hand-made linear predictors."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats

import bayesmlm as mlm
from bayesmlm.summaries.row_likelihood import log_likelihood, log_likelihood_blocks

S = 5
RNG = np.random.default_rng(3)
X, G = RNG.normal(size=12), np.repeat(range(4), 3)
BETA, U = RNG.normal(size=(1, S, 2)), RNG.normal(size=(1, S, 4, 1))
ETA = BETA[0, :, 0] + X[:, None] * BETA[0, :, 1] + U[0, :, G, 0]
SIGMA = RNG.uniform(0.5, 2, S)


def by_row(result):
    found = np.empty((12, S))
    for rows, values in log_likelihood_blocks(result):
        found[rows] = values
    return found


def test_gaussian_with_weights_and_precisions(make_result):
    y, w, k = RNG.normal(size=12), RNG.uniform(0.5, 2, 12), RNG.uniform(0.5, 2, 12)
    frame = pd.DataFrame({"y": y, "x": X, "g": G, "w": w, "k": k})
    model = mlm.Model("y | weights(w) + precision(k) ~ x + (1 | g)", frame)
    sd = np.ones((1, S, 1))
    result = make_result(model, beta=BETA, u_g=U, sd_g=sd, sigma=SIGMA[None])
    expected = w[:, None] * scipy.stats.norm(ETA, SIGMA / np.sqrt(k)[:, None]).logpdf(y[:, None])
    np.testing.assert_allclose(by_row(result), expected)
    np.testing.assert_allclose(log_likelihood(result), expected.sum(axis=0))


def test_binomial_counts_with_the_number_of_ways(make_result):
    n = RNG.integers(2, 9, 12)
    y = RNG.binomial(n, 0.4)
    frame = pd.DataFrame({"y": y, "n": n, "x": X, "g": G})
    model = mlm.Model("y | trials(n) ~ x + (1 | g)", frame, family="binomial")
    result = make_result(model, beta=BETA, u_g=U, sd_g=np.ones((1, S, 1)))
    law = scipy.stats.binom(n[:, None], scipy.special.expit(ETA))
    np.testing.assert_allclose(by_row(result), law.logpmf(y[:, None]))


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_ordered_categories_draw_by_draw(make_result, link):
    y = np.array([0, 1, 2] * 4)
    frame = pd.DataFrame({"y": y, "x": X, "g": G})
    model = mlm.Model("y ~ x + (1 | g)", frame, family="cumulative", link=link)
    cuts = np.sort(RNG.normal(size=(1, S, 2)))
    result = make_result(model, beta=BETA[..., 1:], u_g=U, sd_g=np.ones((1, S, 1)), thresholds=cuts)
    eta = X[:, None] * BETA[0, :, 1] + U[0, :, G, 0]
    cdf = {"logit": scipy.stats.logistic, "probit": scipy.stats.norm}[link].cdf
    edges = np.vstack([np.full(S, -np.inf), cuts[0].T, np.full(S, np.inf)])
    expected = np.log(cdf(edges[y + 1] - eta) - cdf(edges[y] - eta))
    np.testing.assert_allclose(by_row(result), expected)
