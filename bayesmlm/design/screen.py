"""Predictor columns that no model can, or that a model hardly can, tell apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmlm.errors import DataError, message
from bayesmlm.names import INTERCEPT

Array = NDArray[np.float64]

DEPENDENT = 1e-9
"""A column of unit length whose part outside the others is shorter is a combination of them."""
INFLATION = 100.0
"""Variance inflation factor from which near collinearity is told."""
FAR_FROM_ZERO = 3.0
"""|mean| / SD of a random slope's predictor from which its distance from zero is told."""


def screen(matrix: Array, columns: tuple[str, ...], part: str) -> None:
    """Refuse constant and exactly collinear columns.

    Parameters
    ----------
    matrix
        Shape (N, p).
    columns
        Names of the p columns.
    part
        What the columns belong to, for the message.

    Raises
    ------
    DataError
        If a column other than the intercept is constant, or is a linear combination of
        the others.
    """
    for name, column in zip(columns, matrix.T, strict=True):
        if name != INTERCEPT and np.ptp(column) == 0:
            raise DataError(
                message(
                    f"{name!r} is constant ({column[0]:g}) in {part}",
                    "predictors that vary",
                    f"remove {name!r}; a constant is the intercept, written 1",
                )
            )
    found = dependence(matrix)
    if found is not None:
        k, others = found
        listed = " + ".join(f"{weight:.4g} {columns[j]}" for j, weight in others)
        raise DataError(
            message(
                f"{columns[k]!r} is an exact combination of other columns in {part}: {listed}",
                "linearly independent columns (fewer columns than rows)",
                f"remove {columns[k]!r} or one of the others",
            )
        )


def dependence(matrix: Array) -> tuple[int, list[tuple[int, float]]] | None:
    """Return a column that depends on the columns before it, with its weights, or None."""
    length = np.linalg.norm(matrix, axis=0)
    unit = matrix / np.where(length > 0, length, 1.0)
    triangle = np.linalg.qr(unit, mode="r") if unit.size else np.empty((0, 0))
    p = matrix.shape[1]
    for k in range(p):
        if k < len(triangle) and abs(triangle[k, k]) > DEPENDENT:
            continue
        weights = np.linalg.lstsq(matrix[:, :k], matrix[:, k], rcond=None)[0]
        largest = np.abs(weights * length[:k]).max(initial=0.0)
        keep = [(j, float(w)) for j, w in enumerate(weights) if abs(w) * length[j] > 1e-6 * largest]
        return k, keep
    return None


def near_collinear(matrix: Array, columns: tuple[str, ...]) -> str | None:
    """Return a note on columns with a large variance inflation factor, or None."""
    slopes = [k for k, name in enumerate(columns) if name != INTERCEPT]
    if len(slopes) < 2:
        return None
    part = matrix[:, slopes]
    inflation = np.diag(np.linalg.pinv(np.corrcoef(part, rowvar=False), hermitian=True))
    high = [
        f"{columns[k]} ({vif:,.0f})"
        for k, vif in zip(slopes, inflation, strict=True)
        if vif > INFLATION
    ]
    if not high:
        return None
    return (
        "nearly collinear predictors, with their variance inflation factors: "
        f"{', '.join(high)}. The model is fitted; their separate coefficients are "
        "known poorly, and the priors matter."
    )


def far_from_zero(name: str, group: str, column: Array) -> str | None:
    """Return a note on a random slope whose predictor lies far from zero, or None."""
    spread = column.std()
    if spread == 0 or abs(column.mean()) <= FAR_FROM_ZERO * spread:
        return None
    return (
        f"{name} varies over {group} and lies far from zero (mean {column.mean():.3g}, SD "
        f"{spread:.3g}), so the random intercept is an extrapolation; consider grand({name}) "
        f"or within({name}, {group})."
    )
