"""Kernels for one grouping, or for groupings that nest in one another.

Level k (from 0, the innermost) has J_k groups with q_k effects. A group's rows involve its
own effects, those of the groups it lies in, the fixed effects and the response, so its part
of the penalised normal equations is one small dense block. Eliminating the groups level by
level, innermost first, leaves the blocks of the next level small and dense; the cost is
linear in the number of groups, whatever the number of rows.

The arrays are flat: level k's own rows of cross-products, of shape (J_k, q_k, D_k) with
D_k = q_k + … + q_K + p + 1, start at ``starts[k]`` of `own`.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from bayesmlm.density.blocks import factor_rows, solve_transposed


@njit(cache=True, nogil=True, error_model="numpy")
def scaled_rows(raw, G, inverse_sigma2, q, widths, shift, out):
    """Set out = G_own' raw E / sigma², E the scales of all columns; adds I to the own block.

    Parameters
    ----------
    raw
        Cross-products, shape (q, D).
    G
        Scales of each level from this one on, stacked flat.
    widths
        Number of effects of each level from this one on.
    shift
        Where this level's scale starts in `G`.
    """
    D = raw.shape[1]
    half = np.empty((q, D))
    for a in range(q):
        for c in range(D):
            total = 0.0
            for b in range(q):
                total += G[shift + b * q + a] * raw[b, c]
            half[a, c] = total * inverse_sigma2
    column = 0
    at = shift
    for w in widths:
        for a in range(q):
            for c in range(w):
                total = 0.0
                for b in range(w):
                    total += half[a, column + b] * G[at + b * w + c]
                out[a, column + c] = total
        column += w
        at += w * w
    for a in range(q):
        for c in range(column, D):
            out[a, c] = half[a, c]
        out[a, a] += 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def eliminate(own, starts, sizes, widths, parents, parent_starts, root, G, sigma, prior, rows):
    """Eliminate every random effect.

    Parameters
    ----------
    own, starts, sizes, widths
        Cross-products and the numbers of groups and effects of each level.
    parents, parent_starts
        Group of the next level that each group lies in.
    root
        Cross-products of fixed columns and response, shape (p + 1, p + 1).
    G
        Scale of each level, flat.
    sigma
        Residual SD.
    prior
        Precision and precision times mean of the fixed effects, shape (p + 1, p + 1); its
        last entry is m'Pm.
    rows
        Filled, as `own` is, with each group's factor; not filled when of length zero.

    Returns
    -------
    log_det, top
        Log determinant of the random part, and the fixed part and response that remain,
        shape (p + 1, p + 1).
    """
    levels = len(sizes)
    inverse = 1.0 / (sigma * sigma)
    last = root.shape[0]
    top = root * inverse + prior
    log_det = 0.0
    shift = 0
    pending = np.zeros((0, 0, 0))
    for k in range(levels):
        q = widths[k]
        D = last
        for w in widths[k:]:
            D += w
        rest = D - q
        to_next = np.zeros((sizes[k + 1] if k + 1 < levels else 0, rest, rest))
        M = np.empty((q, D))
        at = starts[k]
        for j in range(sizes[k]):
            raw = own[at : at + q * D].reshape(q, D)
            scaled_rows(raw, G, inverse, q, widths[k:], shift, M)
            if k > 0:
                for a in range(q):
                    for c in range(D):
                        M[a, c] += pending[j, a, c]
            log_det += factor_rows(M, q)
            if len(rows) > 0:
                rows[at : at + q * D].reshape(q, D)[:] = M
            at += q * D
            if k + 1 < levels:
                target = to_next[parents[parent_starts[k] + j]]
            else:
                target = top
            for c in range(rest):
                for d in range(c + 1):
                    total = 0.0
                    for a in range(q):
                        total += M[a, q + c] * M[a, q + d]
                    if k > 0:
                        total -= pending[j, q + c, q + d]
                    target[c, d] -= total
                    if c != d:
                        target[d, c] -= total
        pending = to_next
        shift += q * q
    return 2.0 * log_det, top


@njit(cache=True, parallel=True, error_model="numpy")
def evaluate(own, starts, sizes, widths, parents, parent_starts, root, G, sigma, prior):
    """Evaluate a batch of hyperparameters.

    Parameters
    ----------
    G, sigma
        One row a hyperparameter vector: shapes (S, …) and (S,).

    Returns
    -------
    array, shape (S, 3)
        Log determinant of the random part, of the fixed part, and the quadratic form.
    """
    out = np.empty((len(sigma), 3))
    none = np.empty(0)
    for s in prange(len(sigma)):
        log_det, top = eliminate(
            own, starts, sizes, widths, parents, parent_starts, root, G[s], sigma[s], prior, none
        )
        out[s, 0] = log_det
        p = root.shape[0] - 1
        out[s, 1] = 2.0 * factor_rows(top, p) if p > 0 else 0.0
        quad = top[p, p]
        for a in range(p):
            quad -= top[a, p] * top[a, p]
        out[s, 2] = quad
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def draw_effects(rows, starts, sizes, widths, parents, parent_starts, p, noise, beta, z):
    """Set z to the effects of level 1 and up given the fixed effects, the outermost first."""
    levels = len(sizes)
    first = len(noise)
    above = 0
    for k in range(levels - 1, 0, -1):
        q = widths[k]
        D = p + 1
        for w in widths[k:]:
            D += w
        above = first
        first -= sizes[k] * q
        own_value = np.empty(q)
        for j in range(sizes[k]):
            at = starts[k] + j * q * D
            M = rows[at : at + q * D].reshape(q, D)
            for a in range(q):
                own_value[a] = M[a, D - 1] + noise[first + j * q + a]
            column = q
            group = j
            here = above
            for m in range(k + 1, levels):
                group = parents[parent_starts[m - 1] + group]
                w = widths[m]
                for c in range(w):
                    known = z[here + group * w + c]
                    for a in range(q):
                        own_value[a] -= M[a, column + c] * known
                column += w
                here += sizes[m] * w
            for c in range(p):
                for a in range(q):
                    own_value[a] -= M[a, column + c] * beta[c]
            solve_transposed(M, q, own_value)
            for a in range(q):
                z[first + j * q + a] = own_value[a]


@njit(cache=True, parallel=True, error_model="numpy")
def draw(
    own,
    starts,
    sizes,
    widths,
    parents,
    parent_starts,
    root,
    G,
    sigma,
    prior,
    first_draw,
    noise,
    noise_beta,
):
    """Draw standardised effects and fixed effects from their conditional distribution.

    The innermost level is left out: see `bayesmlm.density.leading`.

    Parameters
    ----------
    first_draw
        Draws ``first_draw[u]`` to ``first_draw[u + 1]`` are of hyperparameter vector u, which
        is factored once for all of them; shape (U + 1,).
    noise
        Standard normal, one row a draw, level by level from 1, shape (S, sum J_k q_k); zeros
        give the conditional mean.
    noise_beta
        Standard normal, shape (S, p).

    Returns
    -------
    z, beta
        Shapes as the noise.
    """
    p = root.shape[0] - 1
    z = np.empty_like(noise)
    beta = np.empty((len(noise), p))
    for u in prange(len(sigma)):
        rows = np.empty(len(own) if len(sizes) > 1 else 0)
        _, top = eliminate(
            own, starts, sizes, widths, parents, parent_starts, root, G[u], sigma[u], prior, rows
        )
        factor_rows(top, p)
        for s in range(first_draw[u], first_draw[u + 1]):
            value = np.empty(p)
            for a in range(p):
                value[a] = top[a, p] + noise_beta[s, a]
            solve_transposed(top, p, value)
            beta[s] = value
            draw_effects(
                rows, starts, sizes, widths, parents, parent_starts, p, noise[s], value, z[s]
            )
    return z, beta
