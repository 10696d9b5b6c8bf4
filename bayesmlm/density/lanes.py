"""Kernel for one grouping, several hyperparameter vectors side by side.

The blocks of one grouping are too small for vector instructions to work along their rows; the
same operation on the blocks of many hyperparameter vectors is what they do at once. The last
axis of an array is that of the vectors. Blocks are factored as A = U'DU, U with a unit diagonal,
which takes no square roots.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bayesmlm.density.threads import spread
from bayesmlm.families.special import logarithm

Array = NDArray[np.float64]

LANES = 64
"""Vectors side by side at most: so many that their arrays stay in the first cache."""

FEWEST = 8
"""Vectors from which this is quicker than one after the other."""

LARGEST = 1e300
"""Product of pivots from which it is taken for overflow."""


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def scaled_block(own, G, half, M, rest):
    """Set A = G'ZG + I, its upper triangle, and G' of the rest of the group's rows.

    Parameters
    ----------
    own
        Cross-products of the group, its own columns first, shape (q, D).
    G
        Scales divided by sigma, shape (q, q, n).
    half
        Work space, shape (q, n).
    M, rest
        Set, shapes (q, q, n) and (q, D - q, n).
    """
    (q, D), n = own.shape, half.shape[1]
    for a in range(q):
        half[:] = 0.0
        for b in range(q):
            for c in range(q):
                x = own[b, c]
                for lane in range(n):
                    half[c, lane] += G[b, a, lane] * x
        for c in range(a, q):
            one = 1.0 if a == c else 0.0
            for lane in range(n):
                M[a, c, lane] = one
            for b in range(q):
                for lane in range(n):
                    M[a, c, lane] += half[b, lane] * G[b, c, lane]
        for c in range(D - q):
            for lane in range(n):
                rest[a, c, lane] = 0.0
            for b in range(q):
                x = own[b, q + c]
                for lane in range(n):
                    rest[a, c, lane] += G[b, a, lane] * x


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def eliminate(own, first, last, G, log_det, top):
    """Eliminate the effects of groups `first` to `last`.

    Parameters
    ----------
    own
        Cross-products of all groups, shape (J, q, D).
    G
        Scales divided by sigma, shape (q, q, n).
    log_det, top
        Log determinant of the groups' random part, shape (n,), and sigma² times what they take
        from the fixed part and response, upper triangle, shape (D - q, D - q, n): added to.
    """
    _, q, D = own.shape
    width, n = D - q, len(log_det)
    half, M = np.empty((q, n)), np.empty((q, q, n))
    rest = np.empty((q, width, n))
    inverse, factor, product = np.empty(n), np.empty(n), np.empty(n)
    for j in range(first, last):
        scaled_block(own[j], G, half, M, rest)
        product[:] = 1.0
        for a in range(q):
            for lane in range(n):
                pivot = M[a, a, lane]
                product[lane] *= pivot if pivot > 0.0 else np.nan
                inverse[lane] = 1.0 / pivot
            for c in range(a + 1, q):
                for lane in range(n):
                    factor[lane] = M[a, c, lane] * inverse[lane]
                for d in range(c, q):
                    for lane in range(n):
                        M[c, d, lane] -= factor[lane] * M[a, d, lane]
                for d in range(width):
                    for lane in range(n):
                        rest[c, d, lane] -= factor[lane] * rest[a, d, lane]
            for c in range(width):
                for lane in range(n):
                    factor[lane] = rest[a, c, lane] * inverse[lane]
                for d in range(c, width):
                    for lane in range(n):
                        top[c, d, lane] += factor[lane] * rest[a, d, lane]
        for lane in range(n):
            inside = product[lane] < LARGEST
            log_det[lane] += logarithm(product[lane]) if inside else np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def eliminate_range(first, last, own, bounds, G, sigma, logs, tops):
    """Eliminate the effects for tasks `first` to `last`: blocks of vectors times families.

    Parameters
    ----------
    own
        Shape (J, q, D).
    bounds
        First group of each family, shape (F + 1,).
    G, sigma
        Shapes (S, q²) and (S,).
    logs, tops
        Set: half log determinants, shape (S, F), and what families take from the fixed part and
        response, upper triangles, shape (S, F, (D - q)²).
    """
    _, q, D = own.shape
    S, F, width = len(sigma), len(bounds) - 1, D - q
    for task in range(first, last):
        start, f = task // F * LANES, task % F
        n = min(LANES, S - start)
        scales, log_det, top = np.empty((q, q, n)), np.zeros(n), np.zeros((width, width, n))
        for lane in range(n):
            s = start + lane
            for a in range(q):
                for b in range(q):
                    scales[a, b, lane] = G[s, a * q + b] / sigma[s]
        eliminate(own, bounds[f], bounds[f + 1], scales, log_det, top)
        for lane in range(n):
            s = start + lane
            logs[s, f] = 0.5 * log_det[lane]
            for c in range(width):
                for d in range(c, width):
                    tops[s, f, c * width + d] = -top[c, d, lane] / (sigma[s] * sigma[s])


def eliminated(
    work: float, own: Array, bounds: NDArray[np.int64], G: Array, sigma: Array
) -> tuple[Array, Array]:
    """Eliminate the effects for a batch of hyperparameters.

    Parameters
    ----------
    work
        Rough number of multiplications of the batch.
    own, bounds, G, sigma
        As of `eliminate_range`.

    Returns
    -------
    logs, tops
        As of `eliminate_range`.
    """
    S, F, width = len(sigma), len(bounds) - 1, own.shape[2] - own.shape[1]
    logs, tops = np.zeros((S, F)), np.zeros((S, F, width * width))
    blocks = -(-S // LANES)
    spread(eliminate_range, blocks * F, work, own, bounds, G, sigma, logs, tops)
    return logs, tops
