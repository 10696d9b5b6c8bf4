"""Draws of one group's effects in a generalized model, each with its importance weight."""

from __future__ import annotations

import numpy as np
from numba import njit

from bayesmlm.density.effect_draws import propose
from bayesmlm.density.group_mode import CLOSE, find_mode, predict
from bayesmlm.families.rows import total


@njit(cache=True, nogil=True, error_model="numpy")
def draw_weighted(base, L, others, Z, rows, seed):
    """Return standard effects v, one draw a parameter vector, and their log weights.

    A multivariate t at the mode, with the curvature there, proposes each; its weight is
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
    seed
        Of the draws.
    """
    code, y, known, weights = rows
    (S, n), q = base.shape, Z.shape[1]
    np.random.seed(seed)  # noqa: NPY002
    drawn, log_weights = np.zeros((S, q)), np.full(S, -np.inf)
    eta, first, second, third = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    v, M, tried, room = np.zeros(q), np.empty((q, q)), np.empty(q), np.empty((3 + q, q))
    T = np.empty((n, q))
    for s in range(S):
        for i in range(n):
            for a in range(q):
                T[i, a] = 0.0
                for b in range(q):
                    T[i, a] += Z[i, b] * L[s, b, a]
        own = others[s].copy().reshape(-1, 1)
        log_root = find_mode(
            code, y, base[s], T, own, known, weights, v, M, eta, (first, second, third), CLOSE, room
        )
        if np.isnan(log_root):
            v[:] = 0.0
            continue
        weight = propose(v, M, tried) + log_root
        predict(base[s], T, tried, eta)
        slopes = np.zeros(own.shape)
        log_weights[s] = weight + total(code, y, eta, own, known, weights, first, slopes)
        drawn[s] = tried
    return drawn, log_weights
