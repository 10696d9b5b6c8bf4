"""Draws of one group's effects in a generalized model, each with its importance weight."""

from __future__ import annotations

import numpy as np
from numba import njit

from bayesmlm.density.chunks import predict, room, scale_columns
from bayesmlm.density.effect_draws import noise, propose
from bayesmlm.density.group_mode import CLOSE, find_modes
from bayesmlm.families.rows import densities


@njit(cache=True, nogil=True, error_model="numpy")
def draw_weighted(base, L, others, Z, rows, stream):
    """Return standard effects v, one draw a parameter vector, and their log weights.

    Logistic variables at the mode, scaled by the curvature there, propose each; its weight is
    p(y | v) p(v) over the proposal's density, up to a constant. The mean weight estimates
    p(y) of the parameter vector; minus infinity where no mode is found.

    Parameters
    ----------
    base
        Linear predictor without the effects, shape (S, n).
    L
        Factors of the effects' covariance, u = L v, shape (S, q, q).
    others
        Further parameters on the whole line, shape (S, K).
    Z, rows
        Effect columns, shape (n, q); code of the family, y, known and weights, as of
        `families.rows.add_rows`.
    stream
        Of the draws, shape (1,).
    """
    code, y, known, weights = rows
    (S, n), q = base.shape, Z.shape[1]
    bounds = np.array([0, n])
    drawn, log_weights = np.zeros((S, q)), np.full(S, -np.inf)
    found, T, v, tried = room(bounds, n, q), np.empty((q, n)), np.zeros((1, q)), np.empty((1, q))
    M, log_M, eta = found[0], found[1], found[2]
    x, own_weight, log_u, weight = np.empty(q), np.empty(q), np.empty(1), np.empty(1)
    values, slopes = np.empty(n), np.empty((3, n))
    for s in range(S):
        scale_columns(Z, L[s], T)
        own = others[s].copy().reshape(-1, 1)
        find_modes(rows, base[s], T, own, bounds, v, CLOSE, found)
        noise(stream, x, own_weight, log_u)
        if np.isnan(log_M[0]):
            v[:] = 0.0
            continue
        propose(v, M, x, own_weight, tried, weight)
        predict(base[s], T, bounds, tried, eta)
        densities(code, y, eta[:n], own, known, weights, values, slopes)
        log_weights[s] = log_M[0] + weight[0] + values.sum()
        drawn[s] = tried[0]
    return drawn, log_weights
