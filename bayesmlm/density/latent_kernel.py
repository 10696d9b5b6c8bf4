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

from bayesmlm.density.chunks import largest, most, part, room, until
from bayesmlm.density.dense import backward, factor, forward
from bayesmlm.density.latent_information import (
    add_information,
    add_spread_slope,
    integrate_chunk,
    mean_rows,
    score_rows,
)

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
