"""Kernel that draws the effects of the leading grouping given all others, group by group.

With A = G'Z_j'Z_j G / sigma² + I = R'R, r_j = Z_j'(y - X beta - the other effects), and noise
e, the effects of group j are u_j = L R⁻¹ (R'⁻¹ G' r_j / sigma² + e).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from bayesmlm.density.blocks import factor_rows, solve_vector


@njit(cache=True, nogil=True, error_model="numpy")
def draw_group(own, G, sigma, factors, first_draw, order, left, out):
    """Draw the effects of one group; see `draw_range`. `left` is r_j of every draw, (q, S)."""
    q = own.shape[0]
    half, M, value = np.empty((q, q)), np.empty(q * q), np.empty(q)
    for u in range(len(sigma)):
        inverse = 1.0 / (sigma[u] * sigma[u])
        for a in range(q):
            for c in range(q):
                half[a, c] = 0.0
                for b in range(q):
                    half[a, c] += G[u, b, a] * own[b, c]
        for a in range(q):
            for c in range(q):
                total = 0.0
                for b in range(q):
                    total += half[a, b] * G[u, b, c]
                M[a * q + c] = total * inverse + (1.0 if a == c else 0.0)
        factor_rows(M, 0, q, q)
        for i in range(first_draw[u], first_draw[u + 1]):
            s = order[i]
            for a in range(q):
                total = 0.0
                for b in range(q):
                    total += G[u, b, a] * left[b, s]
                total *= inverse
                for b in range(a):
                    total -= M[b * q + a] * value[b]
                value[a] = total / M[a * q + a]
            for a in range(q):
                value[a] += out[a, s]
            solve_vector(M, 0, q, q, value)
            for a in range(q):
                total = 0.0
                for b in range(q):
                    total += factors[u, a, b] * value[b]
                out[a, s] = total


@njit(cache=True, nogil=True, error_model="numpy")
def draw_range(
    start,
    stop,
    own,
    fixed,
    pointers,
    columns,
    values,
    G,
    sigma,
    factors,
    first_draw,
    order,
    beta,
    others,
    out,
):
    """Replace noise by effects in groups `start` to `stop`.

    Parameters
    ----------
    G, sigma, factors
        Scales of the U distinct hyperparameter vectors, the kernel's G and the user's L;
        shapes (U, q, q), (U,) and (U, q, q).
    first_draw, order
        Draws ``order[first_draw[u]:first_draw[u + 1]]`` are of vector u.
    beta, others
        Fixed effects and other effects in the coordinates of their columns, shapes (p, S)
        and (m, S).
    out
        Standard normal noise, shape (J, q, S).
    """
    _, q, S = out.shape
    p = beta.shape[0]
    left = np.empty((q, S))
    for j in range(start, stop):
        for a in range(q):
            left[a] = fixed[j, a, p]
            for c in range(p):
                weight = fixed[j, a, c]
                for s in range(S):
                    left[a, s] -= weight * beta[c, s]
            for t in range(pointers[j], pointers[j + 1]):
                weight = values[t, a]
                column = columns[t]
                for s in range(S):
                    left[a, s] -= weight * others[column, s]
        draw_group(own[j], G, sigma, factors, first_draw, order, left, out[j])
