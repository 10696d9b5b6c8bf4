"""The modes and the curvatures of groups' effects, by damped Newton steps.

With standard effects v of a group and eta = base + T v, the mode of

    h(v) = sum_i w_i log p(y_i | eta_i) - v'v / 2.

All groups of a chunk of rows step together.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from bayesmlm.density.chunks import across, along, predict
from bayesmlm.families.rows import curvatures

LIMIT = 200
"""Steps, halvings among them, after which the search is given up."""

FOUND, LOST = -1, 1000
"""Marks of a group whose mode is found, and, added to its steps, of one that began anew."""

CLOSE, ROUGH = 1e-8, 0.1
"""Squared length, in SDs, of the Newton step that ends at a mode, whose error is of that size;
and where proposals about the mode are all that it is for."""


@njit(cache=True, nogil=True, error_model="numpy")
def inverse_root(T, second, span, M, C):
    """Set M, upper triangular, to H^(-1/2) with H = I + T' diag(-second) T; gives log|M|.

    Parameters
    ----------
    T, second
        Columns (q, N), and second derivatives of the chunk's rows (n,).
    span
        First row of the group, the one after its last, and the first of the chunk.
    M, C
        M set such that H^-1 = M M', and room to work in, shapes (q, q).
    """
    q, (low, high, first) = len(T), span
    for a in range(q):
        for b in range(a + 1):
            C[a, b] = (1.0 if a == b else 0.0) - across(T, a, b, second, low, high, first)
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
def flatten(second, low, high):
    """Set second derivatives of some rows that are not concave to zero."""
    for i in range(low, high):
        second[i] = min(second[i], 0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def newton(g, span, T, slopes, v, M, log_M, step, slope, close, small):
    """Take one group's next Newton step; gives 1, or 0 at the mode, or -1 where there is none.

    A Newton step along which the slope turns against it by more than it began with is
    halved. Rows that are not concave count as flat where the curvature is not positive.
    """
    q, (low, high, first) = len(T), span
    gradient, turned, C = small[0], small[1], small[2:]
    turn = 0.0
    for a in range(q):
        gradient[a] = along(T, a, slopes[1], low, high, first) - v[g, a]
        turn += gradient[a] * step[g, a]
    if slope[g] > 0.0 and not turn >= -slope[g]:
        slope[g] *= 0.5
        for a in range(q):
            step[g, a] *= 0.5
            v[g, a] -= step[g, a]
        return 1
    log_M[g] = inverse_root(T, slopes[2], span, M[g], C)
    concave = not np.isnan(log_M[g])
    if 0.0 < slope[g] < close:
        return 0 if concave else -1
    if not concave:
        flatten(slopes[2], low - first, high - first)
        inverse_root(T, slopes[2], span, M[g], C)
    slope[g] = 0.0
    for a in range(q):
        turned[a] = 0.0
        for b in range(a + 1):
            turned[a] += M[g, b, a] * gradient[b]
        slope[g] += turned[a] ** 2
    if not slope[g] < np.inf:
        return -1
    if slope[g] < 1e-24:
        return 0 if concave else -1
    for a in range(q):
        step[g, a] = 0.0
        for b in range(a, q):
            step[g, a] += M[g, a, b] * turned[b]
        v[g, a] += step[g, a]
    return 1


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def newton_of_one(bounds, T, slopes, v, M, log_M, step, slope, steps, close):
    """Do what `newton` does for single effects, for all groups at once; sets steps as they end.

    Gives the number of groups whose search goes on.
    """
    busy, first = 0, np.uint64(bounds[0])
    for g in range(len(bounds) - 1):
        if steps[g] == FOUND:
            continue
        low, high = np.uint64(bounds[g]), np.uint64(bounds[g + 1])
        gradient, information = -v[g, 0], 1.0
        for i in range(low, high):
            t = T[0, i]
            gradient += t * slopes[1, i - first]
            information -= t * t * slopes[2, i - first]
        steps[g] += 1
        busy += 1
        if slope[g] > 0.0 and not gradient * step[g, 0] >= -slope[g]:
            slope[g] *= 0.5
            step[g, 0] *= 0.5
            v[g, 0] -= step[g, 0]
            continue
        last, concave = 0.0 < slope[g] < close, information > 0.0
        if not concave:
            information = 1.0
            for i in range(low, high):
                information -= T[0, i] ** 2 * min(slopes[2, i - first], 0.0)
        if not last:
            slope[g] = gradient * gradient / information
            last = not 1e-24 <= slope[g] < np.inf
        if last and concave and slope[g] < np.inf:
            M[g, 0, 0] = 1.0 / np.sqrt(information)
            log_M[g] = -0.5 * np.log(information)
            steps[g] = FOUND
            busy -= 1
            continue
        if last:  # of no use
            steps[g] += LIMIT
            continue
        step[g, 0] = gradient / information
        v[g, 0] += step[g, 0]
    return busy


@njit(cache=True, nogil=True, error_model="numpy")
def newton_of_all(bounds, T, slopes, v, M, log_M, step, slope, steps, close, small):
    """Do what `newton_of_one` does for effects of any number."""
    busy = 0
    for g in range(len(bounds) - 1):
        if steps[g] == FOUND:
            continue
        span = (bounds[g], bounds[g + 1], bounds[0])
        state = newton(g, span, T, slopes, v, M, log_M, step, slope, close, small)
        steps[g] += 1
        if state == 0:
            steps[g] = FOUND
            continue
        if state < 0:
            steps[g] += LIMIT
        busy += 1
    return busy


@njit(cache=True, nogil=True, error_model="numpy")
def begin_anew(v, log_M, step, slope, steps):
    """Begin at the origin where a search is given up, or end where it began there; gives ends."""
    ended = 0
    for g in range(len(v)):
        if steps[g] == FOUND or steps[g] % LOST < LIMIT:
            continue
        if steps[g] >= LOST:
            log_M[g] = np.nan
            steps[g] = FOUND
            ended += 1
            continue
        steps[g], slope[g] = LOST, 0.0
        for a in range(v.shape[1]):
            v[g, a] = step[g, a] = 0.0
    return ended


@njit(cache=True, nogil=True, error_model="numpy")
def find_modes(rows, base, T, others, bounds, v, close, room):
    """Move v to the modes of a chunk's groups; from the origin where that fails from v.

    Parameters
    ----------
    rows, others
        Code of the family, y, known and weights of the chunk, and the family's other
        parameters; see `families.rows.add_rows`.
    base, T, bounds, v
        As of `chunks.predict`; v is where to start, and set.
    close
        `CLOSE` or `ROUGH`.
    room
        Of `chunks.room`. Its first arrays are set: M such that M M' is the inverse of the
        curvature, shape (G, q, q); log|M|, NaN where no mode is found, shape (G,); eta at the
        modes, and there log densities and three derivatives of the rows, shape (4, n).
    """
    code, y, known, weights = rows
    M, log_M, eta, slopes, step, slope, steps, small = room
    n = bounds[len(bounds) - 1] - bounds[0]
    steps[:] = 0
    step[:] = 0.0
    slope[:] = 0.0
    busy = 1
    while busy > 0:
        predict(base, T, bounds, v, eta)
        curvatures(
            code, y, eta[:n], others, known, weights, slopes[0, :n], slopes[1, :n], slopes[2, :n],
            slopes[3, :n],
        )  # fmt: skip
        if len(T) == 1:
            busy = newton_of_one(bounds, T, slopes, v, M, log_M, step, slope, steps, close)
        else:
            busy = newton_of_all(bounds, T, slopes, v, M, log_M, step, slope, steps, close, small)
        if busy > 0:
            busy -= begin_anew(v, log_M, step, slope, steps)
