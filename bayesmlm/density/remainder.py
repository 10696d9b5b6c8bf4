"""Factor, solve and invert what remains after the leading grouping: see `Elimination`.

Values are flat: of the sparse columns, then of the dense square; A = R'R throughout, the
sparse columns holding rows of R.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from bayesmlm.density import lapack


@njit(cache=True, nogil=True, error_model="numpy")
def factor(H, shape):
    """Factor in place; return log|R|, NaN where the matrix is not positive definite."""
    pointers, rows, left = shape.pointers, shape.rows, shape.left
    n, s = len(shape.place), len(shape.dense_from)
    m, square = n - s, len(rows)
    values = np.zeros(n)
    column_of = np.empty(len(rows), dtype=np.int64)
    log_det = 0.0
    for j in range(s):
        first, last = pointers[j], pointers[j + 1]
        for t in range(first, last):
            values[rows[t]] = H[t]
            column_of[t] = j
        for e in range(shape.left_pointers[j], shape.left_pointers[j + 1]):
            start = left[e]
            known = H[start]
            for t in range(start, pointers[column_of[start] + 1]):
                values[rows[t]] -= known * H[t]
        if not values[j] > 0.0:
            return np.nan
        root = np.sqrt(values[j])
        log_det += np.log(root)
        H[first] = root
        for t in range(first + 1, last):
            H[t] = values[rows[t]] / root
        for t in range(shape.dense_from[j], last):
            known = H[t]
            row = square + (rows[t] - s) * m - s
            for u in range(t, last):
                H[row + rows[u]] -= known * H[u]
    if not lapack.factor(H, square, m):
        return np.nan
    for r in range(m):
        log_det += np.log(H[square + r * m + r])
    return log_det


@njit(cache=True, nogil=True, error_model="numpy")
def solve_transposed(H, shape, values):
    """Replace each row of `values`, in the order of elimination, by R'⁻¹ of it."""
    s = len(shape.dense_from)
    for k in range(len(values)):
        for j in range(s):
            first = shape.pointers[j]
            known = values[k, j] / H[first]
            values[k, j] = known
            for t in range(first + 1, shape.pointers[j + 1]):
                values[k, shape.rows[t]] -= known * H[t]
    lapack.solve(H, len(shape.rows), len(shape.place) - s, values, s, True)


@njit(cache=True, nogil=True, error_model="numpy")
def solve(H, shape, values):
    """Replace each row of `values`, in the order of elimination, by R⁻¹ of it."""
    s = len(shape.dense_from)
    lapack.solve(H, len(shape.rows), len(shape.place) - s, values, s, False)
    for k in range(len(values)):
        for j in range(s - 1, -1, -1):
            first = shape.pointers[j]
            total = values[k, j]
            for t in range(first + 1, shape.pointers[j + 1]):
                total -= H[t] * values[k, shape.rows[t]]
            values[k, j] = total / H[first]


@njit(cache=True, nogil=True, error_model="numpy")
def invert(H, shape):
    """Replace a factor by the entries of A⁻¹ where the factor has any.

    The dense square is inverted whole; the sparse columns follow from the last to the first
    by the equations of Takahashi.

    References
    ----------
    Erisman & Tinney (1975), Communications of the ACM 18, 177–179, doi:10.1145/360680.360704.
    """
    pointers, rows = shape.pointers, shape.rows
    s = len(shape.dense_from)
    m, square = len(shape.place) - s, len(rows)
    lapack.invert(H, square, m)
    slot = np.full(len(shape.place), -1)
    total = np.empty(len(shape.place))
    for j in range(s - 1, -1, -1):
        first, last = pointers[j], pointers[j + 1]
        for t in range(first + 1, last):
            slot[rows[t]] = t
            total[t - first] = 0.0
        for t in range(first + 1, last):
            k = rows[t]
            if k < s:
                total[t - first] += H[t] * H[pointers[k]]
                for e in range(pointers[k] + 1, pointers[k + 1]):
                    u = slot[rows[e]]
                    if u >= 0:
                        total[u - first] += H[t] * H[e]
                        total[t - first] += H[u] * H[e]
            else:
                row = square + (k - s) * m - s
                total[t - first] += H[t] * H[row + k]
                for u in range(t + 1, last):
                    shared = H[row + rows[u]]
                    total[u - first] += H[t] * shared
                    total[t - first] += H[u] * shared
        inverse = 1.0 / H[first]
        diagonal = inverse * inverse
        for t in range(first + 1, last):
            value = -total[t - first] * inverse
            diagonal -= H[t] * value * inverse
            total[t - first] = value
            slot[rows[t]] = -1
        H[first] = diagonal
        for t in range(first + 1, last):
            H[t] = total[t - first]
