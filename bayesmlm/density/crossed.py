"""Kernels for crossed groupings: the leading one eliminated, then the rest.

The grouping with most effects gives a block diagonal, eliminated group by group; each of its
groups touches few effects of the other groupings. These, the remainder, are eliminated as
`Elimination` says, mostly or wholly as one dense matrix; the fixed effects and the response
come last.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit, uint64
from numpy.typing import NDArray

from bayesmlm.density import remainder
from bayesmlm.density.blocks import factor_rows, solve_vector
from bayesmlm.density.elimination import Elimination
from bayesmlm.density.nested import quadratic
from bayesmlm.density.threads import share

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

WIDEST = 1e6
"""Largest ratio of an effect's scale to the residual SD that is computed."""

LARGEST = 1e13
"""Largest diagonal entry of the remainder, of which the smallest is about one."""


class Leading(NamedTuple):
    """Cross-products of the leading grouping: J groups of q effects.

    Parameters
    ----------
    own, fixed
        With itself and with the fixed columns and the response; shapes (J, q, q) and
        (J, q, p + 1).
    pointers, columns, values
        Effects of the remainder that group j touches, from ``pointers[j]`` to
        ``pointers[j + 1]``: their places, and cross-products of shape (T, q). All effects
        of a group of the remainder are there, side by side.
    widths, scales
        Of each of them, how many effects its group has and where their scale starts.
    pair_pointers, pairs
        Where the values of each pair that group j touches lie in the remainder, a column
        with itself and those after it.
    """

    own: Array
    fixed: Array
    pointers: Ints
    columns: Ints
    values: Array
    widths: Ints
    scales: Ints
    pair_pointers: Ints
    pairs: NDArray[np.int32]


class Rest(NamedTuple):
    """Cross-products of the remainder, the fixed columns and the response.

    Parameters
    ----------
    groups
        First effect of each group, their number, and where their scale starts; shape (g, 3).
    blocks
        Pairs of groups that meet, first each with itself; shape (b, 2).
    pointers, values, positions
        Cross-products of each pair from ``pointers[b]`` on, and where they lie.
    border
        With the fixed columns and the response, shape (n, p + 1).
    root
        Of these, shape (p + 1, p + 1).
    """

    groups: Ints
    blocks: Ints
    pointers: Ints
    values: Array
    positions: Ints
    border: Array
    root: Array


@njit(cache=True, nogil=True, error_model="numpy")
def lead_rows(leading, j, G, inverse, M, old):
    """Set M = [R | R'⁻¹ …] of one leading group, and return log|R|.

    Columns after the factor: the fixed ones and the response, then those it touches.
    """
    q, extra = leading.fixed.shape[1:]
    start, stop = leading.pointers[j], leading.pointers[j + 1]
    D = q + extra + stop - start
    for a in range(q):
        row = a * D
        for c in range(D):
            M[row + c] = 0.0
        for b in range(q):
            factor = G[b * q + a] * inverse
            for c in range(q):
                M[row + c] += factor * leading.own[j, b, c]
            for e in range(extra):
                M[row + q + e] += factor * leading.fixed[j, b, e]
            here = row + q + extra - start
            for t in range(start, stop):
                M[uint64(here + t)] += factor * leading.values[t, b]
        for c in range(q):
            old[c] = M[row + c]
        for c in range(q):
            total = 1.0 if a == c else 0.0
            for b in range(q):
                total += old[b] * G[b * q + c]
            M[row + c] = total
        t = start
        while t < stop:
            w, at = leading.widths[t], leading.scales[t]
            here = row + q + extra + t - start
            for b in range(w):
                old[b] = M[here + b]
            for c in range(w):
                total = 0.0
                for b in range(w):
                    total += old[b] * G[at + b * w + c]
                M[here + c] = total
            t += w
    return factor_rows(M, 0, q, D)


@njit(cache=True, nogil=True, error_model="numpy")
def scaled_rest(rest, shape, G, inverse, H, border):
    """Set H to the scaled and penalised cross-products of the remainder, and its border."""
    square, m = len(shape.rows), len(shape.place) - len(shape.dense_from)
    H[:square] = 0.0
    for r in range(m):
        H[square + r * m + r : square + (r + 1) * m] = 0.0
    widest = most_effects(rest)
    half = np.empty((widest, widest))
    for k in range(len(rest.blocks)):
        one, other = rest.blocks[k, 0], rest.blocks[k, 1]
        v, left = rest.groups[one, 1], rest.groups[one, 2]
        w, right = rest.groups[other, 1], rest.groups[other, 2]
        at = rest.pointers[k]
        for c in range(v):
            for b in range(w):
                total = 0.0
                for d in range(w):
                    total += rest.values[at + c * w + d] * G[right + d * w + b]
                half[c, b] = total * inverse
        for a in range(v):
            for b in range(a if one == other else 0, w):
                total = 1.0 if one == other and a == b else 0.0
                for c in range(v):
                    total += G[left + c * v + a] * half[c, b]
                H[rest.positions[at + a * w + b]] = total
    for g in range(len(rest.groups)):
        first, w, at = rest.groups[g, 0], rest.groups[g, 1], rest.groups[g, 2]
        for a in range(w):
            for e in range(border.shape[0]):
                total = 0.0
                for b in range(w):
                    total += G[at + b * w + a] * rest.border[first + b, e]
                border[e, shape.place[first + a]] = total * inverse


@njit(cache=True, nogil=True, error_model="numpy")
def eliminate_lead(leading, G, inverse, H, border, top, M, old):
    """Take what the leading groups explain from the remainder; return log|R| of theirs."""
    q, extra = leading.fixed.shape[1:]
    log_det = 0.0
    for j in range(len(leading.own)):
        log_det += lead_rows(leading, j, G, inverse, M, old)
        start = leading.pointers[j]
        n = leading.pointers[j + 1] - start
        D = q + extra + n
        pair = leading.pair_pointers[j]
        for u in range(n):
            for t in range(u, n):
                total = 0.0
                for a in range(q):
                    row = a * D + q + extra
                    total += M[uint64(row + u)] * M[uint64(row + t)]
                H[uint64(leading.pairs[uint64(pair)])] -= total
                pair += 1
        for a in range(q):
            row = a * D + q
            for e in range(extra):
                factor = M[row + e]
                for t in range(n):
                    border[e, leading.columns[start + t]] -= factor * M[uint64(row + extra + t)]
                for f in range(e, extra):
                    top[e * extra + f] -= factor * M[row + f]
    return log_det


@njit(cache=True, nogil=True, error_model="numpy")
def is_computable(rest, G, sigma, H):
    """Whether no effect is so large beside the residual that the remainder loses its digits."""
    for value in G:
        if not abs(value) < WIDEST * sigma:
            return False
    for g in range(len(rest.groups)):
        w = rest.groups[g, 1]
        for a in range(w):
            if not H[rest.positions[rest.pointers[g] + a * w + a]] < LARGEST:
                return False
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def most_effects(rest):
    """Return the largest number of effects of a group of the remainder."""
    most = 0
    for g in range(len(rest.groups)):
        most = max(most, rest.groups[g, 1])
    return most


@njit(cache=True, nogil=True, error_model="numpy")
def work_space(leading, rest, shape):
    """Return the arrays that `eliminate` works in."""
    q, extra = leading.fixed.shape[1:]
    n = len(shape.place)
    widest = 0
    for j in range(len(leading.own)):
        widest = max(widest, leading.pointers[j + 1] - leading.pointers[j])
    m = n - len(shape.dense_from)
    return (
        np.empty(len(shape.rows) + m * m),
        np.empty((extra, n)),
        np.empty(extra * extra),
        np.empty(q * (q + extra + widest)),
        np.empty(max(q, most_effects(rest))),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def eliminate(leading, rest, shape, G, sigma, prior, space, values):
    """Eliminate all effects, at one hyperparameter vector.

    Parameters
    ----------
    leading, rest, shape
        The data.
    space
        Of `work_space`. Set are the factor of the remainder, R'⁻¹ of its border (in the
        order of elimination), and the factored fixed part and response, as of
        `nested.close`.
    values
        Set to the three figures of `nested.evaluate`; NaN where they cannot be computed.

    Returns
    -------
    bool
        Whether they can.
    """
    H, border, top, M, old = space
    extra = len(border)
    p = extra - 1
    inverse = 1.0 / (sigma * sigma)
    values[:] = np.nan
    scaled_rest(rest, shape, G, inverse, H, border)
    for a in range(extra):
        for b in range(extra):
            top[a * extra + b] = rest.root[a, b] * inverse + prior[a, b]
    log_det = eliminate_lead(leading, G, inverse, H, border, top, M, old)
    if not is_computable(rest, G, sigma, H):
        return False
    log_det += remainder.factor(H, shape)
    remainder.solve_transposed(H, shape, border)
    for a in range(extra):
        for b in range(a, extra):
            for r in range(border.shape[1]):
                top[a * extra + b] -= border[a, r] * border[b, r]
    fixed = factor_rows(top, 0, p, extra)
    if not np.isfinite(log_det + fixed):
        return False
    values[0] = 2.0 * log_det
    values[1] = 2.0 * fixed
    values[2] = quadratic(top, p)
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def evaluate_range(first, last, leading, rest, shape, G, sigma, prior, out):
    """Evaluate hyperparameter vectors `first` to `last`; see `evaluate`."""
    space = work_space(leading, rest, shape)
    for s in range(first, last):
        eliminate(leading, rest, shape, G[s], sigma[s], prior, space, out[s])


def evaluate(
    work: float, leading: Leading, rest: Rest, shape: Elimination, G: Array, sigma: Array,
    prior: Array,
) -> Array:  # fmt: skip
    """Evaluate a batch of hyperparameters; see `nested.evaluate`."""
    out = np.empty((len(sigma), 3))
    share(evaluate_range, len(sigma), work, leading, rest, shape, G, sigma, prior, out)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def draw_range(
    first, last, leading, rest, shape, G, sigma, prior, first_draw, noise, noise_beta, z, beta
):  # fmt: skip
    """Set the draws of hyperparameter vectors `first` to `last`; see `nested_draws.draw`."""
    space = work_space(leading, rest, shape)
    H, border, top, _, _ = space
    n, p = len(shape.place), len(border) - 1
    values = np.empty(3)
    for u in range(first, last):
        own = slice(first_draw[u], first_draw[u + 1])
        if not eliminate(leading, rest, shape, G[u], sigma[u], prior, space, values):
            z[own] = np.nan
            beta[own] = np.nan
            continue
        others = np.empty((first_draw[u + 1] - first_draw[u], n))
        for k in range(len(others)):
            s = first_draw[u] + k
            for a in range(p):
                beta[s, a] = top[a * (p + 1) + p] + noise_beta[s, a]
            solve_vector(top, 0, p, p + 1, beta[s])
            for r in range(n):
                others[k, r] = border[p, r] + noise[s, r]
            for a in range(p):
                for r in range(n):
                    others[k, r] -= border[a, r] * beta[s, a]
        remainder.solve(H, shape, others)
        for k in range(len(others)):
            for r in range(n):
                z[first_draw[u] + k, r] = others[k, shape.place[r]]


def draw(
    work: float, leading: Leading, rest: Rest, shape: Elimination, G: Array, sigma: Array,
    prior: Array,
    first_draw: Ints, noise: Array, noise_beta: Array,
) -> tuple[Array, Array]:  # fmt: skip
    """Draw standardised effects and fixed effects, the leading grouping left out.

    See `nested_draws.draw`.
    """
    z, beta = np.empty_like(noise), np.empty_like(noise_beta)
    share(
        draw_range, len(sigma), work,
        leading, rest, shape, G, sigma, prior, first_draw, noise, noise_beta, z, beta,
    )  # fmt: skip
    return z, beta
