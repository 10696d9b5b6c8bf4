"""The likelihood of any family group by group, the effects of one grouping integrated out.

By adaptive Gauss-Hermite quadrature at given draws of all else. A row given the other rows of
its group has p(y_j) / p(y_j without the row): both by the nodes of the whole group, or, for a
row that tells much of its group's effects, the latter by nodes of its own.

References
----------
Liu & Pierce (1994), doi:10.1093/biomet/81.3.624;
Vehtari, Mononen, Tolvanen, Sivula & Winther (2016), Journal of Machine Learning Research 17, 103.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from bayesmlm.density.group_mode import CLOSE, find_mode, predict, private
from bayesmlm.density.quadrature_kernel import place, scale_columns
from bayesmlm.families.rows import total

TELLING = 0.1
"""Share of the curvature at the mode from which a row gets nodes of its own."""


@njit(cache=True, nogil=True, error_model="numpy")
def log_sum(h, out):
    """Return log sum exp(h), and set out to the terms' shares."""
    best, mass = -np.inf, 0.0
    for k in range(len(h)):
        best = max(best, h[k])
    for k in range(len(h)):
        out[k] = np.exp(h[k] - best)
        mass += out[k]
    for k in range(len(h)):
        out[k] /= mass
    return best + np.log(mass)


@njit(cache=True, nogil=True, error_model="numpy")
def integral(code, y, base, T, others, known, w, rule, v, M, room, eta, slopes, h):
    """Return the log likelihood of one group, its effects integrated out.

    Parameters
    ----------
    code, y, base, T, others, known, w
        As of `group_mode.find_mode`.
    rule
        Nodes (K, q) and log weights (K,).
    v, M
        Moved to the mode and the root of its curvature's inverse.
    room, eta, slopes
        To work in; slopes end as the derivatives at the mode.
    h
        Set to the terms of the sum, shape (K,).
    """
    nodes, log_weights = rule
    found = find_mode(code, y, base, T, others, known, w, v, M, eta, slopes, CLOSE, room)
    at, shares = np.empty(len(v)), np.empty(len(h))
    other_slopes, slope = np.zeros(others.shape), np.empty(len(y))
    for k in range(len(h)):
        h[k] = found + log_weights[k] + place(v, M, nodes[k], at)
        predict(base, T, at, eta)
        h[k] += total(code, y, eta, others, known, w, slope, other_slopes)
    return log_sum(h, shares)


@njit(cache=True, nogil=True, error_model="numpy")
def share_of_curvature(M, t, second):
    """Return the share that a row with columns t and a second derivative has."""
    length = 0.0
    for b in range(len(t)):
        turned = 0.0
        for a in range(b + 1):
            turned += M[a, b] * t[a]
        length += turned**2
    return -second * length


@njit(cache=True, nogil=True, error_model="numpy")
def one_vector(base, T, others, rows, starts, rule, modes, by_row, out):
    """Set out to the values of all groups, or of all rows, at one parameter vector."""
    code, y, known, weights = rows
    nodes, _ = rule
    (K, q), by_known = nodes.shape, int(known.shape[1] > 1)
    v, own_v, M = np.empty(q), np.empty(q), np.empty((q, q))
    own_M, at, room = np.empty((q, q)), np.empty(q), np.empty((3 + q, q))
    h, own_h, shares, first = np.empty(K), np.empty(K), np.empty(K), np.empty(1)
    other_slopes = np.zeros(others.shape)
    for j in range(len(starts) - 1):
        a, b = starts[j], starts[j + 1]
        n = b - a
        x = known[:, a * by_known : (b - 1) * by_known + 1]
        w, eta = weights[a:b], np.empty(n)
        slopes = (np.empty(n), np.empty(n), np.empty(n))
        v[:] = modes[j]
        value = integral(
            code, y[a:b], base[a:b], T[a:b], others, x, w, rule, v, M, room, eta, slopes, h
        )
        if not by_row:
            out[j] = value
            continue
        second = slopes[1].copy()
        lik = np.zeros((n, K))
        for k in range(K):
            place(v, M, nodes[k], at)
            predict(base[a:b], T[a:b], at, eta)
            for i in range(n):
                e = i * by_known
                lik[i, k] = total(
                    code, y[a + i : a + i + 1], eta[i : i + 1], others, x[:, e : e + 1],
                    w[i : i + 1], first, other_slopes,
                )  # fmt: skip
        for i in range(n):
            if share_of_curvature(M, T[a + i], second[i]) < TELLING:
                for k in range(K):
                    own_h[k] = h[k] - lik[i, k]
                out[a + i] = value - log_sum(own_h, shares)
                continue
            rest = w.copy()
            rest[i] = 0.0
            own_v[:] = v
            out[a + i] = value - integral(
                code, y[a:b], base[a:b], T[a:b], others, x, rest, rule, own_v, own_M, room, eta,
                slopes, own_h,
            )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy")
def each_row(rows, eta, others):
    """Return the kernel's log density of every row, weights applied, shape (n,).

    Parameters
    ----------
    rows
        As of `evaluate`.
    eta, others
        Shapes (n,) and (K, 1).
    """
    code, y, known, weights = rows
    by_known = int(known.shape[1] > 1)
    out, slope, other_slopes = np.empty(len(y)), np.empty(1), np.zeros(others.shape)
    for i in range(len(y)):
        e = i * by_known
        out[i] = total(
            code, y[i : i + 1], eta[i : i + 1], others, known[:, e : e + 1], weights[i : i + 1],
            slope, other_slopes,
        )  # fmt: skip
    return out


@njit(cache=True, nogil=True, parallel=True, error_model="numpy")
def evaluate(base, Z, factors, others, rows, starts, rule, modes, by_row):
    """Return log likelihoods of groups, or of rows given the others of their group.

    Parameters
    ----------
    base
        Linear predictors without the effects, rows in the order of the groups, shape (S, n).
    Z
        Effect columns, shape (n, q).
    factors
        F of the effects' covariance F F', shape (S, q, q).
    others
        Further parameters on the whole line, shape (S, K).
    rows
        Code of the family, y, known and weights, these of shape (n,); see
        `families.rows.add_rows`.
    starts
        First row of each group, shape (J + 1,).
    rule
        Nodes and log weights.
    modes
        Where searches begin, shape (J, q).
    by_row
        Whether of rows.

    Returns
    -------
    array, shape (S, J) or (S, n)
        Up to the constants of the family's kernel; NaN where no mode was found.
    """
    S, n = base.shape
    out = np.empty((S, n if by_row else len(starts) - 1))
    for s in prange(S):
        T = np.empty(Z.shape)
        scale_columns(Z, factors[s], T)
        own = others[s].copy().reshape(-1, 1)
        one_vector(base[s], T, own, private(rows), starts, rule, modes, by_row, out[s])
    return out
