"""In what order sparse columns are eliminated, and which entries that fills.

Columns are eliminated in an order of least degree. The first ones stay sparse; from some
column on, what remains is filled enough that a dense factor by LAPACK is quicker.

References
----------
Davis (2006), Direct Methods for Sparse Linear Systems, doi:10.1137/1.9780898718881,
chapters 4 and 7.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]

DENSE_FROM_START = 500
"""Columns up to which nothing is gained by sparsity."""

DENSE_SHARE = 0.25
"""Share of entries from which no order keeps much of a matrix sparse."""

DENSE_LIMIT = 6000
"""Columns that may remain for a dense factor; more take too much time and memory."""

FILL_LIMIT = 100_000_000
"""Entries of the sparse columns that are stored; 0.8 GB a thread."""

SPARSE_COST, DENSE_COST = 1e-9, 1.2e-11
"""Seconds a multiplication in a sparse column, and, by LAPACK, a third of a cube's entry."""


class Elimination(NamedTuple):
    """The pattern of a factor: sparse columns first, then a dense square.

    Parameters
    ----------
    place
        Position of each of the n columns in the order of elimination, shape (n,).
    pointers, rows
        Rows of each of the s sparse columns, the diagonal first, ascending; column j's are
        from ``pointers[j]`` to ``pointers[j + 1]``. Values lie likewise, and those of the
        dense square follow, row by row.
    dense_from
        Where the rows of the dense square begin in each sparse column, shape (s,).
    left_pointers, left
        Entries left of the diagonal in each sparse row: where each lies among `rows`.
    """

    place: Ints
    pointers: Ints
    rows: Ints
    dense_from: Ints
    left_pointers: Ints
    left: Ints

    @property
    def n_sparse(self) -> int:
        """Number of sparse columns."""
        return len(self.dense_from)

    @property
    def n_dense(self) -> int:
        """Order of the dense square."""
        return len(self.place) - self.n_sparse

    @property
    def multiplications(self) -> float:
        """Rough number of multiplications of a factor, in those of a dense one."""
        counts = np.diff(self.pointers).astype(float)
        slower = 0.5 * SPARSE_COST / DENSE_COST / 3
        return self.n_dense**3 / 3 + slower * float((counts**2).sum())

    def positions(self, one: Any, other: Any) -> Ints:
        """Return where the values of pairs of columns lie, either column first."""
        n, s, m = len(self.place), self.n_sparse, self.n_dense
        first, second = self.place[one], self.place[other]
        column, row = np.minimum(first, second), np.maximum(first, second)
        found = len(self.rows) + (column - s) * m + row - s
        if s:
            of_rows = np.repeat(np.arange(s), np.diff(self.pointers))
            keys = of_rows * n + self.rows
            sparse = column < s
            found[sparse] = np.searchsorted(keys, column[sparse] * n + row[sparse])
        return np.asarray(found, dtype=np.int64)


def dense_elimination(n: int) -> Elimination:
    """Return the pattern without sparse columns."""
    none = np.empty(0, dtype=np.int64)
    start = np.zeros(1, dtype=np.int64)
    return Elimination(np.arange(n), start, none, none, start, none)


def elimination(pattern: Any, sparse_columns: int | None = None) -> Elimination | None:
    """Return the order of elimination of a symmetric matrix, None where it fills too much.

    Parameters
    ----------
    pattern
        A SciPy sparse matrix, shape (n, n), with an entry wherever the matrix may have one.
    sparse_columns
        Number of sparse columns; None takes the quickest.
    """
    n = pattern.shape[0]
    full = n <= DENSE_LIMIT and pattern.nnz > DENSE_SHARE * n**2
    if sparse_columns is None and (full or n <= DENSE_FROM_START):
        return dense_elimination(n)
    place = least_degree(pattern)
    ordered = pattern.tocoo()
    rows, columns = place[ordered.row], place[ordered.col]
    lower = rows > columns
    order = np.lexsort((columns[lower], rows[lower]))
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows[lower], minlength=n))])
    starts, indices = starts.astype(np.int64), columns[lower][order].astype(np.int64)
    counts = column_counts(starts, indices, n)
    s = cut(counts) if sparse_columns is None else sparse_columns
    if s is None or counts[:s].sum() > FILL_LIMIT:
        return None
    if s == 0:
        return dense_elimination(n)
    pointers = np.concatenate([[0], np.cumsum(counts[:s])]).astype(np.int64)
    return Elimination(place, pointers, *filled(starts, indices, pointers, n))


def least_degree(pattern: Any) -> Ints:
    """Return the position of each column in an order of minimum degree, by SuperLU."""
    from scipy import sparse
    from scipy.sparse.linalg import spilu

    matrix = sparse.csc_matrix(pattern, copy=True).astype(np.float64)
    matrix.data[:] = -1.0
    heavy = sparse.diags(np.diff(matrix.indptr) + 2.0)
    # All but the order is thrown away, so an incomplete factor without fill is enough.
    factor = spilu(
        (matrix + heavy).tocsc(),
        drop_tol=1.0,
        fill_factor=1.0,
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    return np.asarray(factor.perm_c, dtype=np.int64)


def cut(counts: Ints) -> int | None:
    """Return how many columns are best sparse, None where too many would be dense."""
    n = len(counts)
    remaining = n - np.arange(n + 1.0)
    sparse = np.concatenate([[0.0], np.cumsum(0.5 * counts.astype(float) ** 2)])
    cost = SPARSE_COST * sparse + DENSE_COST * remaining**3
    # What is remaining**2 is allocated and cleared.
    cost += SPARSE_COST * remaining**2
    cost[remaining > DENSE_LIMIT] = np.inf
    best = int(np.argmin(cost))
    return best if counts[:best].sum() <= FILL_LIMIT else None


@njit(cache=True, nogil=True)
def column_counts(starts, indices, n):
    """Return the number of entries of each column of the factor, the diagonal included."""
    parent, mark = np.full(n, -1), np.full(n, -1)
    counts = np.ones(n, dtype=np.int64)
    for i in range(n):
        mark[i] = i
        for t in range(starts[i], starts[i + 1]):
            k = indices[t]
            while mark[k] != i:
                if parent[k] < 0:
                    parent[k] = i
                counts[k] += 1
                mark[k] = i
                k = parent[k]
    return counts


@njit(cache=True, nogil=True)
def filled(starts, indices, pointers, n):
    """Return `rows`, `dense_from`, `left_pointers` and `left` of `Elimination`."""
    s = len(pointers) - 1
    parent, mark = np.full(n, -1), np.full(n, -1)
    rows = np.empty(pointers[s], dtype=np.int64)
    left = np.empty(pointers[s] - s, dtype=np.int64)
    left_pointers = np.zeros(s + 1, dtype=np.int64)
    free, dense_from = pointers[:s].copy(), pointers[1:].copy()
    at = 0
    for i in range(n):
        mark[i] = i
        if i == s:
            dense_from[:] = free
        if i < s:
            rows[free[i]] = i
            free[i] += 1
        for t in range(starts[i], starts[i + 1]):
            k = indices[t]
            while mark[k] != i:
                if parent[k] < 0:
                    parent[k] = i
                if k < s:
                    rows[free[k]] = i
                    if i < s:
                        left[at] = free[k]
                        at += 1
                    free[k] += 1
                mark[k] = i
                k = parent[k]
        if i < s:
            left_pointers[i + 1] = at
    return rows, dense_from, left_pointers, left[:at].copy()
