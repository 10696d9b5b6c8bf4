"""Statistics of residuals, one a replicate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmlm.checks.group_sums import FLOOR, GroupSums

Array = NDArray[np.float64]


def skewness(x: Array) -> Array:
    """Return the skewness along the last axis."""
    d = x - x.mean(axis=-1, keepdims=True)
    square, n = d * d, x.shape[-1]
    third = np.einsum("...n,...n->...", square, d) / n
    return np.asarray(third / np.maximum(square.mean(axis=-1), 1e-300) ** 1.5)


def kurtosis(x: Array) -> Array:
    """Return the kurtosis along the last axis, 3 of a normal."""
    d = x - x.mean(axis=-1, keepdims=True)
    square, n = d * d, x.shape[-1]
    fourth = np.einsum("...n,...n->...", square, square) / n
    return np.asarray(fourth / np.maximum(square.mean(axis=-1), 1e-300) ** 2)


def farthest(x: Array) -> Array:
    """Return the largest distance from the mean in SDs, along the last axis."""
    d = np.abs(x - x.mean(axis=-1, keepdims=True))
    return np.asarray(d.max(axis=-1) / np.maximum(x.std(axis=-1), 1e-300))


def bartlett(sums: GroupSums, R: Array) -> Array:
    """Return Bartlett's statistic of residuals less each group's fit, shape (S,)."""
    used = sums.free > 0
    squares, free = sums.total(R**2)[:, used], sums.free[used]
    pooled = squares.sum(axis=1, keepdims=True) / free.sum()
    ratio = np.maximum(squares / free / np.maximum(pooled, 1e-300), FLOOR)
    return np.asarray(-(free * np.log(ratio)).sum(axis=1))


def slope_ratio(sums: GroupSums, R: Array, inside: Array, squares: Array) -> Array:
    """Return the spread of a predictor's slopes by group over what they leave, shape (S,)."""
    moments = sums.total(R * inside)
    own = (moments**2 / squares).sum(axis=1)
    common = moments.sum(axis=1) ** 2 / squares[np.isfinite(squares)].sum()
    return np.asarray((own - common) / ((R**2).sum(axis=1) - own))
