"""Small dense blocks in place: factor, solve, invert. Rows are [factor | C⁻¹ rest]."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def factor_rows(M, q):
    """Replace M[:, :q] by its lower Cholesky factor and the rest by C⁻¹ rest; gives log|C|."""
    D = M.shape[1]
    log_det = 0.0
    for a in range(q):
        for b in range(a):
            total = M[a, b]
            for c in range(b):
                total -= M[a, c] * M[b, c]
            M[a, b] = total / M[b, b]
        total = M[a, a]
        for c in range(a):
            total -= M[a, c] * M[a, c]
        if not total > 0.0:
            return np.nan
        M[a, a] = np.sqrt(total)
        log_det += np.log(M[a, a])
        for k in range(q, D):
            total = M[a, k]
            for c in range(a):
                total -= M[a, c] * M[c, k]
            M[a, k] = total / M[a, a]
    return log_det


@njit(cache=True, nogil=True, error_model="numpy")
def solve_transposed(M, q, value):
    """Replace value by C'⁻¹ value, C the lower factor in M[:, :q]."""
    for a in range(q - 1, -1, -1):
        total = value[a]
        for c in range(a + 1, q):
            total -= M[c, a] * value[c]
        value[a] = total / M[a, a]


@njit(cache=True, nogil=True, error_model="numpy")
def solve_columns(M, q, first, K):
    """Set K to C'⁻¹ of the columns of M from `first` on, one for each column of K."""
    value = np.empty(q)
    for k in range(K.shape[1]):
        value[:] = M[:, first + k]
        solve_transposed(M, q, value)
        K[:, k] = value


@njit(cache=True, nogil=True, error_model="numpy")
def inverse_of_factored(M, q):
    """Return (C C')⁻¹, shape (q, q)."""
    inverse = np.empty((q, q))
    value = np.empty(q)
    for k in range(q):
        for a in range(q):
            total = 1.0 if a == k else 0.0
            for b in range(a):
                total -= M[a, b] * value[b]
            value[a] = total / M[a, a]
        solve_transposed(M, q, value)
        inverse[:, k] = value
    return inverse
