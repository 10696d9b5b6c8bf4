"""Laplace's approximation over the latent field of a generalized model, compiled.

The latent field x holds coordinates of the fixed effects and the standard effects of all
groupings but the leading one; the effects v of the leading grouping are integrated out group
by group, by adaptive quadrature or, with one node, by Laplace's approximation too:

    log p(y | psi) = F(x) - log|H| / 2 + log|P| / 2 at the maximum x of
    F(x) = sum_j log int p(y_j | x, v) N(v; 0, I) dv - x'x / 2 (fixed effects: their prior),

H the negative Hessian of F, by Louis' identity where there are several nodes. With one node H
is a Schur complement of the joint density's, and F may be that density at the mode of v, so
that x and v are its joint mode: the classical approximation of maximum likelihood.

References
----------
Louis (1982), Journal of the Royal Statistical Society B 44, 226-233; Rue, Martino & Chopin
(2009), doi:10.1111/j.1467-9868.2008.00700.x.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from bayesmlm.density.chunks import (
    add_groups,
    along,
    largest,
    most,
    part,
    place,
    predict,
    room,
    until,
)
from bayesmlm.density.dense import backward, factor, forward
from bayesmlm.density.group_mode import CLOSE, find_modes
from bayesmlm.density.quadrature_kernel import share_nodes
from bayesmlm.families.rows import curvatures

STEPS, HALVINGS = 60, 12
CONVERGED, EXACT, ROUGH, NEARLY = 1e-8, 1e-11, 1e-3, 1e-7
"""Squared length of a Newton step, in SDs of the latent field, at which the search ends: for
differences, for a joint mode, whose Hessian is exact, and for importance sampling; and from
which on it ends once steps no longer shorten."""

SLACK = 1e-3
"""Fall of F that a step may bring: with several nodes the slope is not that of the rule."""


@njit(cache=True, nogil=True, error_model="numpy")
def field(offset, X, B, at, x, base):
    """Set base = offset + X b + sum of the other groupings' effects."""
    p, r = X.shape[1], len(B)
    for i in range(len(offset)):
        base[i] = offset[i]
        for c in range(p):
            base[i] += X[i, c] * x[c]
        for c in range(r):
            base[i] += B[c, i] * x[at[i, c]]


@njit(cache=True, nogil=True, error_model="numpy")
def workspace(starts, touched_starts, p, q, K):
    """Return room for `evaluate_field`.

    Returns
    -------
    found
        Room of `chunks.room`.
    nodes
        Shares and places of the nodes, (K, G) and (K, G, q), log densities (n,), first,
        second and third derivatives by node and row, (K, n), of a chunk, and room, (G,).
    scores, D, block, w
        Of a group, shapes (L, n), (L, p + m) and (p + m, p + m), with m columns touched; and
        of a chunk, (n,).
    """
    limit = most(K)
    groups, n = largest(starts, limit)
    longest = widest = 0
    for j in range(len(starts) - 1):
        longest = max(longest, starts[j + 1] - starts[j])
        widest = max(widest, touched_starts[j + 1] - touched_starts[j])
    L = q if K == 1 else K
    nodes = (
        np.empty((K, groups)), np.empty((K, groups, q)), np.empty(n), np.empty((K, n)),
        np.empty((K, n)), np.empty((K, n)), np.empty(groups),
    )  # fmt: skip
    return (
        room(starts, limit, q), nodes, np.empty((L, longest)), np.empty((L, p + widest)),
        np.empty((p + widest, p + widest)), np.empty(n),
    )  # fmt: skip


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


@njit(cache=True, nogil=True, error_model="numpy")
def add_prior(x, prior, g, H):
    """Set gradient and information of the field's prior, and return its log density."""
    P, Pm = prior
    p, value = len(Pm), 0.0
    g[:] = 0.0
    H[:] = 0.0
    for c in range(p, len(x)):
        value -= 0.5 * x[c] ** 2
        g[c] = -x[c]
        H[c, c] = 1.0
    for c in range(p):
        g[c] = Pm[c]
        for d in range(p):
            g[c] -= P[c, d] * x[d]
        value += 0.5 * x[c] * (g[c] + Pm[c])
        for d in range(c + 1):
            H[c, d] = P[c, d]
    return value


@njit(cache=True, nogil=True, error_model="numpy")
def evaluate_field(x, T, B, base, others, data, rows, prior, rule, joint, v, work, g, H):
    """Return F(x) and sum log|M_j| (one node), and set its gradient and negative Hessian.

    Parameters
    ----------
    x
        Latent field, shape (m,).
    T, B
        Scaled columns of the leading grouping (q, N) and of the others (r, N).
    base, others
        The linear predictor less the leading effects (N,), and the family's other parameters.
    data
        X (N, p), at (N, r), local (N, r), starts (J + 1,), where each group's touched
        columns begin (J + 1,), and these.
    rows
        As of `quadrature_kernel`.
    prior
        Precision of the fixed effects (p, p), and precision times mean (p,).
    joint
        Whether, with one node, F is the joint density at the mode of v, without log|M|.
    v
        Modes of the leading effects, moved, shape (J, q).
    work
        Of `workspace`.
    g, H
        Set; of H the lower triangle.
    """
    X, at, local, starts, touched_starts, touched = data
    found, nodes, scores, D, block, w = work
    (h, _, slope, first, second, third, _), M = nodes, found[0]
    K, J, p, limit = len(h), len(starts) - 1, X.shape[1], most(len(h))
    value, log_M, j = add_prior(x, prior, g, H), 0.0, 0
    block[:p] = 0.0
    while j < J:
        last = until(starts, j, limit)
        a, b = starts[j], starts[last]
        bounds = starts[j : last + 1]
        own, extra = integrate_chunk(
            part(rows, a, b), base, T, others, bounds, rule, v[j:last], found, nodes
        )
        mean_rows(bounds, h, first, second, slope, w)
        if K == 1 and not joint:
            own, extra = own + extra, 0.0
        value += own
        log_M += extra
        for k in range(last - j):
            start, stop = bounds[k], bounds[k + 1]
            span = (start, stop, a)
            if K == 1 and not joint:
                add_spread_slope(span, T, M[k], second[0], third[0], slope, found[7])
            L = score_rows(k, span, T, M[k], h, first, slope, w, scores)
            add_information(
                (start, stop), (X, B, at, local),
                touched[touched_starts[j + k] : touched_starts[j + k + 1]],
                slope[start - a : stop - a], w[start - a : stop - a], scores[:L], D, block, g, H,
            )  # fmt: skip
        j = last
    for c in range(p):
        for d in range(c + 1):
            H[c, d] += block[c, d]
    return value, log_M


@njit(cache=True, nogil=True, error_model="numpy")
def solve(x, T, B, offset, others, data, rows, prior, rule, joint, enough, v, C):
    """Maximise F by damped Newton steps; gives log p(y | psi) less log|P| / 2, NaN on failure.

    Parameters
    ----------
    x, v
        Where to start; moved to the maximum, shapes (m,) and (J, q).
    enough
        Squared length, in SDs, of the Newton step that is the last.
    C
        Set to the lower Cholesky factor of H, shape (m, m).
    """
    X, at, _, starts, touched_starts, _ = data
    N, m = len(offset), len(x)
    work = workspace(starts, touched_starts, X.shape[1], len(T), len(rule[1]))
    base, g, step, tried = np.empty(N), np.empty(m), np.empty(m), x.copy()
    best, last = np.nan, np.inf
    halvings = 0
    for _ in range(STEPS):
        field(offset, X, B, at, tried, base)
        value, log_M = evaluate_field(
            tried, T, B, base, others, data, rows, prior, rule, joint, v, work, g, C
        )
        if not np.isnan(best) and not value > best - SLACK:
            halvings += 1
            if halvings > HALVINGS:
                return np.nan
            for c in range(m):
                step[c] *= 0.5
                tried[c] = x[c] + step[c]
            continue
        if np.isnan(value):
            return np.nan
        halvings = 0
        best = value
        x[:] = tried
        log_det = factor(C)
        if np.isnan(log_det):
            # too few nodes or not concave: a step by the prior's precision alone climbs too
            for c in range(m):
                step[c] = g[c] / max(1.0, abs(C[c, c]))
                tried[c] = x[c] + 0.1 * step[c]
            continue
        step[:] = g
        forward(C, step)
        decrement = 0.0
        for c in range(m):
            decrement += step[c] ** 2
        backward(C, step)
        for c in range(m):
            tried[c] = x[c] + step[c]
        if decrement < enough or 0.25 * last < decrement < NEARLY:
            x[:] = tried
            return value + 0.5 * decrement + log_M - 0.5 * log_det
        last = decrement
    return np.nan
