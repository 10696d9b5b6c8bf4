"""The mode and the curvature of one group's effects, by damped Newton steps.

With standard effects v of a group and eta = base + T v, the mode of

    h(v) = sum_i w_i log p(y_i | eta_i) - v'v / 2.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from bayesmlm.families.rows import curvatures

LIMIT = 200
"""Steps, halvings among them, after which the search is given up."""

CLOSE, ROUGH = 1e-8, 1e-2
"""Squared length, in SDs, of a Newton step that ends at the mode: its error is of that size."""


@njit(cache=True, nogil=True, error_model="numpy")
def private(rows):
    """Return copies of the rows' arrays for one thread.

    Every slice of an array counts references to it, and threads that share the count wait
    for each other.
    """
    code, y, known, weights = rows
    return code, y.copy(), known.copy(), weights.copy()


@njit(cache=True, nogil=True, error_model="numpy")
def predict(base, T, v, eta):
    """Set eta = base + T v."""
    for i in range(len(base)):
        total = base[i]
        for a in range(len(v)):
            total += T[i, a] * v[a]
        eta[i] = total


@njit(cache=True, nogil=True, error_model="numpy")
def inverse_root(T, second, floor, M, C):
    """Set M, upper triangular, to H^(-1/2) with H = I + T' diag(-second) T; gives log|M|.

    Parameters
    ----------
    second
        Second derivatives of the rows, shape (n,).
    floor
        Whether rows that are not concave count as flat.
    M, C
        M set such that H^-1 = M M', and room to work in, shapes (q, q).
    """
    q = T.shape[1]
    for a in range(q):
        for b in range(a):
            C[a, b] = 0.0
        C[a, a] = 1.0
    for i in range(len(second)):
        w = -second[i]
        if floor and w < 0.0:
            w = 0.0
        for a in range(q):
            wt = w * T[i, a]
            for b in range(a + 1):
                C[a, b] += wt * T[i, b]
    log_det = 0.0
    for a in range(q):
        for b in range(a + 1):
            left = C[a, b]
            for c in range(b):
                left -= C[a, c] * C[b, c]
            if a > b:
                C[a, b] = left / C[b, b]
            else:
                if not left > 0.0:
                    return np.nan
                C[a, a] = np.sqrt(left)
        log_det -= np.log(C[a, a])
    for k in range(q):  # M' = C^-1, column by column
        for a in range(k):
            M[k, a] = 0.0
        for a in range(k, q):
            left = 1.0 if a == k else 0.0
            for b in range(k, a):
                left -= C[a, b] * M[k, b]
            M[k, a] = left / C[a, a]
    return log_det


@njit(cache=True, nogil=True, error_model="numpy")
def climb(code, y, base, T, others, known, weights, v, M, eta, slopes, close, room):
    """Move v to the mode and set M there; gives log|M|, NaN where no mode is found.

    A Newton step along which the slope turns against it by more than it began with is
    halved. Rows that are not concave count as flat until the curvature is positive.
    """
    q = len(v)
    first, second, third = slopes
    g, step, turned, C = room[0], room[1], room[2], room[3:]
    step[:] = 0.0
    slope = 0.0
    for iteration in range(LIMIT):
        predict(base, T, v, eta)
        curvatures(code, y, eta, others, known, weights, first, second, third)
        along = 0.0
        for a in range(q):
            g[a] = -v[a]
            for i in range(len(y)):
                g[a] += T[i, a] * first[i]
            along += g[a] * step[a]
        if iteration > 0 and not along >= -slope:
            slope *= 0.5
            for a in range(q):
                step[a] *= 0.5
                v[a] -= step[a]
            continue
        if 0.0 < slope < close:
            return inverse_root(T, second, False, M, C)
        if np.isnan(inverse_root(T, second, False, M, C)):
            inverse_root(T, second, True, M, C)
        slope = 0.0
        for a in range(q):
            turned[a] = 0.0
            for b in range(a + 1):
                turned[a] += M[b, a] * g[b]
            slope += turned[a] ** 2
        if not slope < np.inf:
            return np.nan
        if slope < 1e-24:
            return inverse_root(T, second, False, M, C)
        for a in range(q):
            step[a] = 0.0
            for b in range(a, q):
                step[a] += M[a, b] * turned[b]
            v[a] += step[a]
    return np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def find_mode(code, y, base, T, others, known, weights, v, M, eta, slopes, close, room):
    """Do what `climb` does; from the origin where it fails from v.

    Parameters
    ----------
    code, y, others, known, weights
        As of `families.rows.add_rows`, of one group's n rows.
    base, T
        Shapes (n,) and (n, q).
    v, M
        Where to start; set, shapes (q,) and (q, q).
    eta, slopes
        Set to the linear predictor at the mode and the first three derivatives there, (n,).
    close
        `CLOSE` or `ROUGH`.
    room
        To work in, shape (3 + q, q).
    """
    found = climb(code, y, base, T, others, known, weights, v, M, eta, slopes, close, room)
    if np.isnan(found):
        v[:] = 0.0
        found = climb(code, y, base, T, others, known, weights, v, M, eta, slopes, close, room)
    return found
