"""Rows of consecutive groups that are worked on together.

Families' kernels take long runs of rows several at a time, and groups may be small; what all
groups need of their rows is computed for a chunk of them at once.
"""

from __future__ import annotations

import numpy as np
from numba import njit

ROWS = 512
"""Rows of a chunk: they fit in the cache nearest to the processor."""

NODES = 16
"""Nodes from which a chunk holds fewer rows."""


@njit(cache=True, nogil=True, error_model="numpy")
def most(K):
    """Return how many rows a chunk may hold, at K nodes a row."""
    return max(ROWS // max(K // NODES, 1), 32)


@njit(cache=True, nogil=True, error_model="numpy")
def until(starts, first, rows):
    """Return the group after the last of the chunk that begins with a group."""
    last = first + 1
    while last < len(starts) - 1 and starts[last + 1] - starts[first] <= rows:
        last += 1
    return last


@njit(cache=True, nogil=True, error_model="numpy")
def largest(starts, rows):
    """Return the numbers of groups and of rows of the largest chunks."""
    groups = n = first = 0
    while first < len(starts) - 1:
        last = until(starts, first, rows)
        groups, n = max(groups, last - first), max(n, starts[last] - starts[first])
        first = last
    return groups, n


@njit(cache=True, nogil=True, error_model="numpy")
def part(rows, a, b):
    """Return code, y, known and weights of some rows."""
    code, y, known, weights = rows
    by_known, by_weight = int(known.shape[1] > 1), int(len(weights) > 1)
    own = known[:, a * by_known : (b - 1) * by_known + 1]
    return code, y[a:b], own, weights[a * by_weight : (b - 1) * by_weight + 1]


@njit(cache=True, nogil=True, error_model="numpy")
def private(rows):
    """Return copies of the rows' arrays for one thread.

    Every slice of an array counts references to it, and threads that share the count wait
    for each other.
    """
    code, y, known, weights = rows
    return code, y.copy(), known.copy(), weights.copy()


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def predict(base, T, bounds, v, eta):
    """Set eta = base + T v, each group with its own row of v.

    Parameters
    ----------
    base, T
        Of all rows, shapes (N,) and (q, N).
    bounds
        First row of each of the chunk's G groups and of the next, shape (G + 1,).
    v
        Shape (G, q).
    eta
        Set, of the chunk's rows, shape (n,).
    """
    first = np.uint64(bounds[0])
    for g in range(len(bounds) - 1):
        # of unsigned whole numbers compilers know that they do not count from the end
        low, high = np.uint64(bounds[g]), np.uint64(bounds[g + 1])
        value = v[g, 0]
        for i in range(low, high):
            eta[i - first] = base[i] + T[0, i] * value
        for a in range(1, len(T)):
            value = v[g, a]
            for i in range(low, high):
                eta[i - first] += T[a, i] * value


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def along(T, a, x, low, high, first):
    """Return sum_i T[a, i] x[i - first] over rows low to high."""
    total = 0.0
    for i in range(np.uint64(low), np.uint64(high)):
        total += T[a, i] * x[i - np.uint64(first)]
    return total


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def across(T, a, b, x, low, high, first):
    """Return sum_i T[a, i] T[b, i] x[i - first] over rows low to high."""
    total = 0.0
    for i in range(np.uint64(low), np.uint64(high)):
        total += T[a, i] * T[b, i] * x[i - np.uint64(first)]
    return total


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def add_groups(value, bounds, out):
    """Add the sum of each group's rows, (n,), to out, (G,)."""
    first = np.uint64(bounds[0])
    for g in range(len(out)):
        total = 0.0
        for i in range(np.uint64(bounds[g]), np.uint64(bounds[g + 1])):
            total += value[i - first]
        out[g] += total


@njit(cache=True, nogil=True, error_model="numpy")
def scale_columns(Z, G, T):
    """Set T, shape (q, N), to the columns of Z G, Z of shape (N, q)."""
    q = Z.shape[1]
    for a in range(q):
        for i in range(len(Z)):
            total = 0.0
            for b in range(q):
                total += Z[i, b] * G[b, a]
            T[a, i] = total


@njit(cache=True, nogil=True, error_model="numpy")
def fixed_part(offset, X, beta, base):
    """Set base = offset + X beta."""
    for i in range(len(offset)):
        total = offset[i]
        for c in range(len(beta)):
            total += X[i, c] * beta[c]
        base[i] = total


@njit(cache=True, nogil=True, error_model="numpy")
def place(v, M, x, out, log_weight):
    """Set out to the node v + M x of each group, and the log weight to less half its square.

    Parameters
    ----------
    v, M
        Shapes (G, q) and (G, q, q), M upper triangular.
    x
        Shape (q,).
    out, log_weight
        Shapes (G, q) and (G,).
    """
    for g in range(len(v)):
        length = 0.0
        for a in range(len(x)):
            total = v[g, a]
            for b in range(a, len(x)):
                total += M[g, a, b] * x[b]
            out[g, a] = total
            length += total * total
        log_weight[g] = -0.5 * length


@njit(cache=True, nogil=True, error_model="numpy")
def room(starts, rows, q):
    """Return room for the search for the modes of a chunk; see `group_mode.find_modes`."""
    G, n = largest(starts, rows)
    return (
        np.empty((G, q, q)),
        np.empty(G),
        np.empty(n),
        np.empty((4, n)),
        np.empty((G, q)),
        np.empty(G),
        np.empty(G, dtype=np.int64),
        np.empty((2 + q, q)),
    )
