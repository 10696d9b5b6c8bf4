"""Draws of effects of nested groupings from the factors that `bayesmlm.density.nested` gives."""

from __future__ import annotations

import numpy as np
from numba import njit

from bayesmlm.density.blocks import solve_vector
from bayesmlm.density.nested import close, eliminate, eliminated, total_of
from bayesmlm.density.threads import spread


@njit(cache=True, nogil=True, error_model="numpy")
def draw_effects(rows, starts, widths, parents, parent_starts, families, p, noise, beta, z):
    """Set z to the effects of level 1 and up given the fixed effects, the outermost first."""
    levels = len(widths)
    first = len(noise)
    own_value = np.empty(total_of(widths))
    D = p + 1
    above = 0
    for k in range(levels - 1, 0, -1):
        q = widths[k]
        D += q
        J = families[len(families) - 1, k]
        above = first
        first -= J * q
        for j in range(J):
            at = starts[k] + j * q * D
            for a in range(q):
                own_value[a] = rows[at + a * D + D - 1] + noise[first + j * q + a]
            column = at + q
            group = j
            here = above
            for m in range(k + 1, levels):
                group = parents[parent_starts[m - 1] + group]
                w = widths[m]
                for c in range(w):
                    known = z[here + group * w + c]
                    for a in range(q):
                        own_value[a] -= rows[column + a * D + c] * known
                column += w
                here += families[len(families) - 1, m] * w
            for c in range(p):
                for a in range(q):
                    own_value[a] -= rows[column + a * D + c] * beta[c]
            solve_vector(rows, at, q, D, own_value)
            for a in range(q):
                z[first + j * q + a] = own_value[a]


@njit(cache=True, nogil=True, error_model="numpy")
def draw_fixed(first, last, root, sigma, prior, tops, begin, first_draw, noise_beta, beta):
    """Set the fixed effects of vectors `first` to `last`.

    Parameters
    ----------
    tops, begin
        What families take from the fixed part and response, of vectors from `begin` on.
    """
    p = root.shape[0] - 1
    for u in range(first, last):
        top, _ = close(root, sigma[u], prior, tops[u - begin])
        for s in range(first_draw[u], first_draw[u + 1]):
            for a in range(p):
                beta[s, a] = top[a * (p + 1) + p] + noise_beta[s, a]
            solve_vector(top, 0, p, p + 1, beta[s])


@njit(cache=True, nogil=True, error_model="numpy")
def draw_range(
    first, last, own, starts, widths, parents, parent_starts, families, root, G, sigma, prior,
    first_draw, noise, noise_beta, z, beta,
):  # fmt: skip
    """Set the draws of hyperparameter vectors `first` to `last`; see `draw`."""
    p = root.shape[0] - 1
    F = len(families) - 1
    rows = np.empty(len(own) if len(widths) > 1 else 0)
    tops = np.empty((1, F, root.size))
    for u in range(first, last):
        tops[:] = 0.0
        for f in range(F):
            eliminate(
                own, starts, widths, parents, parent_starts, families, f, p, G[u], sigma[u], rows,
                tops[0, f],
            )  # fmt: skip
        draw_fixed(u, u + 1, root, sigma, prior, tops, u, first_draw, noise_beta, beta)
        for s in range(first_draw[u], first_draw[u + 1]):
            draw_effects(
                rows, starts, widths, parents, parent_starts, families, p, noise[s], beta[s], z[s]
            )


def draw(
    work, own, starts, widths, parents, parent_starts, families, root, G, sigma, prior,
    first_draw, noise, noise_beta,
):  # fmt: skip
    """Draw standardised effects and fixed effects from their conditional distribution.

    The innermost level is left out: see `bayesmlm.density.leading`.

    Parameters
    ----------
    work
        Rough number of multiplications.
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
    z, beta = np.empty_like(noise), np.empty_like(noise_beta)
    if len(widths) == 1:
        _, tops = eliminated(
            work, own, starts, widths, parents, parent_starts, families, root, G, sigma
        )
        few = float(tops.size * len(root) + beta.size * len(root))
        spread(
            draw_fixed, len(sigma), few, root, sigma, prior, tops, 0, first_draw, noise_beta, beta
        )
        return z, beta
    spread(
        draw_range, len(sigma), work,
        own, starts, widths, parents, parent_starts, families, root, G, sigma, prior,
        first_draw, noise, noise_beta, z, beta,
    )  # fmt: skip
    return z, beta
