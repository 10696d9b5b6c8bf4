"""Kernels for one grouping, or for groupings that nest in one another.

Level k (from 0, the innermost) has J_k groups with q_k effects. A group's rows involve its
own effects, those of the groups it lies in, the fixed effects and the response, so its part
of the penalised normal equations is one small dense block. Eliminating the groups level by
level, innermost first, leaves the blocks of the next level small and dense; the cost is
linear in the number of groups, whatever the number of rows.

The arrays are flat: level k's own rows of cross-products, of shape (J_k, q_k, D_k) with
D_k = q_k + … + q_K + p + 1, start at ``starts[k]`` of `own`. Groups are in the order of the
groups they lie in, so that a family, some outermost groups and all within them, is a range
of each level; families are eliminated apart from one another and then summed.
"""

from __future__ import annotations

import numpy as np
from numba import njit, uint64

from bayesmlm.density import lanes
from bayesmlm.density.blocks import factor_rows
from bayesmlm.density.threads import spread


@njit(cache=True, nogil=True, error_model="numpy")
def scaled_rows(raw, at, G, inverse, q, D, widths, level, shift, M, old):
    """Set M = G_own' raw E / sigma² + [I | 0], E the scales of all columns.

    Parameters
    ----------
    raw, at
        Cross-products of a group, q rows of D entries from `at` on.
    G, shift
        Scales of all levels, flat, and where that of this level starts.
    old
        Work space for a row of one level.
    """
    for a in range(q):
        row = a * D
        factor = G[shift + a] * inverse
        for c in range(D):
            M[uint64(row + c)] = factor * raw[uint64(at + c)]
        for b in range(1, q):
            factor = G[shift + b * q + a] * inverse
            for c in range(D):
                M[uint64(row + c)] += factor * raw[uint64(at + b * D + c)]
        column = row
        here = shift
        for m in range(level, len(widths)):
            w = widths[m]
            for b in range(w):
                old[b] = M[column + b]
                M[column + b] = 0.0
            for b in range(w):
                factor = old[b]
                for c in range(w):
                    M[uint64(column + c)] += factor * G[uint64(here + b * w + c)]
            column += w
            here += w * w
        M[row + a] += 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def total_of(widths):
    """Return their sum."""
    total = 0
    for w in widths:
        total += w
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def eliminate(own, starts, widths, parents, parent_starts, families, f, p, G, sigma, rows, top):
    """Eliminate the random effects of one family.

    Parameters
    ----------
    own, starts, widths
        Cross-products and the numbers of effects of each level.
    parents, parent_starts
        Group of the next level that each group lies in.
    families, f
        First group of each family at each level, shape (F + 1, K); and which family.
    p
        Number of fixed effects.
    G
        Scale of each level, flat.
    sigma
        Residual SD.
    rows
        Filled, as `own` is, with each group's factor; not filled when of length zero.
    top
        What the family takes from the fixed part and response is added to its upper
        triangle, flat, of (p + 1)² entries.

    Returns
    -------
    float
        Half the log determinant of the family's random part.
    """
    levels = len(widths)
    inverse = 1.0 / (sigma * sigma)
    D = p + 1 + total_of(widths)
    scratch = np.empty(D * D)
    old = np.empty(D)
    log_det = 0.0
    shift = 0
    pending = np.zeros(0)
    for k in range(levels):
        q = widths[k]
        rest = D - q
        first, last = families[f, k], families[f + 1, k]
        inner = k + 1 < levels
        above = families[f, k + 1] if inner else 0
        n_above = families[f + 1, k + 1] - above if inner else 0
        to_next = np.zeros(n_above * rest * rest)
        M, base = scratch, 0
        for j in range(first, last):
            at = starts[k] + j * q * D
            scaled_rows(own, at, G, inverse, q, D, widths, k, shift, M, old)
            mine = (j - first) * D * D
            if k > 0:
                for a in range(q * D):
                    M[a] += pending[uint64(mine + a)]
            log_det += factor_rows(M, base, q, D)
            if len(rows) > 0:
                for a in range(q * D):
                    rows[uint64(at + a)] = M[a]
            target, place = top, 0
            if inner:
                target = to_next
                place = (parents[parent_starts[k] + j] - above) * rest * rest
            for c in range(rest):
                into = place + c * rest
                for a in range(q):
                    row = a * D + q
                    factor = M[row + c]
                    for d in range(c, rest):
                        target[uint64(into + d)] -= factor * M[uint64(row + d)]
                if k > 0:
                    row = mine + (q + c) * D + q
                    for d in range(c, rest):
                        target[uint64(into + d)] += pending[uint64(row + d)]
        pending = to_next
        shift += q * q
        D = rest
    return log_det


@njit(cache=True, nogil=True, error_model="numpy")
def evaluate_families(
    first, last, own, starts, widths, parents, parent_starts, families, root, G, sigma, logs, tops
):
    """Eliminate families `first` to `last`, counted through a batch of hyperparameters.

    Sets their part of `logs`, shape (S, F), and of `tops`, shape (S, F, (p + 1)²).
    """
    F = len(families) - 1
    p = root.shape[0] - 1
    none = np.empty(0)
    for task in range(first, last):
        s, f = task // F, task % F
        logs[s, f] = eliminate(
            own, starts, widths, parents, parent_starts, families, f, p, G[s], sigma[s], none,
            tops[s, f],
        )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy")
def close(root, sigma, prior, tops):
    """Return the factored fixed part and response, flat, and log|R|.

    Parameters
    ----------
    root
        Cross-products of fixed columns and response, shape (p + 1, p + 1).
    prior
        Precision and precision times mean of the fixed effects, shape (p + 1, p + 1); its
        last entry is m'Pm.
    tops
        Of each family, shape (F, (p + 1)²).
    """
    D = root.shape[0]
    top = np.empty(D * D)
    inverse = 1.0 / (sigma * sigma)
    for a in range(D):
        for b in range(D):
            total = root[a, b] * inverse + prior[a, b]
            for f in range(len(tops)):
                total += tops[f, a * D + b]
            top[a * D + b] = total
    return top, factor_rows(top, 0, D - 1, D)


@njit(cache=True, nogil=True, error_model="numpy")
def quadratic(top, p):
    """Return the quadratic form, given what `close` returns."""
    total = top[p * (p + 1) + p]
    for a in range(p):
        total -= top[a * (p + 1) + p] ** 2
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def sum_families(first, last, root, sigma, prior, logs, tops, out):
    """Set the three figures of vectors `first` to `last` from those of the families."""
    for s in range(first, last):
        top, log_det = close(root, sigma[s], prior, tops[s])
        out[s, 0] = 0.0
        for f in range(logs.shape[1]):
            out[s, 0] += 2.0 * logs[s, f]
        out[s, 1] = 2.0 * log_det
        out[s, 2] = quadratic(top, root.shape[0] - 1)


def evaluate(
    work, own, starts, widths, parents, parent_starts, families, root, G, sigma, prior
):  # fmt: skip
    """Evaluate a batch of hyperparameters.

    Parameters
    ----------
    work
        Rough number of multiplications of the batch.
    G, sigma
        One row a hyperparameter vector: shapes (S, …) and (S,).

    Returns
    -------
    array, shape (S, 3)
        Log determinant of the random part, of the fixed part, and the quadratic form.
    """
    S = len(sigma)
    logs, tops = eliminated(
        work, own, starts, widths, parents, parent_starts, families, root, G, sigma
    )
    out = np.empty((S, 3))
    spread(sum_families, S, float(tops.size * len(root)), root, sigma, prior, logs, tops, out)
    return out


def eliminated(work, own, starts, widths, parents, parent_starts, families, root, G, sigma):
    """Return what `evaluate_families` sets for a batch; arguments as of `evaluate`."""
    if len(widths) == 1 and len(sigma) >= lanes.FEWEST:
        q = int(widths[0])
        shape = -1, q, q + len(root)
        return lanes.eliminated(work, own.reshape(shape), families[:, 0].copy(), G, sigma)
    S, F = len(sigma), len(families) - 1
    logs, tops = np.zeros((S, F)), np.zeros((S, F, root.size))
    spread(
        evaluate_families, S * F, work,
        own, starts, widths, parents, parent_starts, families, root, G, sigma, logs, tops,
    )  # fmt: skip
    return logs, tops
