import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.summaries.grid import grid


def design_of(formula):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"g": np.repeat(range(6), 6), "x": rng.normal(size=36), "w": rng.normal(size=36)}
    )
    return mlm.Model(formula, frame.assign(y=rng.normal(size=36))).design


def test_every_combination_of_the_values():
    keys, points, Z = grid(design_of("y ~ x + w + (x + w | g)"), {"x": [0, 1], "w": [5, 6]})
    assert keys == ("x", "w")
    assert points.tolist() == [[0, 5], [0, 6], [1, 5], [1, 6]]
    assert Z["g"].tolist() == [[1, 0, 5], [1, 0, 6], [1, 1, 5], [1, 1, 6]]


def test_effects_are_computed_from_their_columns():
    Z = grid(design_of("y ~ x + (x + I(x**2) | g)"), {"x": [2, 3]})[2]["g"]
    assert Z.tolist() == [[1, 2, 4], [1, 3, 9]]


def test_a_term_may_be_named_whole():
    Z = grid(design_of("y ~ x + (within(x, g) | g)"), {"within(x, g)": [-1, 1]})[2]["g"]
    assert Z.tolist() == [[1, -1], [1, 1]]


def test_a_product_is_that_of_its_factors():
    Z = grid(design_of("y ~ x + (x:w | g)"), {"x": 2, "w": [3]})[2]["g"]
    assert Z.tolist() == [[1, 6]]


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ({"z": 1}, "no random effect depends on"),
        ({"x": [0]}, "no value of 'w'"),
        ({"x": ["a"], "w": 1}, "a list of numbers"),
        ({"x": [np.nan], "w": 1}, "finite"),
        ({"x": [], "w": 1}, "a list of numbers"),
        ([1, 2], "values by predictor"),
    ],
)
def test_refusals(at, words):
    with pytest.raises(StatisticError, match=words):
        grid(design_of("y ~ x + w + (x + w | g)"), at)
