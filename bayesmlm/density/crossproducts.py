"""One pass over the rows: what a Gaussian likelihood needs of the data.

Columns of X and of each Z are first put on orthonormal coordinates and the response is
taken relative to its least-squares fit, so that data far from zero lose no digits. The
likelihood is the same: Z L = (Z C⁻¹)(C L).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design import Design

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Columns:
    """The data of a Gaussian model in orthonormal coordinates.

    Parameters
    ----------
    y
        Weighted response less its least-squares fit, shape (N,).
    X
        Weighted orthonormal fixed columns, shape (N, p).
    Z
        Weighted effect columns, one array of shape (N, q) a grouping, orthonormal up to
        sqrt(N).
    start
        Least-squares coefficients in the user's coordinates, shape (p,).
    to_X, to_Z
        C such that X_user = X C, and one such matrix a grouping.
    n
        Number of rows, or the total weight where weights raise the likelihood to a power.
    log_weight
        Sum of log precisions (weighted).
    """

    y: Array
    X: Array
    Z: tuple[Array, ...]
    start: Array
    to_X: Array
    to_Z: tuple[Array, ...]
    n: float
    log_weight: float


def columns(design: Design) -> Columns:
    """Weight, whiten and centre the columns of a Gaussian design."""
    rows = design.outcome.rows
    precision = (
        1 / rows["se"] ** 2 if "se" in rows else rows.get("precision", np.ones(len(design.y)))
    )
    power = rows.get("weights", np.ones(len(design.y)))
    root = np.sqrt(precision * power)
    X, to_X = orthonormal(design.X * root[:, None], 1.0)
    y = (design.y - design.offset) * root
    projected = X.T @ y
    residual = y - X @ projected
    again = X.T @ residual
    residual = residual - X @ again
    start = np.linalg.solve(to_X, projected + again) if X.shape[1] else np.empty(0)
    pairs = [orthonormal(block.Z * root[:, None], np.sqrt(len(y))) for block in design.random]
    return Columns(
        y=residual,
        X=X,
        Z=tuple(Z for Z, _ in pairs),
        start=start,
        to_X=to_X,
        to_Z=tuple(C for _, C in pairs),
        n=float(power.sum()),
        log_weight=float((power * np.log(precision)).sum()),
    )


def orthonormal(matrix: Array, length: float) -> tuple[Array, Array]:
    """Return Q, C with matrix = Q C, the columns of Q orthogonal and of one length."""
    if matrix.shape[1] == 0:
        return matrix, np.empty((0, 0))
    Q, R = np.linalg.qr(matrix)
    return Q * length, R / length


def by_group(left: Array, right: Array, codes: NDArray[np.int64], size: int) -> Array:
    """Return, per group, left' right of its rows; shape (size, a, b)."""
    out = np.empty((size, left.shape[1], right.shape[1]))
    for a in range(left.shape[1]):
        for b in range(right.shape[1]):
            out[:, a, b] = np.bincount(codes, left[:, a] * right[:, b], size)
    return out
