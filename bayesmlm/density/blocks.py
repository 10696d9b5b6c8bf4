"""Small dense blocks in place: factor, solve, invert.

A block lies in a flat array from `at` on, q rows of D entries: [A | rest], A symmetric and
given by its upper triangle. Factored it is [R | R'⁻¹ rest] with A = R'R, R upper triangular.
Inner loops run along the rows, so that the compiler vectorises them where they are long;
their indices are unsigned, because a signed one is tested for counting from the end.
"""

from __future__ import annotations

import numpy as np
from numba import njit, uint64


@njit(cache=True, nogil=True, error_model="numpy")
def factor_rows(M, at, q, D):
    """Factor a block in place; return log|R|, NaN where A is not positive definite."""
    log_det = 0.0
    for a in range(q):
        row = at + a * D
        for c in range(a):
            above = at + c * D
            factor = M[above + a]
            for k in range(a, D):
                M[uint64(row + k)] -= factor * M[uint64(above + k)]
        if not M[row + a] > 0.0:
            return np.nan
        root = np.sqrt(M[row + a])
        log_det += np.log(root)
        M[row + a] = root
        inverse = 1.0 / root
        for k in range(a + 1, D):
            M[uint64(row + k)] *= inverse
    return log_det


@njit(cache=True, nogil=True, error_model="numpy")
def solve_vector(M, at, q, D, value):
    """Replace value by R⁻¹ value."""
    for a in range(q - 1, -1, -1):
        row = at + a * D
        total = value[a]
        for c in range(a + 1, q):
            total -= M[row + c] * value[c]
        value[a] = total / M[row + a]


@njit(cache=True, nogil=True, error_model="numpy")
def solve_rows(M, at, q, D):
    """Replace the rest of a factored block by R⁻¹ of it, which is A⁻¹ of what it was."""
    for a in range(q - 1, -1, -1):
        row = at + a * D
        for c in range(a + 1, q):
            below = at + c * D
            factor = M[row + c]
            for k in range(q, D):
                M[uint64(row + k)] -= factor * M[uint64(below + k)]
        inverse = 1.0 / M[row + a]
        for k in range(q, D):
            M[uint64(row + k)] *= inverse


@njit(cache=True, nogil=True, error_model="numpy")
def invert_factored(M, at, q, D, root, out):
    """Set out to A⁻¹ of a factored block, flat; `root`, of q² entries, is overwritten."""
    for a in range(q - 1, -1, -1):
        row = at + a * D
        inverse = 1.0 / M[row + a]
        for b in range(a + 1, q):
            total = 0.0
            for c in range(a + 1, b + 1):
                total -= M[row + c] * root[c * q + b]
            root[a * q + b] = total * inverse
        root[a * q + a] = inverse
    for a in range(q):
        for b in range(a, q):
            total = 0.0
            for c in range(b, q):
                total += root[a * q + c] * root[b * q + c]
            out[a * q + b] = total
            out[b * q + a] = total
