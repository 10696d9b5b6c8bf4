"""Adaptive Gauss-Hermite quadrature over the effects of one grouping, compiled.

With standard effects v of a group, v_k = v + M x_k about its mode v, M M' the inverse of the
curvature H there, and nodes x_k of the standard normal distribution,

    log p(y_j) = log|M| + log sum_k exp(c_k + h(v_k)).

References
----------
Liu & Pierce (1994), doi:10.1093/biomet/81.3.624; Pinheiro & Bates (1995),
doi:10.1080/10618600.1995.10474663.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from bayesmlm.density.chunks import (
    add_groups,
    fixed_part,
    most,
    part,
    place,
    predict,
    private,
    room,
    scale_columns,
    until,
)
from bayesmlm.density.group_mode import CLOSE, find_modes
from bayesmlm.families.rows import densities
from bayesmlm.families.special import exponential


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def share_nodes(h, log_weights, G, best, mass):
    """Return sum_g log sum_k exp(log_weights[k] + h[k, g]), h made each node's share.

    Parameters
    ----------
    h
        Shape (K, at least G).
    log_weights
        Shape (K,).
    best, mass
        Room to work in, shape (at least G,).
    """
    best[:G] = -np.inf
    mass[:G] = 0.0
    for k in range(len(h)):
        for g in range(G):
            h[k, g] += log_weights[k]
            best[g] = max(best[g], h[k, g])
    for k in range(len(h)):
        for g in range(G):
            h[k, g] = exponential(h[k, g] - best[g])
            mass[g] += h[k, g]
    total = 0.0
    for g in range(G):
        total += best[g] + np.log(mass[g])
        mass[g] = 1.0 / mass[g]
    for k in range(len(h)):
        for g in range(G):
            h[k, g] *= mass[g]
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def log_likelihood(base, T, others, rows, starts, rule, v):
    """Return the log likelihood; v, shape (J, q), is moved to the modes."""
    nodes, log_weights = rule
    (K, q), J = nodes.shape, len(starts) - 1
    limit = most(K)
    found = room(starts, limit, q)
    M, log_M, eta, slopes = found[0], found[1], found[2], found[3]
    at, h, best = np.empty((len(M), q)), np.empty((K, len(M))), np.empty(len(M))
    result, j = 0.0, 0
    while j < J:
        last = until(starts, j, limit)
        a, b, G = starts[j], starts[last], last - j
        bounds, n = starts[j : last + 1], b - a
        own = part(rows, a, b)
        code, y, known, weights = own
        find_modes(own, base, T, others, bounds, v[j:last], CLOSE, found)
        for k in range(K):
            place(v[j:last], M, nodes[k], at, h[k])
            predict(base, T, bounds, at, eta)
            densities(code, y, eta[:n], others, known, weights, slopes[0, :n], slopes[1:, :n])
            add_groups(slopes[0], bounds, h[k, :G])
        result += log_M[:G].sum() + share_nodes(h, log_weights, G, found[5], best)
        j = last
    return result


@njit(cache=True, nogil=True, error_model="numpy")
def evaluate(
    first, last, beta, G, others, offset, X, Z, rows, starts, rule, modes, values
):  # fmt: skip
    """Set the log likelihood of parameter vectors first to last of S.

    Parameters
    ----------
    beta, G, others
        Shapes (S, p), (S, q, q) and (S, K).
    modes
        Where the search for the modes begins, shape (J, q).
    values
        Set, shape (S,).
    """
    N, q = len(offset), Z.shape[1]
    base, T, v, own = np.empty(N), np.empty((q, N)), np.empty(modes.shape), private(rows)
    for s in range(first, last):
        v[:] = modes
        fixed_part(offset, X, beta[s], base)
        scale_columns(Z, G[s], T)
        further = others[s].copy().reshape(-1, 1)
        values[s] = log_likelihood(base, T, further, own, starts, rule, v)
