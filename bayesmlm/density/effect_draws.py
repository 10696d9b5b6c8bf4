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
from bayesmlm.density.streams import uniform
from bayesmlm.families.rows import densities

MOVES = 6
SCALE = 0.65
"""Of the logistic variables: a normal density is nowhere above 1.08 times theirs."""


@njit(cache=True, nogil=True, error_model="numpy")
def propose(v, M, stream, x, out, weight):
    """Set out to draws of the groups' proposals, and weight to -out'out / 2 less their log density.

    Parameters
    ----------
    v, M
        Modes and inverse roots of the curvature, shapes (G, q) and (G, q, q).
    stream
        Shape (1,).
    x
        Room to work in, shape (q,).
    out, weight
        Shapes (G, q) and (G,).
    """
    G, q = v.shape
    for g in range(G):
        total = 0.0
        for a in range(q):
            u = uniform(stream)
            low, high = np.log(u), np.log(1.0 - u)
            x[a] = SCALE * (low - high)
            total -= low + high
        for a in range(q):
            place = v[g, a]
            for b in range(a, q):
                place += M[g, a, b] * x[b]
            out[g, a] = place
            total -= 0.5 * place * place
        weight[g] = total


@njit(cache=True, nogil=True, error_model="numpy")
def draw_standard(base, T, others, rows, starts, stream, v):
    """Replace v, shape (J, q), from which modes are sought, by draws of standard effects."""
    q, J = len(T), len(starts) - 1
    found = room(starts, ROWS, q)
    M, eta, slopes = found[0], found[2], found[3]
    now, tried, x = np.empty((len(M), q)), np.empty((len(M), q)), np.empty(q)
    weight, kept = np.empty(len(M)), np.empty(len(M))
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
            propose(modes, M, stream, x, tried, weight)
            predict(base, T, bounds, tried, eta)
            densities(code, y, eta[:n], others, known, w, slopes[0, :n], slopes[1:, :n])
            add_groups(slopes[0], bounds, weight[:G])
            for g in range(G):
                if np.log(uniform(stream)) < weight[g] - kept[g]:
                    kept[g] = weight[g]
                    now[g] = tried[g]
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
