"""Expected second moments of the effects of crossed groupings, for the gradient."""

from __future__ import annotations

import numpy as np
from numba import njit

from bayesmlm.density.blocks import inverse_of_factored, solve_columns, solve_transposed
from bayesmlm.density.crossed import (
    back_substitute,
    complement,
    figures,
    is_extreme,
    is_factorable,
    lead_factor,
    rest_scale,
)


@njit(cache=True, nogil=True, error_model="numpy")
def rest_covariance(H):
    """Return the covariance of all but the leading effects, from the complement."""
    n = H.shape[0] - 1
    joint = np.ascontiguousarray(H[:n, :n])
    for c in range(n):
        for r in range(c):
            joint[r, c] = joint[c, r]
    return np.linalg.inv(joint)


@njit(cache=True, nogil=True, error_model="numpy")
def add_rest(mean, joint, sizes, widths, second, at):
    """Add E[z z'] of the other groupings."""
    column = 0
    for k in range(len(sizes)):
        w = widths[k]
        for _ in range(sizes[k]):
            for a in range(w):
                for b in range(w):
                    second[at + a * w + b] += (
                        joint[column + a, column + b] + mean[column + a] * mean[column + b]
                    )
            column += w
        at += w * w


@njit(cache=True, nogil=True, error_model="numpy")
def add_lead(ZZ, dense, indptr, indices, data, lead, sigma, raw, scaled, second):
    """Add E[z z'] of the leading grouping.

    Parameters
    ----------
    raw, scaled
        Mean and covariance of all other effects, in the coordinates of their columns.
    """
    J, q = ZZ.shape[:2]
    extra = dense.shape[2]
    p = extra - 1
    effects = len(raw) - p
    M = np.empty((q, q + extra + np.diff(indptr).max()))
    mean = np.empty(q)
    for j in range(J):
        start, stop = indptr[j], indptr[j + 1]
        lead_factor(ZZ[j], dense[j], data, start, stop, lead, 1.0 / (sigma * sigma), M)
        n = p + stop - start
        place = np.empty(n, dtype=np.int64)
        place[:p] = effects + np.arange(p)
        place[p:] = indices[start:stop]
        K = np.empty((q, n))
        solve_columns(M, q, q, K[:, :p])
        solve_columns(M, q, q + extra, K[:, p:])
        mean[:] = M[:, q + p]
        solve_transposed(M, q, mean)
        spread = inverse_of_factored(M, q)
        for c in range(n):
            for a in range(q):
                mean[a] -= K[a, c] * raw[place[c]]
            for d in range(n):
                shared = scaled[place[c], place[d]]
                for a in range(q):
                    for b in range(q):
                        spread[a, b] += K[a, c] * shared * K[b, d]
        for a in range(q):
            for b in range(q):
                second[a * q + b] += spread[a, b] + mean[a] * mean[b]


@njit(cache=True, nogil=True, error_model="numpy")
def moments(ZZ, dense, indptr, indices, data, C, sizes, widths, G, sigma, prior):
    """Return what the gradient needs at one vector; see `nested_moments.moments`."""
    q = ZZ.shape[1]
    m = C.shape[0]
    extra = dense.shape[2]
    effects = m - extra
    second = np.zeros(q * q + np.sum(widths**2))
    log_det, H = complement(ZZ, dense, indptr, indices, data, C, sizes, widths, G, sigma, prior)
    if is_extreme(G, sigma) or not is_factorable(H):
        nothing = np.full((extra - 1, extra - 1), np.nan)
        return np.full(3, np.nan), second * np.nan, nothing[:, 0].copy(), nothing
    L = np.linalg.cholesky(H)
    mean = L[m - 1, : m - 1].copy()
    back_substitute(L, m - 1, mean)
    joint = rest_covariance(H)
    rest = G[q * q :]
    add_rest(mean, joint, sizes, widths, second, q * q)
    scaled = joint.copy()
    for r in range(m - 1):
        scaled[r] = rest_scale(scaled[r], rest, sizes, widths)
    for c in range(m - 1):
        scaled[:, c] = rest_scale(scaled[:, c].copy(), rest, sizes, widths)
    lead = G[: q * q].copy().reshape(q, q)
    raw = rest_scale(mean, rest, sizes, widths)
    add_lead(ZZ, dense, indptr, indices, data, lead, sigma, raw, scaled, second)
    return (
        figures(log_det, L, extra),
        second,
        mean[effects:].copy(),
        joint[effects:, effects:].copy(),
    )
