"""Kernels for crossed groupings: the leading one eliminated, the rest dense.

The grouping with most levels gives a block diagonal, eliminated group by group; each of its
groups touches few levels of the other groupings, so the Schur complement costs little. What
remains, the other effects, the fixed effects and the response (m columns), is factored as
one dense matrix by LAPACK.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from bayesmlm.density.blocks import factor_rows

WIDEST = 1e6
"""Largest ratio of an effect's scale to the residual SD that is computed."""

LARGEST = 1e13
"""Largest diagonal entry of the complement, of which the smallest is about one."""


@njit(cache=True, nogil=True, error_model="numpy")
def lead_factor(ZZ, dense, data, start, stop, G, inverse, M):
    """Set M = [C | C⁻¹ G' couplings / sigma²] of one leading group; gives log|C|.

    Columns after the factor: response and fixed columns (`dense`), then the touched ones.
    """
    q, extra = dense.shape
    for a in range(q):
        for b in range(q):
            total = 0.0
            for c in range(q):
                for d in range(q):
                    total += G[c, a] * ZZ[c, d] * G[d, b]
            M[a, b] = total * inverse + (1.0 if a == b else 0.0)
        for c in range(extra):
            total = 0.0
            for b in range(q):
                total += G[b, a] * dense[b, c]
            M[a, q + c] = total * inverse
        for t in range(start, stop):
            total = 0.0
            for b in range(q):
                total += G[b, a] * data[t, b]
            M[a, q + extra + t - start] = total * inverse
    return factor_rows(M[:, : q + extra + stop - start], q)


@njit(cache=True, nogil=True, error_model="numpy")
def scale_rest(H, G, sizes, widths):
    """Apply the scales of the other groupings to both sides of the lower triangle of H."""
    m = H.shape[0]
    scale = np.ones(m)
    column = 0
    at = 0
    for k in range(len(sizes)):
        w = widths[k]
        if w == 1:
            scale[column : column + sizes[k]] = G[at]
        else:
            for j in range(sizes[k]):
                scale_block(H, G, at, w, column + j * w)
        column += sizes[k] * w
        at += w * w
    for c in range(m):
        for r in range(c, m):
            H[r, c] *= scale[r] * scale[c]


@njit(cache=True, nogil=True, error_model="numpy")
def scale_block(H, G, at, w, first):
    """Apply one group's scale to its rows and columns of the lower triangle of H."""
    m = H.shape[0]
    old = np.empty(w)
    for r in range(first + w, m):
        for a in range(w):
            old[a] = H[r, first + a]
        for b in range(w):
            total = 0.0
            for a in range(w):
                total += old[a] * G[at + a * w + b]
            H[r, first + b] = total
    for c in range(first):
        for a in range(w):
            old[a] = H[first + a, c]
        for b in range(w):
            total = 0.0
            for a in range(w):
                total += G[at + a * w + b] * old[a]
            H[first + b, c] = total
    own = np.empty((w, w))
    for a in range(w):
        for b in range(w):
            own[a, b] = H[first + max(a, b), first + min(a, b)]
    for a in range(w):
        for b in range(a + 1):
            total = 0.0
            for c in range(w):
                for d in range(w):
                    total += G[at + c * w + a] * own[c, d] * G[at + d * w + b]
            H[first + a, first + b] = total


@njit(cache=True, nogil=True, error_model="numpy")
def complement(ZZ, dense, indptr, indices, data, C, sizes, widths, G, sigma, prior):
    """Return the log determinant of the leading part and the penalised Schur complement.

    The complement is in Fortran order, as LAPACK wants it; only its lower triangle is set.
    """
    J, q = ZZ.shape[:2]
    m = C.shape[0]
    extra = dense.shape[2]
    effects = m - extra
    inverse = 1.0 / (sigma * sigma)
    H = (C * inverse).T
    lead = G[: q * q].copy().reshape(q, q)
    M = np.empty((q, q + extra + np.diff(indptr).max()))
    log_det = 0.0
    for j in range(J):
        start, stop = indptr[j], indptr[j + 1]
        log_det += lead_factor(ZZ[j], dense[j], data, start, stop, lead, inverse, M)
        n = stop - start
        for u in range(n):
            c = indices[start + u]
            for t in range(u, n):
                total = 0.0
                for a in range(q):
                    total += M[a, q + extra + t] * M[a, q + extra + u]
                H[indices[start + t], c] -= total
            for e in range(extra):
                total = 0.0
                for a in range(q):
                    total += M[a, q + extra + u] * M[a, q + e]
                H[effects + e, c] -= total
        for e in range(extra):
            for f in range(e + 1):
                for a in range(q):
                    H[effects + e, effects + f] -= M[a, q + e] * M[a, q + f]
    scale_rest(H, G[q * q :], sizes, widths)
    for r in range(effects):
        H[r, r] += 1.0
    H[effects:, effects:] += prior
    H[m - 1, m - 1] += 1.0  # a quadratic form near zero must not fail to factor; see figures
    return 2.0 * log_det, H


@njit(cache=True, nogil=True, error_model="numpy")
def figures(log_det, L, extra):
    """Return the three figures of `evaluate` from the factor of the complement."""
    out = np.empty(3)
    effects = L.shape[0] - extra
    for r in range(effects):
        log_det += 2.0 * np.log(L[r, r])
    fixed = 0.0
    for r in range(effects, L.shape[0] - 1):
        fixed += 2.0 * np.log(L[r, r])
    out[0] = log_det
    out[1] = fixed
    out[2] = L[-1, -1] ** 2 - 1.0
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def is_extreme(G, sigma):
    """Whether effects are so large beside the residual that the complement loses all digits.

    LAPACK's failure is an exception, which nothing could catch inside a parallel loop.
    """
    extreme = False
    for value in G:
        extreme |= not abs(value) < WIDEST * sigma
    return extreme


@njit(cache=True, nogil=True, error_model="numpy")
def is_factorable(H):
    """Whether the lower triangle of H is far from the limits of double precision.

    Numba looks at the upper triangle too, so that is set to zero.
    """
    for c in range(H.shape[0]):
        H[:c, c] = 0.0
        for r in range(c, H.shape[0]):
            if not abs(H[r, c]) < LARGEST:
                return False
    return True


@njit(cache=True, parallel=True, error_model="numpy")
def evaluate(ZZ, dense, indptr, indices, data, C, sizes, widths, G, sigma, prior):
    """Evaluate a batch of hyperparameters; see `nested.evaluate`."""
    out = np.empty((len(sigma), 3))
    for s in prange(len(sigma)):
        if is_extreme(G[s], sigma[s]):
            out[s] = np.nan
            continue
        log_det, H = complement(
            ZZ, dense, indptr, indices, data, C, sizes, widths, G[s], sigma[s], prior
        )
        if is_factorable(H):
            out[s] = figures(log_det, np.linalg.cholesky(H), dense.shape[2])
        else:
            out[s] = np.nan
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def back_substitute(L, n, value):
    """Replace value by L[:n, :n]'⁻¹ value; L is in Fortran order."""
    for r in range(n - 1, -1, -1):
        total = value[r]
        for c in range(r + 1, n):
            total -= L[c, r] * value[c]
        value[r] = total / L[r, r]


@njit(cache=True, nogil=True, error_model="numpy")
def rest_scale(value, G, sizes, widths):
    """Return the effects of the other groupings in the coordinates of their columns."""
    out = value.copy()
    column = 0
    at = 0
    for k in range(len(sizes)):
        w = widths[k]
        for _ in range(sizes[k]):
            for a in range(w):
                total = 0.0
                for b in range(w):
                    total += G[at + a * w + b] * value[column + b]
                out[column + a] = total
            column += w
        at += w * w
    return out


@njit(cache=True, parallel=True, error_model="numpy")
def draw(
    ZZ,
    dense,
    indptr,
    indices,
    data,
    C,
    sizes,
    widths,
    G,
    sigma,
    prior,
    first_draw,
    noise,
    noise_beta,
):
    """Draw standardised effects and fixed effects, the leading grouping left out.

    See `nested.draw`.
    """
    m = C.shape[0]
    effects = m - dense.shape[2]
    p = dense.shape[2] - 1
    z = np.empty_like(noise)
    beta = np.empty((len(noise), p))
    for u in prange(len(sigma)):
        _, H = complement(ZZ, dense, indptr, indices, data, C, sizes, widths, G[u], sigma[u], prior)
        is_factorable(H)
        L = np.linalg.cholesky(H)
        for s in range(first_draw[u], first_draw[u + 1]):
            value = np.empty(m - 1)
            for r in range(effects):
                value[r] = L[m - 1, r] + noise[s, r]
            for r in range(p):
                value[effects + r] = L[m - 1, effects + r] + noise_beta[s, r]
            back_substitute(L, m - 1, value)
            z[s] = value[:effects]
            beta[s] = value[effects:]
    return z, beta
