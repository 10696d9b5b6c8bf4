"""Adaptive Gauss-Hermite quadrature over the effects of one grouping, compiled.

With standard effects v of a group, v_k = v + M x_k about its mode v, M M' the inverse of the
curvature H there, and nodes x_k of the standard normal distribution,

    log p(y_j) = log|M| + log sum_k exp(c_k + h(v_k)).

The gradient is that of the rule: nodes move with the parameters.

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
    along,
    fixed_part,
    largest,
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
from bayesmlm.families.rows import curvatures, densities
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
def log_likelihood_gradient(base, T, Z, others, rows, starts, rule, v, slope, G_slope):
    """Return the log likelihood, set its slopes in base and in G where T' = Z G.

    Parameters
    ----------
    base, T, Z
        Shapes (N,), (q, N) and (N, q), rows in the order of the groups.
    others
        The family's other parameters, shape (K, 1).
    rows
        Code of the family, y, known, weights; see `families.rows.add_rows`.
    starts
        First row of each group, shape (J + 1,).
    rule
        Nodes (K, q) and log weights (K,).
    v
        Moved to the modes, shape (J, q).
    slope, G_slope
        Set, shapes (N,) and (q, q).
    """
    nodes, log_weights = rule
    (K, q), J = nodes.shape, len(starts) - 1
    limit = most(K)
    found = room(starts, limit, q)
    M, log_M, eta, at_mode = found[0], found[1], found[2], found[3]
    groups, longest = largest(starts, limit)
    at, h, best = np.empty((K, groups, q)), np.empty((K, groups)), np.empty(groups)
    slopes, spare = np.empty((K, longest)), np.empty((3, longest))
    small = np.empty((3, q, q)), np.empty((3, q))
    G_slope[:] = 0.0
    result, j = 0.0, 0
    while j < J:
        last = until(starts, j, limit)
        a, b, G = starts[j], starts[last], last - j
        bounds, n = starts[j : last + 1], b - a
        own = part(rows, a, b)
        code, y, known, weights = own
        find_modes(own, base, T, others, bounds, v[j:last], CLOSE, found)
        for k in range(K):
            place(v[j:last], M, nodes[k], at[k], h[k])
            predict(base, T, bounds, at[k], eta)
            curvatures(
                code, y, eta[:n], others, known, weights, spare[0, :n], slopes[k, :n],
                spare[1, :n], spare[2, :n],
            )  # fmt: skip
            add_groups(spare[0], bounds, h[k, :G])
        result += log_M[:G].sum() + share_nodes(h, log_weights, G, found[5], best)
        for g in range(G):
            span = (bounds[g], bounds[g + 1], a)
            moves = push(g, span, T, h, at, slopes, nodes, M[g], at_mode, small)
            add_slopes(g, span, T, Z, h, at, slopes, v[j + g], at_mode, moves, slope, G_slope)
        j = last
    return result


@njit(cache=True, nogil=True, error_model="numpy")
def push(g, span, T, h, at, slopes, nodes, root, at_mode, small):
    """Return the slope in H of a group, and the move of its mode, by the rows' predictors.

    Parameters
    ----------
    g, span
        Which group of the chunk, and its rows as of `group_mode.inverse_root`.
    T, h, at, slopes
        Columns (q, N), and by node its share (K, G), place (K, G, q) and rows' slopes (K, n).
    nodes, root
        Shape (K, q), and the inverse root of the group's curvature, (q, q).
    at_mode
        Log densities and derivatives at the mode, shape (4, n); the third derivative
        becomes the slope of the curvature's part in the log likelihood.
    small
        Room to work in, shapes (3, q, q) and (3, q).
    """
    (K, q), (low, high, first) = nodes.shape, span
    MB, H_slope, half = small[0][0], small[0][1], small[0][2]
    own, pull, moves = small[1][0], small[1][1], small[1][2]
    pull[:] = 0.0
    MB[:] = 0.0
    for k in range(K):
        for c in range(q):
            own[c] = (along(T, c, slopes[k], low, high, first) - at[k, g, c]) * h[k, g]
            pull[c] += own[c]
        for c in range(q):
            turned = 0.0
            for d in range(c + 1):
                turned += root[d, c] * own[d]
            for d in range(q):
                MB[c, d] += turned * nodes[k, d]
    for c in range(q):  # H enters by M = chol(H)^-T and by log|M|
        for d in range(q):
            H_slope[c, d] = -0.5 * MB[min(c, d), max(c, d)] - (0.5 if c == d else 0.0)
    spread_slope(root, H_slope, half)
    for i in range(low, high):
        bent = 0.0
        for c in range(q):
            for d in range(q):
                bent += T[c, i] * H_slope[c, d] * T[d, i]
        at_mode[3, i - first] *= -bent
        for c in range(q):
            pull[c] += T[c, i] * at_mode[3, i - first]
    for c in range(q):  # the mode moves by H^-1 times what moves the slope there
        moves[c] = 0.0
        for d in range(c, q):
            turned = 0.0
            for e in range(d + 1):
                turned += root[e, d] * pull[e]
            moves[c] += root[c, d] * turned
    return H_slope, moves


@njit(cache=True, nogil=True, error_model="numpy")
def add_slopes(g, span, T, Z, h, at, slopes, v, at_mode, moves, slope, G_slope):
    """Set the slopes in a group's predictors, and add those in G.

    Parameters
    ----------
    g, span, T, h, at, slopes, at_mode
        As of `push`.
    moves
        What `push` returns.
    Z, v
        Shapes (N, q) and (q,).
    slope, G_slope
        Set and added to, shapes (N,) and (q, q).
    """
    (K, _, q), (H_slope, move), (low, high, first) = at.shape, moves, span
    for i in range(low, high):
        r = i - first
        moved = at_mode[3, r]
        for c in range(q):
            moved += at_mode[2, r] * T[c, i] * move[c]
        slope[i] = moved
        for k in range(K):
            slope[i] += h[k, g] * slopes[k, r]
        for c in range(q):
            total = moved * v[c] + at_mode[1, r] * move[c]
            for d in range(q):
                total -= 2.0 * at_mode[2, r] * T[d, i] * H_slope[d, c]
            for k in range(K):
                total += h[k, g] * slopes[k, r] * at[k, g, c]
            for d in range(q):
                G_slope[d, c] += Z[i, d] * total


@njit(cache=True, nogil=True, error_model="numpy")
def spread_slope(M, S, half):
    """Replace S by M S M'; half is room to work in."""
    q = len(M)
    for c in range(q):
        for d in range(q):
            half[c, d] = 0.0
            for e in range(c, q):
                half[c, d] += M[c, e] * S[e, d]
    for c in range(q):
        for d in range(q):
            S[c, d] = 0.0
            for e in range(d, q):
                S[c, d] += half[c, e] * M[d, e]


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


@njit(cache=True, nogil=True, error_model="numpy")
def evaluate_gradients(
    first, last, beta, G, others, offset, X, Z, rows, starts, rule, modes,
    values, beta_slopes, G_slopes, found,
):  # fmt: skip
    """Set what `evaluate` does, slopes in beta (S, p) and G (S, q, q), and modes (S, J, q)."""
    N, p, q = len(offset), beta.shape[1], Z.shape[1]
    base, T, slope, own = np.empty(N), np.empty((q, N)), np.empty(N), private(rows)
    for s in range(first, last):
        found[s] = modes
        fixed_part(offset, X, beta[s], base)
        scale_columns(Z, G[s], T)
        further = others[s].copy().reshape(-1, 1)
        values[s] = log_likelihood_gradient(
            base, T, Z, further, own, starts, rule, found[s], slope, G_slopes[s]
        )
        for c in range(p):
            beta_slopes[s, c] = 0.0
        for i in range(N):
            for c in range(p):
                beta_slopes[s, c] += X[i, c] * slope[i]
