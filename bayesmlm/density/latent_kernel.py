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

from bayesmlm.density.dense import backward, factor, forward
from bayesmlm.density.group_mode import CLOSE, find_mode, predict
from bayesmlm.density.quadrature_kernel import place
from bayesmlm.families.rows import curvatures

STEPS, HALVINGS = 60, 12
CONVERGED, EXACT, NEARLY = 1e-8, 1e-11, 1e-7
"""Squared length of a Newton step, in SDs of the latent field, at which the search ends, and
that for a joint mode, whose Hessian is exact; and from which on it ends once steps no longer
shorten."""

SLACK = 1e-3
"""Fall of F that a step may bring: with several nodes the slope is not that of the rule."""


@njit(cache=True, nogil=True, error_model="numpy")
def field(offset, X, B, at, x, base):
    """Set base = offset + X b + sum of the other groupings' effects."""
    p, r = X.shape[1], B.shape[1]
    for i in range(len(offset)):
        base[i] = offset[i]
        for c in range(p):
            base[i] += X[i, c] * x[c]
        for c in range(r):
            base[i] += B[i, c] * x[at[i, c]]


@njit(cache=True, nogil=True, error_model="numpy")
def nodes_of_group(rows, span, base, T, others, rule, v, M, eta, work):
    """Integrate one group's effects; gives log integral, or with one node joint density and log|M|.

    Parameters
    ----------
    rows, others, rule
        As of `quadrature_kernel.log_likelihood`.
    span
        First row of the group and of the next.
    base, T, eta
        The group's rows.
    v, M
        Set to the mode and the inverse root of the curvature there.
    work
        Weights of the nodes (K,), first, second and third derivatives by node and row
        (K, n), and room for the search for the mode.
    """
    code, y, known, weights = rows
    nodes, log_weights = rule
    mass, first, second, third, room = work
    a, b = span
    n, K = b - a, len(log_weights)
    by_known, by_weight = int(known.shape[1] > 1), int(len(weights) > 1)
    own = known[:, a * by_known : (b - 1) * by_known + 1]
    w = weights[a * by_weight : (b - 1) * by_weight + 1]
    log_M = find_mode(
        code, y[a:b], base, T, others, own, w, v, M, eta,
        (first[0, :n], second[0, :n], third[0, :n]), CLOSE, room,
    )  # fmt: skip
    point = room[0]
    if K == 1:
        joint = curvatures(
            code, y[a:b], eta, others, own, w, first[0, :n], second[0, :n], third[0, :n]
        )
        for c in range(len(v)):
            joint -= 0.5 * v[c] ** 2
        mass[0] = 1.0
        return joint, log_M
    best = -np.inf
    for k in range(K):
        mass[k] = log_weights[k] + place(v, M, nodes[k], point)
        predict(base, T, point, eta)
        mass[k] += curvatures(
            code, y[a:b], eta, others, own, w, first[k, :n], second[k, :n], third[k, :n]
        )
        best = max(best, mass[k])
    total = 0.0
    for k in range(K):
        mass[k] = np.exp(mass[k] - best)
        total += mass[k]
    for k in range(K):
        mass[k] /= total
    return log_M + best + np.log(total), 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def add_spread_slope(T, M, second, third, slope, room):
    """Add the slopes of log|M| in the rows' linear predictor, movement of the mode included.

    Parameters
    ----------
    T, M, second, third
        Columns, inverse root of the curvature and derivatives at the mode.
    slope
        Added to, shape (n,).
    room
        To work in, shape (at least 2, q).
    """
    n, q = T.shape
    pull, move = room[0], room[1]
    pull[:] = 0.0
    for i in range(n):
        bent = 0.0
        for c in range(q):
            part = 0.0
            for d in range(c + 1):
                part += T[i, d] * M[d, c]
            bent += part * part
        third[i] *= 0.5 * bent
        for c in range(q):
            pull[c] += T[i, c] * third[i]
    move[:] = 0.0
    for c in range(q):
        part = 0.0
        for d in range(c + 1):
            part += M[d, c] * pull[d]
        for d in range(c + 1):
            move[d] += M[d, c] * part
    for i in range(n):
        slope[i] += third[i]
        for c in range(q):
            slope[i] += second[i] * T[i, c] * move[c]


@njit(cache=True, nogil=True, error_model="numpy")
def add_rows_information(X, B, at, w, slope, g, H):
    """Add one group's gradient A'slope and information A' diag(w) A, A = [X, B]."""
    p, r = X.shape[1], B.shape[1]
    for i in range(len(w)):
        for c in range(p):
            g[c] += X[i, c] * slope[i]
            wx = w[i] * X[i, c]
            for d in range(c + 1):
                H[c, d] += wx * X[i, d]
        for c in range(r):
            row = at[i, c]
            g[row] += B[i, c] * slope[i]
            wb = w[i] * B[i, c]
            for d in range(p):
                H[row, d] += wb * X[i, d]
            for d in range(r):
                if at[i, d] <= row:
                    H[row, at[i, d]] += wb * B[i, d]


@njit(cache=True, nogil=True, error_model="numpy")
def lose_information(X, B, local, touched, scores, D, H):
    """Subtract sum_k s_k s_k', s_k = A' scores[k], from the information.

    Parameters
    ----------
    local
        Position of each row's columns among those that the group touches, shape (n, r).
    touched
        These columns, in order.
    scores
        Shape (L, n).
    D
        Room to work in, shape (L, at least p + number touched).
    """
    n, p, r, m = len(X), X.shape[1], B.shape[1], len(touched)
    for k in range(len(scores)):
        for c in range(p + m):
            D[k, c] = 0.0
        for i in range(n):
            s = scores[k, i]
            for c in range(p):
                D[k, c] += s * X[i, c]
            for c in range(r):
                D[k, p + local[i, c]] += s * B[i, c]
        for c in range(p):
            for d in range(c + 1):
                H[c, d] -= D[k, c] * D[k, d]
        for c in range(m):
            value = D[k, p + c]
            for d in range(p):
                H[touched[c], d] -= value * D[k, d]
            for d in range(c + 1):
                H[touched[c], touched[d]] -= value * D[k, p + d]


@njit(cache=True, nogil=True, error_model="numpy")
def evaluate_field(x, T, B, base, others, data, rows, prior, rule, joint, v, work, g, H):
    """Return F(x) and sum log|M_j| (one node), and set its gradient and negative Hessian.

    Parameters
    ----------
    x
        Latent field, shape (m,).
    T, B
        Scaled columns of the leading grouping (N, q) and of the others (N, r).
    base, others
        Room for the linear predictor (N,), and the family's other parameters.
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
        As of `nodes_of_group`, then eta (N,), room for L scores (L, n) and (L, p + most
        touched), and for weights and slopes of rows (n,).
    g, H
        Set; of H the lower triangle.
    """
    X, at, local, starts, touched_starts, touched = data
    P, Pm = prior
    mass, first, second, third, room, eta, scores, D, w, slope = work
    p, q, K = X.shape[1], T.shape[1], len(mass)
    M = np.empty((q, q))
    g[:] = 0.0
    H[:] = 0.0
    value = log_M = 0.0
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
    for j in range(len(starts) - 1):
        a, b = starts[j], starts[j + 1]
        n = b - a
        own, extra = nodes_of_group(
            rows, (a, b), base[a:b], T[a:b], others, rule, v[j], M, eta[a:b],
            (mass, first, second, third, room),
        )  # fmt: skip
        for i in range(n):
            w[i] = slope[i] = 0.0
            for k in range(K):
                w[i] -= mass[k] * second[k, i]
                slope[i] += mass[k] * first[k, i]
        if K == 1 and not joint:
            own += extra
            extra = 0.0
            add_spread_slope(T[a:b], M, second[0, :n], third[0, :n], slope[:n], room)
        value += own
        log_M += extra
        for i in range(n):
            if K == 1:
                for c in range(q):
                    part = 0.0
                    for d in range(c + 1):
                        part += T[a + i, d] * M[d, c]
                    scores[c, i] = w[i] * part
            else:
                for k in range(K):
                    scores[k, i] = np.sqrt(mass[k]) * (first[k, i] - slope[i])
        add_rows_information(X[a:b], B[a:b], at[a:b], w[:n], slope[:n], g, H)
        lose_information(
            X[a:b], B[a:b], local[a:b], touched[touched_starts[j] : touched_starts[j + 1]],
            scores[:, :n], D, H,
        )  # fmt: skip
    return value, log_M


@njit(cache=True, nogil=True, error_model="numpy")
def solve(x, T, B, offset, others, data, rows, prior, rule, joint, v, C):
    """Maximise F by damped Newton steps; gives log p(y | psi) less log|P| / 2, NaN on failure.

    Parameters
    ----------
    x, v
        Where to start; moved to the maximum, shapes (m,) and (J, q).
    C
        Set to the lower Cholesky factor of H, shape (m, m).
    """
    X, at, _, starts, touched_starts, _ = data
    N, m, q, K = len(offset), len(x), T.shape[1], len(rule[1])
    longest = most = 0
    for j in range(len(starts) - 1):
        longest = max(longest, starts[j + 1] - starts[j])
        most = max(most, touched_starts[j + 1] - touched_starts[j])
    L = q if K == 1 else K
    work = (
        np.empty(K), np.empty((K, longest)), np.empty((K, longest)), np.empty((K, longest)),
        np.empty((3 + q, q)), np.empty(N), np.empty((L, longest)), np.empty((L, X.shape[1] + most)),
        np.empty(longest), np.empty(longest),
    )  # fmt: skip
    base, g, step, tried = np.empty(N), np.empty(m), np.empty(m), x.copy()
    enough = EXACT if joint else CONVERGED
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
        if decrement < enough or 0.25 * last < decrement < NEARLY:
            return value + log_M - 0.5 * log_det
        last = decrement
        backward(C, step)
        for c in range(m):
            tried[c] = x[c] + step[c]
    return np.nan
