"""Draws of one grouping's effects given everything else, compiled.

Group by group an independence chain proposes about the group's mode, by the inverse root of the
curvature there times independent logistic variables, and is kept after `MOVES` steps: exact in
the limit, and close at once, the proposal being close.

References
----------
Tierney (1994), doi:10.1214/aos/1176325750.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from bayesmlm.density.chunks import (
    ROWS,
    add_groups,
    fixed_part,
    part,
    predict,
    private,
    room,
    scale_columns,
    until,
)
from bayesmlm.density.group_mode import ROUGH, find_modes
from bayesmlm.density.streams import fill
from bayesmlm.families.rows import densities
from bayesmlm.families.special import logarithm

MOVES = 6
SCALE = 0.65
"""Of the logistic variables: a normal density is nowhere above 1.08 times theirs."""


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def noise(stream, x, weight, log_u):
    """Set independent logistic variables, minus their log density, and logs of uniform ones.

    Parameters
    ----------
    stream
        Shape (1,).
    x, weight
        Set, shape (Gq,).
    log_u
        Set, shape (G,).
    """
    fill(stream, x)
    fill(stream, log_u)
    for i in range(len(x)):
        low, high = logarithm(x[i]), logarithm(1.0 - x[i])
        x[i] = SCALE * (low - high)
        weight[i] = -low - high
    for i in range(len(log_u)):
        log_u[i] = logarithm(log_u[i])


@njit(cache=True, nogil=True, error_model="numpy")
def propose(v, M, x, own, out, weight):
    """Set out to draws of the groups' proposals, and weight to -out'out / 2 less their log density.

    Parameters
    ----------
    v, M
        Modes and inverse roots of the curvature, shapes (G, q) and (G, q, q).
    x, own
        Of `noise`.
    out, weight
        Shapes (G, q) and (G,).
    """
    G, q = v.shape
    for g in range(G):
        total = 0.0
        for a in range(q):
            place = v[g, a]
            for b in range(a, q):
                place += M[g, a, b] * x[g * q + b]
            out[g, a] = place
            total += own[g * q + a] - 0.5 * place * place
        weight[g] = total


@njit(cache=True, nogil=True, error_model="numpy")
def draw_standard(base, T, others, rows, starts, stream, v):
    """Replace v, shape (J, q), from which modes are sought, by draws of standard effects."""
    q, J = len(T), len(starts) - 1
    found = room(starts, ROWS, q)
    M, eta, slopes = found[0], found[2], found[3]
    now, tried = np.empty((len(M), q)), np.empty((len(M), q))
    weight, kept, log_u = np.empty(len(M)), np.empty(len(M)), np.empty(len(M))
    x, own_weight = np.empty(len(M) * q), np.empty(len(M) * q)
    j = 0
    while j < J:
        last = until(starts, j, ROWS)
        a, b, G = starts[j], starts[last], last - j
        bounds, modes, n = starts[j : last + 1], v[j:last], b - a
        own = part(rows, a, b)
        code, y, known, w = own
        find_modes(own, base, T, others, bounds, modes, ROUGH, found)
        kept[:] = -np.inf
        for _ in range(MOVES):
            noise(stream, x[: G * q], own_weight, log_u[:G])
            propose(modes, M, x, own_weight, tried, weight)
            predict(base, T, bounds, tried, eta)
            densities(code, y, eta[:n], others, known, w, slopes[0, :n], slopes[1:, :n])
            add_groups(slopes[0], bounds, weight[:G])
            for g in range(G):
                if log_u[g] < weight[g] - kept[g]:
                    kept[g] = weight[g]
                    for c in range(q):
                        now[g, c] = tried[g, c]
        v[j:last] = now[:G]
        j = last


@njit(cache=True, nogil=True, error_model="numpy")
def draw(
    first, last, beta, G, factors, others, streams, offset, X, Z, rows, starts, modes, effects
):  # fmt: skip
    """Set effects given parameter vectors first to last of S.

    Parameters
    ----------
    beta, G, factors, others
        Shapes (S, p), (S, q, q), (S, q, q) and (S, K); factors are of the covariance.
    streams
        One a vector, shape (S, 1).
    modes
        Where the search for the modes begins, shape (J, q).
    effects
        Set, shape (S, J, q).
    """
    N, (J, q) = len(offset), modes.shape
    base, T, v = np.empty(N), np.empty((q, N)), np.empty((J, q))
    own = private(rows)
    for s in range(first, last):
        v[:] = modes
        fixed_part(offset, X, beta[s], base)
        scale_columns(Z, G[s], T)
        draw_standard(base, T, others[s].copy().reshape(-1, 1), own, starts, streams[s], v)
        for j in range(J):
            for a in range(q):
                total = 0.0
                for b in range(a + 1):
                    total += factors[s, a, b] * v[j, b]
                effects[s, j, a] = total
