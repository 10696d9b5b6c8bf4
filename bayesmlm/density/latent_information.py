"""What a group of the leading grouping tells of the latent field, compiled: slopes and information.

With A a group's columns of the field, its information there is A' diag(w) A less what its own
effects cost, a sum of squares of scores: by Louis' identity over the nodes, or with one node by a
Schur complement.

References
----------
Louis (1982), Journal of the Royal Statistical Society B 44, 226-233.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from bayesmlm.density.chunks import add_groups, along, place, predict
from bayesmlm.density.group_mode import CLOSE, find_modes
from bayesmlm.density.quadrature_kernel import share_nodes
from bayesmlm.families.rows import curvatures


@njit(cache=True, nogil=True, error_model="numpy")
def integrate_chunk(rows, base, T, others, bounds, rule, v, found, nodes):
    """Integrate a chunk's effects; gives log integral, or with one node joint density and log|M|.

    Parameters
    ----------
    rows, base, T, others, bounds, v
        As of `group_mode.find_modes`.
    rule
        Nodes (K, q) and log weights (K,).
    found, nodes
        As of `workspace`, set; the third derivatives only with one node.
    """
    code, y, known, weights = rows
    points, log_weights = rule
    h, at, value, first, second, third, best = nodes
    M, log_M, eta, slopes = found[0], found[1], found[2], found[3]
    K, n, G = len(points), bounds[len(bounds) - 1] - bounds[0], len(bounds) - 1
    find_modes(rows, base, T, others, bounds, v, CLOSE, found)
    total = logs = 0.0
    if K == 1:
        h[0] = 1.0
        for i in range(n):
            total += slopes[0, i]
            first[0, i], second[0, i], third[0, i] = slopes[1, i], slopes[2, i], slopes[3, i]
        for g in range(G):
            logs += log_M[g]
            for c in range(len(T)):
                total -= 0.5 * v[g, c] ** 2
        return total, logs
    for k in range(K):
        place(v, M, points[k], at[k], h[k])
        predict(base, T, bounds, at[k], eta)
        curvatures(
            code, y, eta[:n], others, known, weights, value[:n], first[k, :n], second[k, :n],
            third[k, :n],
        )  # fmt: skip
        add_groups(value, bounds, h[k, :G])
    total = log_M[:G].sum() + share_nodes(h, log_weights, G, found[5], best)
    return total, logs


@njit(cache=True, nogil=True, error_model="numpy")
def add_spread_slope(span, T, M, second, third, slope, small):
    """Add the slopes of log|M| in the rows' linear predictor, movement of the mode included.

    Parameters
    ----------
    span
        The group's rows, as of `group_mode.inverse_root`.
    T, M, second, third
        Columns (q, N), inverse root of the curvature and derivatives at the mode, (n,).
    slope
        Added to, shape (n,).
    small
        To work in, shape (at least 2, q).
    """
    q, (low, high, first) = len(T), span
    pull, move = small[0], small[1]
    for i in range(low, high):
        bent = 0.0
        for c in range(q):
            part = 0.0
            for d in range(c + 1):
                part += T[d, i] * M[d, c]
            bent += part * part
        third[i - first] *= 0.5 * bent
    for c in range(q):
        pull[c] = along(T, c, third, low, high, first)
    move[:] = 0.0
    for c in range(q):
        part = 0.0
        for d in range(c + 1):
            part += M[d, c] * pull[d]
        for d in range(c + 1):
            move[d] += M[d, c] * part
    for i in range(low, high):
        slope[i - first] += third[i - first]
        for c in range(q):
            slope[i - first] += second[i - first] * T[c, i] * move[c]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def mean_rows(bounds, h, first, second, slope, w):
    """Set slope and w to the rows' mean first and negative second derivatives over the nodes.

    Parameters
    ----------
    bounds
        As of `chunks.predict`.
    h, first, second
        Shares (K, G), and derivatives by node and row (K, n).
    slope, w
        Set, shape (n,).
    """
    n = bounds[len(bounds) - 1] - bounds[0]
    slope[:n] = 0.0
    w[:n] = 0.0
    for k in range(len(h)):
        for g in range(len(bounds) - 1):
            share = h[k, g]
            low, high = np.uint64(bounds[g] - bounds[0]), np.uint64(bounds[g + 1] - bounds[0])
            for i in range(low, high):
                slope[i] += share * first[k, i]
                w[i] -= share * second[k, i]


@njit(cache=True, nogil=True, error_model="numpy")
def score_rows(g, span, T, M, h, first, slope, w, scores):
    """Set rows' scores over the nodes; gives the number of scores.

    The information that a group's effects cost is sum_k s_k s_k', s_k = A' scores[k], or by
    fewer scores of the same sum where there are fewer rows than nodes.

    Parameters
    ----------
    g, span
        Which group of the chunk, and its rows as of `group_mode.inverse_root`.
    T, M
        Columns (q, N), and the inverse root of the group's curvature.
    h, first, slope, w
        As of `mean_rows`.
    scores
        Set, counted from the group's first row, shape (L, n).
    """
    K, q, low, high = len(h), len(T), span[0] - span[2], span[1] - span[2]
    n = high - low
    if K == 1:
        for c in range(q):
            for i in range(n):
                total = 0.0
                for d in range(c + 1):
                    total += T[d, span[0] + i] * M[d, c]
                scores[c, i] = w[low + i] * total
        return q
    if n < K:
        return few_scores(g, low, high, h, first, slope, scores)
    for k in range(K):
        root = np.sqrt(h[k, g])
        for i in range(n):
            scores[k, i] = root * (first[k, low + i] - slope[low + i])
    return K


@njit(cache=True, nogil=True, error_model="numpy")
def few_scores(g, low, high, h, first, slope, scores):
    """Set the Cholesky factor of the covariance of n rows' slopes over the nodes; gives n."""
    n = high - low
    for i in range(n):
        for j in range(i + 1):
            total = 0.0
            for k in range(len(h)):
                own = first[k, low + i] - slope[low + i]
                total += h[k, g] * own * (first[k, low + j] - slope[low + j])
            scores[j, i] = total
    for j in range(n):
        scale = scores[j, j]
        for k in range(j):
            scores[j, j] -= scores[k, j] ** 2
        # two rows of one predictor have the same slopes: nothing is left of the second
        root = np.sqrt(scores[j, j]) if scores[j, j] > 1e-13 * scale else 0.0
        for i in range(n):
            if i < j or root == 0.0:
                scores[j, i] = 0.0
                continue
            for k in range(j):
                if i > j:
                    scores[j, i] -= scores[k, j] * scores[k, i]
            scores[j, i] = root if i == j else scores[j, i] / root
    return n


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def add_information(span, A, touched, slope, w, scores, D, block, g, H):
    """Add one group's gradient A'slope and information A' diag(w) A - sum_k s_k s_k'.

    Parameters
    ----------
    span
        First row of the group, and the one after its last.
    A
        Columns X (N, p), and B (r, N) at given places of the latent field (N, r), each of which
        is a position (N, r) among the m that the group touches.
    touched
        These, shape (m,).
    slope, w, scores
        Of `mean_rows` and `score_rows`, shapes (n,), (n,) and (L, n).
    D
        Room to work in, shape (L, p + m).
    block
        Its part of the fixed effects, (p, p), is added to; the rest is room to work in.
    g, H
        Added to; of H the lower triangle, but for the fixed effects.
    """
    (low, high), (X, B, at, local) = span, A
    p, r, m = X.shape[1], len(B), len(touched)
    block[p : p + m, : p + m] = 0.0
    for i in range(low, high):
        own, bend = slope[i - low], w[i - low]
        for c in range(p):
            g[c] += X[i, c] * own
            wx = bend * X[i, c]
            for d in range(p):
                block[c, d] += wx * X[i, d]
        for c in range(r):
            g[at[i, c]] += B[c, i] * own
            row, wb = p + local[i, c], bend * B[c, i]
            for d in range(p):
                block[row, d] += wb * X[i, d]
            for d in range(r):
                block[row, p + local[i, d]] += wb * B[d, i]
    for k in range(len(scores)):
        D[k, : p + m] = 0.0
        for i in range(low, high):
            s = scores[k, i - low]
            for c in range(p):
                D[k, c] += s * X[i, c]
            for c in range(r):
                D[k, p + local[i, c]] += s * B[c, i]
    for c in range(p + m):
        for k in range(len(scores)):
            s = D[k, c]
            for d in range(p + m):
                block[c, d] -= s * D[k, d]
    for c in range(m):
        row = touched[c]
        for d in range(p):
            H[row, d] += block[p + c, d]
        for d in range(c + 1):
            H[row, touched[d]] += block[p + c, p + d]
