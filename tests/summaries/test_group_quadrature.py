"""Quadrature over two nested groupings against a grid of both effects."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats

import bayesmlm as mlm
from bayesmlm.summaries.chain import chain_of
from bayesmlm.summaries.group_quadrature import root_mean
from bayesmlm.summaries.integrated_likelihood import integrated

S = 3


def by_grid(design, rows, beta, outer_sd, inner_sd, others):
    """Return log p of one outer group: a sum over its effect of products over inner groups."""
    outer = np.linspace(-9 * outer_sd, 9 * outer_sd, 1201)
    inner = np.linspace(-9 * inner_sd, 9 * inner_sd, 1201)
    weight = scipy.stats.norm(0, inner_sd).logpdf(inner) + np.log(inner[1] - inner[0])
    total = scipy.stats.norm(0, outer_sd).logpdf(outer) + np.log(outer[1] - outer[0])
    codes = design.block("g:h").grouping.codes
    for group in np.unique(codes[rows]):
        terms = np.tile(weight, (len(outer), 1))
        for i in rows[codes[rows] == group]:
            eta = beta + outer[:, None] + inner
            terms += design.family.log_density(design.y[i], eta, others, {})
        total += np.logaddexp.reduce(terms, axis=1)
    return np.logaddexp.reduce(total)


@pytest.mark.parametrize(
    ("family", "others", "centre"),
    [("poisson", {}, 0.5), ("poisson", {}, 3.5), ("bernoulli", {}, 0.3),
     ("negbinomial", {"shape": 2.0}, 1.0)],
)  # fmt: skip
def test_nested_groups(make_result, family, others, centre):
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {"g": np.repeat(range(3), 8), "h": np.tile(np.repeat(range(3), 3), 3)[:24]}
    )
    eta = centre + rng.normal(size=3)[frame["g"]] + rng.normal(size=3)[frame["h"]]
    mean = np.exp(eta)
    frame["y"] = rng.poisson(mean) if family != "bernoulli" else (eta + rng.logistic(size=24)) > 0
    frame["y"] = frame["y"].astype(int)
    model = mlm.Model("y ~ 1 + (1 | g/h)", frame, family=family)
    outer_sd, inner_sd = np.array([0.7, 1.0, 1.4]), np.array([0.9, 0.6, 1.1])
    draws = {name: np.full((1, S), value) for name, value in others.items()}
    result = make_result(
        model,
        beta=np.full((1, S, 1), centre),
        **{"sd_g": outer_sd[None, :, None], "sd_g:h": inner_sd[None, :, None]},
        **draws,
    )
    design = model.design
    grouping = design.block("g").grouping
    parts = list(integrated(result, grouping, chain_of(design, grouping), design).groups())
    found = np.concatenate([values for _, values in parts])
    for j in range(3):
        rows = np.flatnonzero(grouping.codes == j)
        for s in range(S):
            expected = by_grid(design, rows, centre, outer_sd[s], inner_sd[s], others)
            assert found[j, s] == pytest.approx(expected, abs=3e-3)


def test_root_mean():
    F = np.random.default_rng(0).normal(size=(5, 2, 2))
    found = root_mean(F, 3)
    T = np.mean([each @ each.T for each in F], axis=0)
    for each in found:
        np.testing.assert_allclose(each @ each.T, T)
