"""The gradient of adaptive Gauss-Hermite quadrature, that of the rule, compiled.

Nodes move with the parameters: with the mode, and with the curvature there. In the family's
further parameters a that takes the slopes in a of the rows' first and second derivatives at the
mode, differences of exact derivatives; all else is in closed form.
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
from bayesmlm.density.quadrature_kernel import share_nodes
from bayesmlm.families.rows import add_rows, curvatures

APART = 1e-4
"""Of the differences of rows' derivatives in a further parameter, on the whole line."""


@njit(cache=True, nogil=True, error_model="numpy")
def log_likelihood_gradient(
    base, T, Z, others, rows, starts, rule, v, slope, G_slope, other_slope
):  # fmt: skip
    """Return the log likelihood, set its slopes in base, in G where T' = Z G, and in others.

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
    slope, G_slope, other_slope
        Set, shapes (N,), (q, q) and (K, 1).
    """
    nodes, log_weights = rule
    (K, q), J = nodes.shape, len(starts) - 1
    limit = most(K)
    found = room(starts, limit, q)
    M, log_M, eta, at_mode = found[0], found[1], found[2], found[3]
    groups, longest = largest(starts, limit)
    at, h, best = np.empty((K, groups, q)), np.empty((K, groups)), np.empty(groups)
    slopes, spare = np.empty((K, longest)), np.empty((4, longest))
    small, through = (np.empty((3, q, q)), np.empty((3, q))), np.empty((2, longest))
    G_slope[:] = 0.0
    other_slope[:] = 0.0
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
            if len(others) > 0:
                set_reach(span, T, moves, through)
        if len(others) > 0:
            predict(base, T, bounds, v[j:last], eta)
            add_by_mode(own, eta, others, through, at_mode, spare, other_slope)
            for k in range(K):
                predict(base, T, bounds, at[k], eta)
                add_at_node(own, eta, others, bounds, h[k], spare, other_slope)
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
def set_reach(span, T, moves, through):
    """Set a group's slopes of the log likelihood in the rows' derivatives at the mode.

    Parameters
    ----------
    span, T, moves
        As of `add_slopes`.
    through
        Set, shape (2, n): the slopes in the first derivatives, by which the mode moves, and in
        the second, by which the curvature does.
    """
    (H_slope, move), (low, high, first), q = moves, span, len(T)
    for i in range(low, high):
        reach = bent = 0.0
        for c in range(q):
            reach += T[c, i] * move[c]
            for d in range(q):
                bent += T[c, i] * H_slope[c, d] * T[d, i]
        through[0, i - first], through[1, i - first] = reach, -bent


@njit(cache=True, nogil=True, error_model="numpy")
def add_by_mode(rows, eta, others, through, ahead, behind, other_slope):
    """Add a chunk's slopes in the further parameters that modes and curvatures bring.

    Parameters
    ----------
    rows
        Code of the family, y, known and weights of the chunk.
    eta
        At the modes, shape (at least n,).
    others, through
        Shapes (K, 1), and (2, at least n) of `set_reach`.
    ahead, behind
        To work in, shapes (4, at least n) and (4, at least n).
    other_slope
        Added to, shape (K, 1).
    """
    code, y, known, weights = rows
    n, moved = len(y), others.copy()
    for c in range(len(others)):
        for sign in range(2):
            moved[c, 0] = others[c, 0] + (APART if sign == 0 else -APART)
            out = ahead if sign == 0 else behind
            curvatures(
                code, y, eta[:n], moved, known, weights, out[0, :n], out[1, :n], out[2, :n],
                out[3, :n],
            )  # fmt: skip
        moved[c, 0] = others[c, 0]
        total = 0.0
        for i in range(n):
            total += through[0, i] * (ahead[1, i] - behind[1, i])
            total += through[1, i] * (ahead[2, i] - behind[2, i])
        other_slope[c, 0] += total / (2.0 * APART)


@njit(cache=True, nogil=True, error_model="numpy")
def add_at_node(rows, eta, others, bounds, share, spare, other_slope):
    """Add a chunk's slopes in the further parameters at one node, by the groups' shares of it.

    Parameters
    ----------
    rows, others, other_slope
        As of `add_by_mode`.
    eta
        At the node, shape (at least n,).
    bounds, share
        As of `chunks.predict`, and shape (at least G,).
    spare
        To work in, shape (4, at least n).
    """
    code, y, known, weights = rows
    n, shared, by_weight = len(y), spare[0], int(len(weights) > 1)
    for g in range(len(bounds) - 1):
        for i in range(bounds[g] - bounds[0], bounds[g + 1] - bounds[0]):
            shared[i] = share[g] * weights[i * by_weight]
    add_rows(code, y, eta[:n], others, known, shared[:n], spare[1, :n], other_slope)


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
def evaluate_gradients(
    first, last, beta, G, others, offset, X, Z, rows, starts, rule, modes,
    values, beta_slopes, G_slopes, other_slopes, found,
):  # fmt: skip
    """Set what `quadrature_kernel.evaluate` does, slopes in beta, G and others, and modes.

    Parameters
    ----------
    beta_slopes, G_slopes, other_slopes, found
        Set, shapes (S, p), (S, q, q), (S, K) and (S, J, q).
    """
    N, p, q = len(offset), beta.shape[1], Z.shape[1]
    base, T, slope, own = np.empty(N), np.empty((q, N)), np.empty(N), private(rows)
    for s in range(first, last):
        found[s] = modes
        fixed_part(offset, X, beta[s], base)
        scale_columns(Z, G[s], T)
        further = others[s].copy().reshape(-1, 1)
        values[s] = log_likelihood_gradient(
            base, T, Z, further, own, starts, rule, found[s], slope, G_slopes[s],
            other_slopes[s].reshape(-1, 1),
        )  # fmt: skip
        for c in range(p):
            beta_slopes[s, c] = 0.0
        for i in range(N):
            for c in range(p):
                beta_slopes[s, c] += X[i, c] * slope[i]
