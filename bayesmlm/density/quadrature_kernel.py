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
from numba import njit, prange

from bayesmlm.density.group_mode import CLOSE, find_mode, predict, private
from bayesmlm.families.rows import add_rows, total


@njit(cache=True, nogil=True, error_model="numpy")
def place(v, M, x, out):
    """Set out to the node v + M x; gives -out'out / 2."""
    length = 0.0
    for a in range(len(v)):
        out[a] = v[a]
        for b in range(a, len(v)):
            out[a] += M[a, b] * x[b]
        length += out[a] ** 2
    return -0.5 * length


@njit(cache=True, nogil=True, error_model="numpy")
def fixed_part(offset, X, beta, base):
    """Set base = offset + X beta."""
    for i in range(len(offset)):
        base[i] = offset[i]
        for c in range(len(beta)):
            base[i] += X[i, c] * beta[c]


@njit(cache=True, nogil=True, error_model="numpy")
def scale_columns(Z, G, T):
    """Set T = Z G."""
    q = Z.shape[1]
    for i in range(len(Z)):
        for a in range(q):
            T[i, a] = 0.0
            for b in range(q):
                T[i, a] += Z[i, b] * G[b, a]


@njit(cache=True, nogil=True, error_model="numpy")
def log_likelihood(base, T, others, rows, starts, rule, v):
    """Return the log likelihood; v, shape (J, q), is moved to the modes."""
    code, y, known, weights = rows
    nodes, log_weights = rule
    (K, q), J, N = nodes.shape, len(starts) - 1, len(y)
    eta, first, second, third = np.empty(N), np.empty(N), np.empty(N), np.empty(N)
    M, at, h = np.empty((q, q)), np.empty(q), np.empty(K)
    other_slopes, room = np.zeros(others.shape), np.empty((3 + q, q))
    by_known, by_weight = int(known.shape[1] > 1), int(len(weights) > 1)
    result = 0.0
    for j in range(J):
        a, b = starts[j], starts[j + 1]
        own = known[:, a * by_known : (b - 1) * by_known + 1]
        w = weights[a * by_weight : (b - 1) * by_weight + 1]
        result += find_mode(
            code, y[a:b], base[a:b], T[a:b], others, own, w, v[j], M,
            eta[a:b], (first[a:b], second[a:b], third[a:b]), CLOSE, room,
        )  # fmt: skip
        best = -np.inf
        for k in range(K):
            h[k] = log_weights[k] + place(v[j], M, nodes[k], at)
            predict(base[a:b], T[a:b], at, eta[a:b])
            h[k] += total(code, y[a:b], eta[a:b], others, own, w, first[a:b], other_slopes)
            best = max(best, h[k])
        mass = 0.0
        for k in range(K):
            mass += np.exp(h[k] - best)
        result += best + np.log(mass)
    return result


@njit(cache=True, nogil=True, error_model="numpy")
def log_likelihood_gradient(base, T, Z, others, rows, starts, rule, v, slope, G_slope):
    """Return the log likelihood, set its slopes in base and in G where T = Z G.

    Parameters
    ----------
    base, T, Z
        Shapes (N,), (N, q) and (N, q), rows in the order of the groups.
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
    code, y, known, weights = rows
    nodes, log_weights = rule
    (K, q), J, N = nodes.shape, len(starts) - 1, len(y)
    eta, first, second, third = np.empty(N), np.empty(N), np.empty(N), np.empty(N)
    longest = 0
    for j in range(J):
        longest = max(longest, starts[j + 1] - starts[j])
    slopes = np.empty((K, longest))
    M, at, h = np.empty((q, q)), np.empty((K, q)), np.empty(K)
    MB, H_slope, push, mode_slope, turned = (
        np.empty((q, q)), np.empty((q, q)), np.empty(q), np.empty(q), np.empty(q),
    )  # fmt: skip
    other_slopes, room = np.zeros(others.shape), np.empty((3 + q, q))
    by_known, by_weight = int(known.shape[1] > 1), int(len(weights) > 1)
    G_slope[:] = 0.0
    result = 0.0
    for j in range(J):
        a, b = starts[j], starts[j + 1]
        n = b - a
        own = known[:, a * by_known : (b - 1) * by_known + 1]
        w = weights[a * by_weight : (b - 1) * by_weight + 1]
        result += find_mode(
            code, y[a:b], base[a:b], T[a:b], others, own, w, v[j], M,
            eta[a:b], (first[a:b], second[a:b], third[a:b]), CLOSE, room,
        )  # fmt: skip
        best = -np.inf
        for k in range(K):
            h[k] = log_weights[k] + place(v[j], M, nodes[k], at[k])
            predict(base[a:b], T[a:b], at[k], eta[a:b])
            h[k] += add_rows(code, y[a:b], eta[a:b], others, own, w, slopes[k, :n], other_slopes)
            best = max(best, h[k])
        mass = 0.0
        for k in range(K):
            h[k] = np.exp(h[k] - best)
            mass += h[k]
        result += best + np.log(mass)
        # how far each node pushes mode and spread
        mode_slope[:] = 0.0
        MB[:] = 0.0
        for k in range(K):
            h[k] /= mass
            for c in range(q):
                push[c] = -at[k, c]
                for i in range(n):
                    push[c] += T[a + i, c] * slopes[k, i]
                push[c] *= h[k]
                mode_slope[c] += push[c]
            for c in range(q):
                turned[c] = 0.0
                for d in range(c + 1):
                    turned[c] += M[d, c] * push[d]
                for d in range(q):
                    MB[c, d] += turned[c] * nodes[k, d]
        # slope in H, of M = chol(H)^-T and of log|M|
        for c in range(q):
            for d in range(q):
                low, high = min(c, d), max(c, d)
                MB_part = 0.5 * MB[low, high]
                H_slope[c, d] = -MB_part - (0.5 if c == d else 0.0)
        spread_slope(M, H_slope)
        for i in range(a, b):
            bent = 0.0
            for c in range(q):
                for d in range(q):
                    bent += T[i, c] * H_slope[c, d] * T[i, d]
            third[i] *= -bent
            for c in range(q):
                mode_slope[c] += T[i, c] * third[i]
        # the mode moves by H^-1 times what moves the slope there
        for c in range(q):
            turned[c] = 0.0
            for d in range(c + 1):
                turned[c] += M[d, c] * mode_slope[d]
        for c in range(q):
            push[c] = 0.0
            for d in range(c, q):
                push[c] += M[c, d] * turned[d]
        for i in range(a, b):
            moved = third[i]
            for c in range(q):
                moved += second[i] * T[i, c] * push[c]
            slope[i] = moved
            for k in range(K):
                slope[i] += h[k] * slopes[k, i - a]
            for c in range(q):
                part = moved * v[j, c] + first[i] * push[c]
                for d in range(q):
                    part -= 2.0 * second[i] * T[i, d] * H_slope[d, c]
                for k in range(K):
                    part += h[k] * slopes[k, i - a] * at[k, c]
                for d in range(q):
                    G_slope[d, c] += Z[i, d] * part
    return result


@njit(cache=True, nogil=True, error_model="numpy")
def spread_slope(M, S):
    """Replace S by M S M'."""
    q = len(M)
    half = np.zeros((q, q))
    for c in range(q):
        for d in range(q):
            for e in range(c, q):
                half[c, d] += M[c, e] * S[e, d]
    for c in range(q):
        for d in range(q):
            S[c, d] = 0.0
            for e in range(d, q):
                S[c, d] += half[c, e] * M[d, e]


@njit(cache=True, nogil=True, parallel=True, error_model="numpy")
def evaluate(beta, G, others, offset, X, Z, rows, starts, rule, modes):
    """Return the log likelihood of S parameter vectors, shape (S,).

    Parameters
    ----------
    beta, G, others
        Shapes (S, p), (S, q, q) and (S, K).
    modes
        Where the search for the modes begins, shape (J, q).
    """
    S, N, q = len(beta), len(offset), Z.shape[1]
    values = np.empty(S)
    for s in prange(S):
        base, T, v = np.empty(N), np.empty((N, q)), modes.copy()
        fixed_part(offset, X, beta[s], base)
        scale_columns(Z, G[s], T)
        own = others[s].copy().reshape(-1, 1)
        values[s] = log_likelihood(base, T, own, private(rows), starts, rule, v)
    return values


@njit(cache=True, nogil=True, parallel=True, error_model="numpy")
def evaluate_gradients(beta, G, others, offset, X, Z, rows, starts, rule, modes):
    """Return log likelihoods (S,), slopes in beta (S, p) and G (S, q, q), modes (S, J, q)."""
    (S, p), N, q = beta.shape, len(offset), Z.shape[1]
    values, beta_slopes, G_slopes = np.empty(S), np.zeros((S, p)), np.empty((S, q, q))
    found = np.empty((S, *modes.shape))
    for s in prange(S):
        base, T, slope = np.empty(N), np.empty((N, q)), np.empty(N)
        found[s] = modes
        fixed_part(offset, X, beta[s], base)
        scale_columns(Z, G[s], T)
        own = others[s].copy().reshape(-1, 1)
        values[s] = log_likelihood_gradient(
            base, T, Z, own, private(rows), starts, rule, found[s], slope, G_slopes[s]
        )
        for i in range(N):
            for c in range(p):
                beta_slopes[s, c] += X[i, c] * slope[i]
    return values, beta_slopes, G_slopes, found
