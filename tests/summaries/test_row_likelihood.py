"""The log likelihood of rows, against SciPy's distributions at hand-made linear predictors."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from pytensor.compile.mode import Mode

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


FORMULAS = [
    ("y ~ x + (1 | g); sigma ~ x + (1 | g)", "gaussian"),
    ("k ~ x + (1 | g); zi ~ x + (1 | g)", "zero_inflated_poisson"),
    ("c ~ x + (1 | g)", "categorical"),
]


@pytest.mark.parametrize(("formula", "family"), FORMULAS, ids=[family for _, family in FORMULAS])
def test_formulas_and_categories_as_in_the_graph(make_result, formula, family):
    rng = np.random.default_rng(7)
    y, k = rng.normal(size=12), np.arange(12) % 4
    frame = pd.DataFrame({"y": y, "k": k, "c": np.array(list("abca"))[k], "x": X, "g": G})
    model = mlm.Model(formula, frame, family=family)
    graph = model.to_pymc()
    point = {name: v + rng.normal(0, 0.3, v.shape) for name, v in graph.initial_point().items()}
    stored = {f"beta{suffix}" for suffix in ("", "_sigma", "_zi", "_mub", "_muc")}
    stored |= {f"{kind}_{block.name}" for block in model.design.blocks for kind in ("sd", "u")}
    wanted = sorted(stored & set(graph.named_vars))
    outputs = [*graph.replace_rvs_by_values([graph[name] for name in wanted])]
    outputs.append(graph.logp(graph.observed_RVs, sum=False)[0])
    mode = Mode(linker="py", optimizer="fast_compile")
    *values, expected = graph.compile_fn(
        outputs, inputs=graph.value_vars, mode=mode, on_unused_input="ignore"
    )(point)
    given = dict(zip(wanted, (value[None, None] for value in values), strict=True))
    found = by_row(make_result(model, **given))[:, :1]
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-9)
