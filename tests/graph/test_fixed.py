"""The fixed part while groups take columns and the intercept from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bayesmlm.graph.fixed import Fixed


def fixed(intercept: Any) -> Fixed:
    X = np.array([[1.0, 2.0], [3.0, 6.0]])
    return Fixed(X, X.mean(axis=0), [10.0, 100.0], intercept, [0, 1])


def test_taking_a_slope_leaves_the_others() -> None:
    part = fixed(1.0)
    assert part.take(0) == 10.0
    assert part.free == [1]
    assert part.intercept == 1.0
    with pytest.raises(ValueError, match=r"not in list"):
        part.take(0)


def test_uncentring_moves_the_intercept_to_zero() -> None:
    part = fixed(1.0)
    part.uncentre(1)
    assert part.intercept == 1.0 - 100.0 * 4.0
    without = fixed(None)
    without.uncentre(1)
    assert without.intercept is None


def test_the_intercept_is_taken_once() -> None:
    part = fixed(1.0)
    assert part.take_intercept() == 1.0
    assert part.intercept is None
