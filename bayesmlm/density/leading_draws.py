"""Kernel that draws the effects of the leading grouping given all others, group by group.

With A = G'Z_j'Z_j G / sigma² + I = U'DU, r_j = Z_j'(y - X beta - the other effects), and noise
e, the effects of group j are u_j = L U⁻¹ (D⁻¹ U'⁻¹ G' r_j / sigma² + D^(-1/2) e). Several draws
are made side by side, as in `bayesmlm.density.lanes`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from bayesmlm.density.lanes import LANES, scaled_block

TILE = 16
"""Groups drawn in turn by one reading of the scales."""


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def draw_block(M, U, pivots, h, e):
    """Replace e by U⁻¹ (D⁻¹ U'⁻¹ h + D^(-1/2) e).

    Parameters
    ----------
    M
        A, upper triangle, shape (q, q, n); overwritten.
    U, pivots
        Work space for the factors, shapes (q, q, n) and (q, n).
    h, e
        Shape (q, n); h is overwritten.
    """
    q, n = h.shape
    for a in range(q):
        for lane in range(n):
            pivots[a, lane] = 1.0 / M[a, a, lane]
        for c in range(a + 1, q):
            for lane in range(n):
                U[a, c, lane] = M[a, c, lane] * pivots[a, lane]
            for d in range(c, q):
                for lane in range(n):
                    M[c, d, lane] -= U[a, c, lane] * M[a, d, lane]
            for lane in range(n):
                h[c, lane] -= U[a, c, lane] * h[a, lane]
    for a in range(q - 1, -1, -1):
        for lane in range(n):
            inverse = pivots[a, lane]
            e[a, lane] = inverse * h[a, lane] + np.sqrt(inverse) * e[a, lane]
        for c in range(a + 1, q):
            for lane in range(n):
                e[a, lane] -= U[a, c, lane] * e[c, lane]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def subtract(weight, values, left):
    """Subtract `weight` times values from `left`."""
    for lane in range(len(left)):
        left[lane] -= weight * values[lane]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def draw_tile(
    first, last, start, stop, own, fixed, pointers, columns, values, scales, inverse, factors, beta,
    others, out,
):  # fmt: skip
    """Replace noise by effects: groups `first` to `last`, draws `start` to `stop`.

    Parameters
    ----------
    scales, inverse, factors
        G / sigma, 1 / sigma and L of the draws, shapes (q, q, n), (n,), (q, q, n).
    own, fixed, pointers, columns, values, beta, others, out
        As of `draw_range`.
    """
    q, p, n = len(scales), len(beta), stop - start
    M, U = np.empty((q, q, n)), np.empty((q, q, n))
    half, pivots = np.empty((q, n)), np.empty((q, n))
    h, e, rest = np.empty((q, n)), np.empty((q, n)), np.empty((q, 0, n))
    left = np.empty((q, n))
    for j in range(first, last):
        scaled_block(own[j], scales, half, M, rest)
        for a in range(q):
            left[a] = fixed[j, a, p]
            for c in range(p):
                subtract(fixed[j, a, c], beta[c, start:stop], left[a])
            for t in range(pointers[j], pointers[j + 1]):
                subtract(values[t, a], others[columns[t], start:stop], left[a])
            for lane in range(n):
                e[a, lane] = out[j, a, start + lane]
        for a in range(q):
            h[a] = 0.0
            for b in range(q):
                for lane in range(n):
                    h[a, lane] += scales[b, a, lane] * left[b, lane]
            for lane in range(n):
                h[a, lane] *= inverse[lane]
        draw_block(M, U, pivots, h, e)
        for a in range(q):
            half[a] = 0.0
            for b in range(q):
                for lane in range(n):
                    half[a, lane] += factors[a, b, lane] * e[b, lane]
            for lane in range(n):
                out[j, a, start + lane] = half[a, lane]


@njit(cache=True, nogil=True, error_model="numpy")
def draw_range(
    first, last, own, fixed, pointers, columns, values, G, sigma, L, beta, others, out
):  # fmt: skip
    """Replace noise by effects in groups `first` to `last`.

    Parameters
    ----------
    own, fixed
        Cross-products of each group with its own columns, and with the fixed columns and the
        response; shapes (J, q, q) and (J, q, p + 1).
    pointers, columns, values
        Those with other effects: entries ``pointers[j]`` to ``pointers[j + 1]`` of group j, the
        columns they are of, and q values each.
    G, sigma, L
        Scales of the draws, the kernel's and the user's, shapes (S, q, q), (S,) and (S, q, q).
    beta, others
        Fixed effects and other effects in the coordinates of their columns, shapes (p, S)
        and (m, S).
    out
        Standard normal noise, shape (J, q, S).
    """
    _, q, S = out.shape
    for tile in range(first, last, TILE):
        for start in range(0, S, LANES):
            stop = min(start + LANES, S)
            n = stop - start
            scales, factors = np.empty((q, q, n)), np.empty((q, q, n))
            inverse = np.empty(n)
            for lane in range(n):
                s = start + lane
                inverse[lane] = 1.0 / sigma[s]
                for a in range(q):
                    for b in range(q):
                        scales[a, b, lane] = G[s, a, b] / sigma[s]
                        factors[a, b, lane] = L[s, a, b]
            draw_tile(
                tile, min(tile + TILE, last), start, stop, own, fixed, pointers, columns, values,
                scales, inverse, factors, beta, others, out,
            )  # fmt: skip
