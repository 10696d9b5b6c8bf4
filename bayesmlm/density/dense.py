"""Cholesky factor of a dense symmetric matrix, in place, without an exception."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def dot(left, right):
    """Return left'right."""
    total = 0.0
    for c in range(len(left)):
        total += left[c] * right[c]
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def factor(A):
    """Replace the lower triangle of A by its Cholesky factor; gives log|A|, or NaN."""
    log_det = 0.0
    for a in range(len(A)):
        for b in range(a):
            A[a, b] = (A[a, b] - dot(A[a, :b], A[b, :b])) / A[b, b]
        left = A[a, a] - dot(A[a, :a], A[a, :a])
        if not left > 0.0:
            return np.nan
        A[a, a] = np.sqrt(left)
        log_det += np.log(left)
    return log_det


@njit(cache=True, nogil=True, error_model="numpy")
def forward(C, value):
    """Replace value by C⁻¹ value, C lower triangular."""
    for a in range(len(value)):
        value[a] = (value[a] - dot(C[a, :a], value[:a])) / C[a, a]


@njit(cache=True, nogil=True, error_model="numpy")
def backward(C, value):
    """Replace value by C'⁻¹ value, C lower triangular."""
    for a in range(len(value) - 1, -1, -1):
        value[a] /= C[a, a]
        for b in range(a):
            value[b] -= C[a, b] * value[a]
