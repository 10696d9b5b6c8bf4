"""Expected second moments of the effects of nested groupings, for the gradient."""

from __future__ import annotations

import numpy as np
from numba import njit, uint64

from bayesmlm.density.blocks import invert_factored, solve_rows, solve_vector
from bayesmlm.density.nested import close, eliminate, quadratic, total_of


@njit(cache=True, nogil=True, error_model="numpy")
def group_moments(rows, at, q, D, known, from_known, joint, from_joint, mean, cross, spread, root):
    """Set mean, covariance and cross covariance of one group's effects.

    Parameters
    ----------
    rows, at
        The group's factored rows, the response last; overwritten.
    known, joint
        Mean and covariance of the D - 1 - q effects that its rows involve beside its own,
        flat, from `from_known` and `from_joint` on.
    mean, cross, spread
        Set; `cross` and `spread` flat, q rows.
    """
    r = D - 1 - q
    invert_factored(rows, at, q, D, root, spread)
    solve_rows(rows, at, q, D)
    for a in range(q):
        K = at + a * D + q
        total = rows[K + r]
        for c in range(r):
            total -= rows[K + c] * known[from_known + c]
            cross[a * r + c] = 0.0
        mean[a] = total
        for d in range(r):
            factor = rows[K + d]
            for c in range(r):
                cross[uint64(a * r + c)] -= factor * joint[uint64(from_joint + d * r + c)]
    for a in range(q):
        for b in range(q):
            K = at + b * D + q
            total = 0.0
            for c in range(r):
                total += cross[a * r + c] * rows[K + c]
            spread[a * q + b] -= total


@njit(cache=True, nogil=True, error_model="numpy")
def family_moments(
    rows, starts, widths, parents, parent_starts, families, f, beta, covariance, second
):
    """Add the sum of E[z z'] over the groups of one family, level by level, to `second`."""
    levels = len(widths)
    p = len(beta)
    widest = p + 1 + total_of(widths)
    cross, spread, root = np.empty(widest**2), np.empty(widest**2), np.empty(widest**2)
    mean = np.empty(widest)
    D = p + 1
    slot = len(second)
    known, joint = beta, covariance
    for k in range(levels - 1, -1, -1):
        q = widths[k]
        r = D - 1
        D += q
        slot -= q * q
        first, last = families[f, k], families[f + 1, k]
        above = families[f, k + 1] if k + 1 < levels else 0
        keep = last - first if k > 0 else 0  # nothing lies within the innermost groups
        mean_here = np.empty(keep * (D - 1))
        joint_here = np.empty(keep * (D - 1) ** 2)
        for j in range(first, last):
            parent = parents[parent_starts[k] + j] - above if k + 1 < levels else 0
            from_known, from_joint = parent * r, parent * r * r
            group_moments(
                rows, starts[k] + j * q * D, q, D, known, from_known, joint, from_joint,
                mean, cross, spread, root,
            )  # fmt: skip
            for a in range(q):
                for b in range(q):
                    second[slot + a * q + b] += spread[a * q + b] + mean[a] * mean[b]
            if keep > 0:
                at = (j - first) * (D - 1)
                for a in range(q):
                    mean_here[at + a] = mean[a]
                for c in range(r):
                    mean_here[at + q + c] = known[from_known + c]
                at *= D - 1
                for a in range(q):
                    for b in range(q):
                        joint_here[at + a * (D - 1) + b] = spread[a * q + b]
                    for c in range(r):
                        joint_here[at + a * (D - 1) + q + c] = cross[a * r + c]
                        joint_here[at + (q + c) * (D - 1) + a] = cross[a * r + c]
                for c in range(r):
                    row = at + (q + c) * (D - 1) + q
                    own = from_joint + c * r
                    for d in range(r):
                        joint_here[uint64(row + d)] = joint[uint64(own + d)]
        known, joint = mean_here, joint_here


@njit(cache=True, nogil=True, error_model="numpy")
def fixed_moments(top, p):
    """Return mean and covariance, flat, of the fixed effects, given what `close` returns."""
    beta = np.empty(p)
    for a in range(p):
        beta[a] = top[a * (p + 1) + p]
    solve_vector(top, 0, p, p + 1, beta)
    covariance, work = np.empty(p * p), np.empty(p * p)
    invert_factored(top, 0, p, p + 1, work, covariance)
    return beta, covariance


@njit(cache=True, nogil=True, error_model="numpy")
def moments(own, starts, widths, parents, parent_starts, families, root, G, sigma, prior):
    """Return what the gradient needs at one hyperparameter vector.

    Returns
    -------
    values, second, beta, covariance
        The three figures of `nested.evaluate`; per level the sum over groups of E[z z'],
        flat; the mean and the covariance of the fixed effects.
    """
    p = root.shape[0] - 1
    F = len(families) - 1
    rows = np.empty(len(own))
    tops = np.zeros((F, root.size))
    values = np.zeros(3)
    for f in range(F):
        values[0] += 2.0 * eliminate(
            own, starts, widths, parents, parent_starts, families, f, p, G, sigma, rows, tops[f]
        )
    top, log_det = close(root, sigma, prior, tops)
    values[1] = 2.0 * log_det
    values[2] = quadratic(top, p)
    beta, covariance = fixed_moments(top, p)
    second = np.zeros(len(G))
    for f in range(F):
        family_moments(
            rows, starts, widths, parents, parent_starts, families, f, beta, covariance, second
        )
    return values, second, beta, covariance.reshape(p, p)
