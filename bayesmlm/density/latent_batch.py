"""Batches of `latent_kernel.solve`, and draws of the latent field and of the leading effects."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from bayesmlm.density.dense import backward
from bayesmlm.density.effect_draws import draw_standard
from bayesmlm.density.group_mode import private
from bayesmlm.density.latent_kernel import field, solve
from bayesmlm.density.quadrature_kernel import fixed_part, scale_columns


@njit(cache=True, nogil=True, error_model="numpy")
def copied(data):
    """Return copies for one thread; see `group_mode.private`."""
    X, at, local, starts, touched_starts, touched = data
    return X.copy(), at.copy(), local.copy(), starts, touched_starts, touched.copy()


@njit(cache=True, nogil=True, error_model="numpy")
def scaled(G, widths, Z, T, B):
    """Set T and B to the scaled columns of the leading grouping and of the others.

    Parameters
    ----------
    G
        Scales of all groupings, flat.
    Z
        Columns of all groupings, side by side, shape (N, q + r).
    """
    q = widths[0]
    scale_columns(Z[:, :q], G[: q * q].copy().reshape(q, q), T)
    square, column = q * q, q
    for k in range(1, len(widths)):
        w = widths[k]
        own = G[square : square + w * w].copy().reshape(w, w)
        scale_columns(Z[:, column : column + w], own, B[:, column - q : column - q + w])
        square += w * w
        column += w


@njit(cache=True, nogil=True, parallel=True, error_model="numpy")
def evaluate(beta, G, others, offset, fixed, Z, widths, data, rows, prior, rule, joint, x, modes):
    """Return log p(y | psi) less log|P| / 2 of S parameter vectors, with fields and modes.

    Parameters
    ----------
    beta, G, others
        Coordinates of given fixed effects (S, f), flat scales (S, …), other parameters
        (S, K).
    offset, fixed, Z
        Shapes (N,), (N, f) and (N, q + r).
    data, rows, prior, rule, joint
        As of `latent_kernel.evaluate_field`.
    x, modes
        Where to start, shapes (m,) and (J, q).

    Returns
    -------
    values, fields, modes
        Shapes (S,), (S, m) and (S, J, q).
    """
    S, N, q, r = len(beta), len(offset), widths[0], Z.shape[1] - widths[0]
    values, fields = np.empty(S), np.empty((S, len(x)))
    found = np.empty((S, *modes.shape))
    for s in prange(S):
        base, T, B = np.empty(N), np.empty((N, q)), np.empty((N, r))
        fixed_part(offset, fixed, beta[s], base)
        scaled(G[s], widths, Z, T, B)
        fields[s], found[s] = x, modes
        C = np.empty((len(x), len(x)))
        own, mine = others[s].copy().reshape(-1, 1), private(rows)
        values[s] = solve(
            fields[s], T, B, base, own, copied(data), mine, prior, rule, joint, found[s], C
        )
    return values, fields, found


@njit(cache=True, nogil=True, parallel=True, error_model="numpy")
def draw(G, others, first_draw, seeds, offset, Z, widths, data, rows, prior, rule, joint, x, modes):
    """Draw fields, and given them standard leading effects.

    Parameters
    ----------
    first_draw
        First draw of each of the S vectors, shape (S + 1,).
    seeds
        One a vector, shape (S,).
    x
        Where each search begins, shape (S, m).

    Returns
    -------
    fields, effects
        Shapes (D, m) and (D, J, q), D draws.
    """
    S, N, q, r = len(G), len(offset), widths[0], Z.shape[1] - widths[0]
    m, D = x.shape[1], first_draw[-1]
    fields, effects = np.empty((D, m)), np.empty((D, *modes.shape))
    X, at, _, starts, _, _ = data
    for s in prange(S):
        np.random.seed(seeds[s])  # noqa: NPY002
        T, B, base = np.empty((N, q)), np.empty((N, r)), np.empty(N)
        scaled(G[s], widths, Z, T, B)
        centre, v, C = x[s].copy(), modes.copy(), np.empty((m, m))
        own, mine = others[s].copy().reshape(-1, 1), private(rows)
        solve(centre, T, B, offset, own, copied(data), mine, prior, rule, joint, v, C)
        for d in range(first_draw[s], first_draw[s + 1]):
            for c in range(m):
                fields[d, c] = np.random.standard_normal()  # noqa: NPY002
            backward(C, fields[d])
            for c in range(m):
                fields[d, c] += centre[c]
            field(offset, X, B, at, fields[d], base)
            effects[d] = v
            draw_standard(base, T, own, mine, starts, effects[d])
    return fields, effects
