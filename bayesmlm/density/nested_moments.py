"""Expected second moments of the effects of nested groupings, for the gradient."""

from __future__ import annotations

import numpy as np
from numba import njit

from bayesmlm.density.blocks import (
    factor_rows,
    inverse_of_factored,
    solve_columns,
    solve_transposed,
)
from bayesmlm.density.nested import eliminate


@njit(cache=True, nogil=True, error_model="numpy")
def fixed_moments(top, p, values):
    """Factor the fixed part; return the mean and covariance of the fixed effects.

    Sets the second and third figure of `nested.evaluate` in `values`.
    """
    values[1] = 2.0 * factor_rows(top, p) if p > 0 else 0.0
    beta = top[:p, p].copy()
    values[2] = top[p, p]
    for a in range(p):
        values[2] -= beta[a] * beta[a]
    solve_transposed(top, p, beta)
    return beta, inverse_of_factored(top, p)


@njit(cache=True, nogil=True, error_model="numpy")
def group_moments(M, q, known, joint, mean, cross):
    """Return the covariance of one group's effects; set their mean and cross covariance.

    Parameters
    ----------
    M
        The group's factored rows, shape (q, q + r + 1), the response last.
    known, joint
        Mean and covariance of the r effects that its rows involve beside its own.
    """
    r = len(known)
    K = np.empty((q, r))
    solve_columns(M, q, q, K)
    mean[:] = M[:, q + r]
    solve_transposed(M, q, mean)
    covariance = inverse_of_factored(M, q)
    for a in range(q):
        for c in range(r):
            mean[a] -= K[a, c] * known[c]
            total = 0.0
            for d in range(r):
                total += K[a, d] * joint[d, c]
            cross[a, c] = -total
    for a in range(q):
        for b in range(q):
            for c in range(r):
                covariance[a, b] -= cross[a, c] * K[b, c]
    return covariance


@njit(cache=True, nogil=True, error_model="numpy")
def moments(own, starts, sizes, widths, parents, parent_starts, root, G, sigma, prior):
    """Return what the gradient needs at one hyperparameter vector.

    Returns
    -------
    values, second, beta, covariance
        The three figures of `nested.evaluate`; per level the sum over groups of E[z z'],
        flat; the mean and the covariance of the fixed effects.
    """
    p = root.shape[0] - 1
    levels = len(sizes)
    rows = np.empty(len(own))
    values = np.empty(3)
    values[0], top = eliminate(
        own, starts, sizes, widths, parents, parent_starts, root, G, sigma, prior, rows
    )
    beta, covariance = fixed_moments(top, p, values)
    slot = np.sum(widths**2)
    second = np.zeros(slot)
    mean_above = beta.reshape(1, p)
    joint_above = covariance.reshape(1, p, p)
    for k in range(levels - 1, -1, -1):
        q = widths[k]
        D = p + 1 + np.sum(widths[k:])
        slot -= q * q
        keep = sizes[k] if k > 0 else 0  # nothing lies within the innermost groups
        mean_here = np.empty((keep, D - 1))
        joint_here = np.empty((keep, D - 1, D - 1))
        mean = np.empty(q)
        cross = np.empty((q, D - 1 - q))
        for j in range(sizes[k]):
            at = starts[k] + j * q * D
            parent = parents[parent_starts[k] + j] if k + 1 < levels else 0
            known, joint = mean_above[parent], joint_above[parent]
            spread = group_moments(
                rows[at : at + q * D].reshape(q, D), q, known, joint, mean, cross
            )
            for a in range(q):
                for b in range(q):
                    second[slot + a * q + b] += spread[a, b] + mean[a] * mean[b]
            if keep > 0:
                mean_here[j, :q] = mean
                mean_here[j, q:] = known
                joint_here[j, :q, :q] = spread
                joint_here[j, :q, q:] = cross
                joint_here[j, q:, :q] = cross.T
                joint_here[j, q:, q:] = joint
        mean_above, joint_above = mean_here, joint_here
    return values, second, beta, covariance
