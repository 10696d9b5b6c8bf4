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
from numba import njit

from bayesmlm.density.chunks import part, place, predict, private, room, scale_columns
from bayesmlm.density.group_mode import CLOSE, find_modes
from bayesmlm.families.rows import densities

TELLING = 0.1
"""Share of the curvature at the mode from which a row gets nodes of its own."""


@njit(cache=True, nogil=True, error_model="numpy")
def log_sum(h):
    """Return log sum exp(h)."""
    best, mass = h.max(), 0.0
    for k in range(len(h)):
        mass += np.exp(h[k] - best)
    return best + np.log(mass)


@njit(cache=True, nogil=True, error_model="numpy")
def integral(own, base, T, others, bounds, rule, v, found, at, h, values, slopes):
    """Return the log likelihood of one group, its effects integrated out.

    Parameters
    ----------
    own
        Code of the family, y, known and weights of the group's n rows.
    base, T, others, bounds, v, found
        As of `group_mode.find_modes`, of one group; v is moved to the mode.
    rule
        Nodes (K, q) and log weights (K,).
    at, slopes
        To work in, shapes (1, q) and (3, n).
    h, values
        Set to the terms of the sum (K,), and the rows' log densities at each node (K, n).
    """
    nodes, log_weights = rule
    M, log_M, eta = found[0], found[1], found[2]
    code, y, known, weights = own
    n = len(y)
    find_modes(own, base, T, others, bounds, v, CLOSE, found)
    length = np.empty(1)
    for k in range(len(h)):
        place(v, M[:1], nodes[k], at, length)
        predict(base, T, bounds, at, eta)
        densities(code, y, eta[:n], others, known, weights, values[k], slopes)
        h[k] = log_M[0] + log_weights[k] + length[0] + values[k].sum()
    return log_sum(h)


@njit(cache=True, nogil=True, error_model="numpy")
def share_of_curvature(M, T, i, second):
    """Return the share that row i with a second derivative has."""
    length = 0.0
    for b in range(len(T)):
        turned = 0.0
        for a in range(b + 1):
            turned += M[a, b] * T[a, i]
        length += turned**2
    return -second * length


@njit(cache=True, nogil=True, error_model="numpy")
def group_rows(own, base, T, others, bounds, rule, v, found, at, h, values, whole, out):
    """Set out to the values of the rows of one group, given what `integral` set."""
    code, y, known, weights = own
    n, K = len(y), len(h)
    second, root = found[3][2, :n].copy(), found[0][0].copy()
    own_v, own_h, spare = np.empty(v.shape), np.empty(K), np.empty((K, n))
    slopes = np.empty((3, n))
    for i in range(n):
        if share_of_curvature(root, T, bounds[0] + i, second[i]) < TELLING:
            for k in range(K):
                own_h[k] = h[k] - values[k, i]
            out[i] = whole - log_sum(own_h)
            continue
        rest = np.empty(n)
        rest[:] = weights
        rest[i] = 0.0
        own_v[:] = v
        left = (code, y, known, rest)
        out[i] = whole - integral(
            left, base, T, others, bounds, rule, own_v, found, at, own_h, spare, slopes
        )


@njit(cache=True, nogil=True, error_model="numpy")
def one_vector(base, T, others, rows, starts, rule, modes, by_row, out):
    """Set out to the values of all groups, or of all rows, at one parameter vector."""
    nodes, _ = rule
    K, q = nodes.shape
    found, v, at, h = room(starts, 1, q), np.empty((1, q)), np.empty((1, q)), np.empty(K)
    for j in range(len(starts) - 1):
        a, b = starts[j], starts[j + 1]
        bounds, own = starts[j : j + 2], part(rows, a, b)
        values, slopes = np.empty((K, b - a)), np.empty((3, b - a))
        v[0] = modes[j]
        whole = integral(own, base, T, others, bounds, rule, v, found, at, h, values, slopes)
        if by_row:
            group_rows(own, base, T, others, bounds, rule, v, found, at, h, values, whole, out[a:b])
        else:
            out[j] = whole


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
    out = np.empty(len(y))
    densities(code, y, eta, others, known, weights, out, np.empty((3, len(y))))
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def evaluate(first, last, base, Z, factors, others, rows, starts, rule, modes, by_row, out):
    """Set log likelihoods of groups, or of rows given the others of their group.

    Parameters
    ----------
    first, last
        Which parameter vectors of S.
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
    out
        Set, shape (S, J) or (S, n), up to the constants of the family's kernel; NaN where no
        mode was found.
    """
    T, own = np.empty(Z.shape[::-1]), private(rows)
    for s in range(first, last):
        scale_columns(Z, factors[s], T)
        further = others[s].copy().reshape(-1, 1)
        one_vector(base[s], T, further, own, starts, rule, modes, by_row, out[s])
