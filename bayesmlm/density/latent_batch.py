"""Batches of `latent_kernel.solve`, and draws of the latent field and of the leading effects."""

from __future__ import annotations

import numpy as np
from numba import njit

from bayesmlm.density.chunks import fixed_part, private, scale_columns
from bayesmlm.density.dense import backward, forward
from bayesmlm.density.effect_draws import draw_standard
from bayesmlm.density.latent_kernel import field, solve


@njit(cache=True, nogil=True, error_model="numpy")
def copied(data):
    """Return copies for one thread; see `chunks.private`."""
    X, at, local, starts, touched_starts, touched = data
    return X.copy(), at.copy(), local.copy(), starts.copy(), touched_starts, touched.copy()


@njit(cache=True, nogil=True, error_model="numpy")
def scaled(G, widths, Z, T, B):
    """Set T, shape (q, N), and B, (r, N), to scaled columns of the leading grouping and others.

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
        scale_columns(Z[:, column : column + w], own, B[column - q : column - q + w])
        square += w * w
        column += w


@njit(cache=True, nogil=True, error_model="numpy")
def evaluate(
    first, last, beta, G, others, offset, fixed, Z, widths, data, rows, prior, rule, joint, enough,
    modes, values, fields, found,
):  # fmt: skip
    """Set log p(y | psi) less log|P| / 2 of parameter vectors first to last, fields and modes.

    Parameters
    ----------
    beta, G, others
        Coordinates of given fixed effects (S, f), flat scales (S, …), other parameters
        (S, K).
    offset, fixed, Z
        Shapes (N,), (N, f) and (N, q + r).
    data, rows, prior, rule, joint, enough
        As of `latent_kernel.solve`.
    modes
        Where searches for the leading effects begin, shape (J, q).
    values, fields, found
        Set; fields from where they are; shapes (S,), (S, m) and (S, J, q).
    """
    N, q, r = len(offset), widths[0], Z.shape[1] - widths[0]
    base, T, B = np.empty(N), np.empty((q, N)), np.empty((r, N))
    C = np.empty((fields.shape[1], fields.shape[1]))
    mine, own = copied(data), private(rows)
    for s in range(first, last):
        fixed_part(offset, fixed, beta[s], base)
        scaled(G[s], widths, Z, T, B)
        found[s] = modes
        further = others[s].copy().reshape(-1, 1)
        values[s] = solve(
            fields[s], T, B, base, further, mine, own, prior, rule, joint, enough, found[s], C
        )


@njit(cache=True, nogil=True, error_model="numpy")
def draw(
    first, last, G, others, first_draw, streams, offset, Z, widths, data, rows, prior, rule, enough,
    x, modes, fields, effects,
):  # fmt: skip
    """Draw fields, and given them standard leading effects, of parameter vectors first to last.

    Parameters
    ----------
    first_draw
        First draw of each of the S vectors, shape (S + 1,).
    streams
        One a vector, shape (S, 1).
    x
        Where each search begins, shape (S, m).
    fields, effects
        Normal noise, made draws of fields, shape (D, m); set, shape (D, J, q).
    """
    N, q, r = len(offset), widths[0], Z.shape[1] - widths[0]
    m = x.shape[1]
    T, B, base = np.empty((q, N)), np.empty((r, N)), np.empty(N)
    C, centre, v = np.empty((m, m)), np.empty(m), np.empty(modes.shape)
    mine, own = copied(data), private(rows)
    X, at, _, starts, _, _ = mine
    for s in range(first, last):
        scaled(G[s], widths, Z, T, B)
        centre[:] = x[s]
        v[:] = modes
        further = others[s].copy().reshape(-1, 1)
        solve(centre, T, B, offset, further, mine, own, prior, rule, False, enough, v, C)
        for d in range(first_draw[s], first_draw[s + 1]):
            backward(C, fields[d])
            for c in range(m):
                fields[d, c] += centre[c]
            field(offset, X, B, at, fields[d], base)
            effects[d] = v
            draw_standard(base, T, further, own, starts, streams[s], effects[d])


@njit(cache=True, nogil=True, error_model="numpy")
def covariances(
    first, last, G, others, offset, Z, widths, data, rows, prior, rule, enough, x, modes, out
):  # fmt: skip
    """Set out, shape (S, p, p), to the fixed effects' covariances in the field; see `draw`.

    NaN where no field is found.
    """
    N, q, r = len(offset), widths[0], Z.shape[1] - widths[0]
    m, p = x.shape[1], out.shape[1]
    T, B = np.empty((q, N)), np.empty((r, N))
    C, centre, v, columns = np.empty((m, m)), np.empty(m), np.empty(modes.shape), np.empty((p, m))
    mine, own = copied(data), private(rows)
    for s in range(first, last):
        scaled(G[s], widths, Z, T, B)
        centre[:] = x[s]
        v[:] = modes
        further = others[s].copy().reshape(-1, 1)
        found = solve(centre, T, B, offset, further, mine, own, prior, rule, False, enough, v, C)
        for c in range(p):
            columns[c] = 0.0
            columns[c, c] = 1.0 if np.isfinite(found) else np.nan
            forward(C, columns[c])
            for d in range(c + 1):
                out[s, c, d] = out[s, d, c] = (columns[c] * columns[d]).sum()
