"""Predictor columns that no model can, or that a model hardly can, tell apart."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from bayesmlm.errors import DataError, message
from bayesmlm.names import INTERCEPT

Array = NDArray[np.float64]

DEPENDENT = 1e-9
"""A column whose part outside the others is shorter than this share is a combination of them."""
ROUNDING = 1e-12
"""Variation below this share of a column's size is rounding error."""
SMALLEST = 1e-100
"""Range below which a column is refused: its square would come near the end of the numbers."""
INFLATION = 100.0
"""Variance inflation factor from which near collinearity is told."""
FAR_FROM_ZERO = 3.0
"""|mean| / SD of a random slope's predictor from which its distance from zero is told."""
SHOWN = 6
"""Weights of a combination that an error lists."""


def check_names(columns: tuple[str, ...], intercepts: int, part: str) -> None:
    """Refuse two columns of one name, and a predictor called as the intercept is.

    Parameters
    ----------
    columns
        Names of the columns.
    intercepts
        How many of them are intercepts.
    part
        What the columns belong to, for the message.
    """
    for name, times in Counter(columns).items():
        allowed = intercepts if name == INTERCEPT else 1
        if times > allowed:
            raise DataError(
                message(
                    f"{name!r} would name {'a predictor' if times == 1 else 'two columns'} "
                    f"in {part}",
                    f"a name a column; {INTERCEPT} is the intercept's",
                    f"rename the data column that gives {name!r}",
                )
            )


def check_varies(what: str, column: Array, step: str) -> None:
    """Raise `DataError` for a column that is constant, up to rounding.

    Parameters
    ----------
    what
        The column, in words.
    column
        Its values.
    step
        What to do.
    """
    spread = float(np.ptp(column))
    if spread <= ROUNDING * np.abs(column).max():
        raise DataError(
            message(f"{what} is constant ({column[0]:g} in every row)", "values that vary", step)
        )
    if spread < SMALLEST:
        raise DataError(
            message(
                f"{what} takes values within {spread:g} of each other",
                f"a range of more than {SMALLEST:g}",
                "change the unit of measurement",
            )
        )


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
        the others, or there are more columns than rows.
    """
    for name, column in zip(columns, matrix.T, strict=True):
        if name != INTERCEPT:
            step = f"remove {name!r}; a constant is the intercept, written 1"
            check_varies(f"{name!r} in {part}", column, step)
    n, p = matrix.shape
    if p > n:
        raise DataError(
            message(f"{p} columns in {part}, and {n} rows", "fewer columns than rows", "drop terms")
        )
    found = dependence(matrix, INTERCEPT in columns)
    if found is not None:
        k, others = found
        listed = " + ".join(f"{weight:.4g} {columns[j]}" for j, weight in others[:SHOWN])
        listed = listed.replace("+ -", "- ") + (" + …" if len(others) > SHOWN else "")
        raise DataError(
            message(
                f"{columns[k]!r} is an exact combination of other columns in {part}: {listed}",
                "linearly independent columns",
                f"remove {columns[k]!r} or one of the others{spline_hint(columns[k])}",
            )
        )


def spline_hint(column: str) -> str:
    """Return what makes a natural or cyclic spline independent of the intercept."""
    if not column.startswith(("cr(", "cc(", "cs(")) or "constraints" in column:
        return ""
    return "; beside an intercept write the spline with constraints='center'"


def dependence(matrix: Array, intercept: bool) -> tuple[int, list[tuple[int, float]]] | None:
    """Return a column that depends on the columns before it, with its weights, or None.

    Parameters
    ----------
    matrix
        Shape (N, p), p <= N.
    intercept
        Whether one of the columns is constant. The others are then centred: what they share
        with it says nothing about what tells them apart.
    """
    length = np.linalg.norm(matrix, axis=0)
    varying = np.ptp(matrix, axis=0) > 0
    part = np.where(varying, matrix - matrix.mean(axis=0), matrix) if intercept else matrix
    kept = np.linalg.norm(part, axis=0)
    with np.errstate(divide="ignore"):
        least = np.maximum(DEPENDENT, ROUNDING * length / kept)
    triangle = np.abs(np.diag(np.linalg.qr(part / kept, mode="r")))
    dependent = np.flatnonzero(triangle <= least)
    if not dependent.size:
        return None
    k = int(dependent[0])
    unit = matrix[:, :k] / length[:k]
    share = np.linalg.lstsq(unit, matrix[:, k], rcond=None)[0]
    large = np.flatnonzero(np.abs(share) > 1e-6 * np.abs(share).max(initial=0.0))
    return k, [(int(j), float(share[j] / length[j])) for j in large]


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
        f"{spread:.3g}): the random intercept is an extrapolation to 0, nearly the opposite of "
        f"the slope, which the default priors of its SD and correlation do not expect, so that "
        f"slopes and standard errors can come out wrong. Write grand({name}) or "
        f"within({name}, {group})."
    )
