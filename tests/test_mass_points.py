"""Numbers of mass points compared."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import EngineError


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(60), 8)
    p = np.array([0.2, 0.8])[rng.integers(0, 2, 60)][g]
    frame = pd.DataFrame({"g": g, "x": rng.normal(size=480), "k": rng.binomial(1, p)})
    return mlm.Model("k ~ x + (1 | g)", frame, family="bernoulli")


def test_two_points_are_found(model):
    table = mlm.compare_points(model, seed=1)
    frame = table.frame
    assert list(frame.index) == [1, 2, 3, 4, 5]
    assert (np.diff(frame["log likelihood"]) > -1e-4).all()
    assert list(frame["parameters"]) == [2, 4, 6, 8, 10]
    np.testing.assert_allclose(frame["AIC"], -2 * frame["log likelihood"] + 2 * frame["parameters"])
    assert frame["BIC"].idxmin() == 2
    assert frame["further"][1] > 1 and frame["further"][5] < 1e-3
    number = frame["distinct"][5]
    assert number < 5
    assert f"from {number} points on, one more gains nothing" in str(table)


def test_too_few_points_are_told(model):
    assert "more points than these may raise" in str(mlm.compare_points(model, [1], seed=1))


@pytest.mark.parametrize("points", [[], [0, 1], [2, 2], [1.5], 0, "ab", [True]])
def test_bad_numbers(model, points):
    with pytest.raises(EngineError, match="different whole numbers from 1"):
        mlm.compare_points(model, points)
