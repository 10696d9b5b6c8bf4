"""Draws of one grouping's effects given everything else, compiled.

Group by group an independence chain proposes from a multivariate t distribution about the
group's mode, with the curvature there, and is kept after `MOVES` steps: exact in the limit,
and close at once, the proposal being close.

References
----------
Tierney (1994), doi:10.1214/aos/1176325750.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from bayesmlm.density.group_mode import ROUGH, find_mode, predict, private
from bayesmlm.density.quadrature_kernel import fixed_part, scale_columns
from bayesmlm.families.rows import total

MOVES = 6
FREEDOM = 5.0
"""Degrees of freedom of the proposals."""


@njit(cache=True, nogil=True, error_model="numpy")
def propose(v, M, out):
    """Set out to a draw of the proposal; gives minus its log density and -out'out / 2."""
    q = len(v)
    stretch = np.sqrt(FREEDOM / (2.0 * np.random.standard_gamma(0.5 * FREEDOM)))  # noqa: NPY002
    length = 0.0
    for a in range(q):
        out[a] = v[a]
    for b in range(q):
        x = stretch * np.random.standard_normal()  # noqa: NPY002
        length += x * x
        for a in range(b + 1):
            out[a] += M[a, b] * x
    prior = 0.0
    for a in range(q):
        prior -= 0.5 * out[a] ** 2
    return prior + 0.5 * (FREEDOM + q) * np.log1p(length / FREEDOM)


@njit(cache=True, nogil=True, error_model="numpy")
def draw_standard(base, T, others, rows, starts, v):
    """Replace v, shape (J, q), from which modes are sought, by draws of standard effects."""
    code, y, known, weights = rows
    q, J, N = T.shape[1], len(starts) - 1, len(y)
    eta, first, second, third = np.empty(N), np.empty(N), np.empty(N), np.empty(N)
    M, now, tried = np.empty((q, q)), np.empty(q), np.empty(q)
    other_slopes, room = np.zeros(others.shape), np.empty((3 + q, q))
    by_known, by_weight = int(known.shape[1] > 1), int(len(weights) > 1)
    for j in range(J):
        a, b = starts[j], starts[j + 1]
        own = known[:, a * by_known : (b - 1) * by_known + 1]
        w = weights[a * by_weight : (b - 1) * by_weight + 1]
        find_mode(
            code, y[a:b], base[a:b], T[a:b], others, own, w, v[j], M,
            eta[a:b], (first[a:b], second[a:b], third[a:b]), ROUGH, room,
        )  # fmt: skip
        value = -np.inf
        for _ in range(MOVES):
            weight = propose(v[j], M, tried)
            predict(base[a:b], T[a:b], tried, eta[a:b])
            weight += total(code, y[a:b], eta[a:b], others, own, w, first[a:b], other_slopes)
            if np.log(np.random.random()) < weight - value:  # noqa: NPY002
                value = weight
                now[:] = tried
        v[j] = now


@njit(cache=True, nogil=True, parallel=True, error_model="numpy")
def draw(beta, G, factors, others, seeds, offset, X, Z, rows, starts, modes):
    """Return effects given S parameter vectors, shape (S, J, q).

    Parameters
    ----------
    beta, G, factors, others
        Shapes (S, p), (S, q, q), (S, q, q) and (S, K); factors are of the covariance.
    seeds
        One a vector, shape (S,).
    modes
        Where the search for the modes begins, shape (J, q).
    """
    S, N, q = len(beta), len(offset), Z.shape[1]
    J = len(modes)
    effects = np.empty((S, J, q))
    for s in prange(S):
        np.random.seed(seeds[s])  # noqa: NPY002
        base, T, v = np.empty(N), np.empty((N, q)), modes.copy()
        fixed_part(offset, X, beta[s], base)
        scale_columns(Z, G[s], T)
        draw_standard(base, T, others[s].copy().reshape(-1, 1), private(rows), starts, v)
        for j in range(J):
            for a in range(q):
                effects[s, j, a] = 0.0
                for b in range(a + 1):
                    effects[s, j, a] += factors[s, a, b] * v[j, b]
    return effects
