"""What moves from the rows to the groups when an effect is centred."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from bayesmlm.design import RandomBlock
from bayesmlm.errors import BayesmlmWarning
from bayesmlm.graph.means import group_values
from bayesmlm.model import Model

RNG = np.random.default_rng(4)
N = 40
G = np.arange(N) % 5
DATA = pd.DataFrame(
    {
        "y": RNG.normal(size=N),
        "x": RNG.normal(3, 1, N),
        "g": G,
        "w": RNG.normal(2000, 1, 5)[G],
        "half": np.where(G < 2, 0.0, RNG.normal(size=N)),
    }
)


def block_of(formula: str) -> RandomBlock:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmlmWarning)
        return Model(formula, DATA).design.random[0]


def test_a_column_constant_in_groups_predicts_the_intercept() -> None:
    w = group_values(DATA["w"].to_numpy(), block_of("y ~ (1 | g)"), 0)
    assert w is not None
    np.testing.assert_allclose(w[G], DATA["w"], rtol=1e-12)


def test_a_column_that_varies_predicts_no_intercept() -> None:
    block = block_of("y ~ (1 | g)")
    assert group_values(DATA["x"].to_numpy(), block, 0) is None
    nearly = DATA["w"].to_numpy() + np.where(np.arange(N) == 0, 0.01, 0)
    assert group_values(nearly, block, 0) is None


def test_the_effects_own_column_and_its_interaction_predict_the_slope() -> None:
    block = block_of("y ~ (x | g)")
    own = group_values(DATA["x"].to_numpy(), block, 1)
    np.testing.assert_allclose(own, np.ones(5), rtol=1e-12)
    crossed = group_values((DATA["x"] * DATA["w"]).to_numpy(), block, 1)
    assert crossed is not None
    np.testing.assert_allclose(crossed[G], DATA["w"], rtol=1e-12)
    assert group_values(DATA["w"].to_numpy(), block, 1) is None


def test_a_group_where_the_effect_column_is_zero_has_the_value_zero() -> None:
    block = block_of("y ~ (half | g)")
    w = group_values(DATA["half"].to_numpy(), block, 1)
    np.testing.assert_allclose(w, [0, 0, 1, 1, 1])
