"""Expected second moments of the effects of crossed groupings, for the gradient.

Given the fixed effects beta, the effects of the remainder have mean b_y - B beta and
covariance S⁻¹, of which only the entries where the factor has any are needed: the effects
that one leading group touches are pairwise among them.
"""

from __future__ import annotations

import numpy as np
from numba import njit, uint64

from bayesmlm.density import remainder
from bayesmlm.density.blocks import invert_factored, solve_rows
from bayesmlm.density.crossed import eliminate, lead_rows, work_space
from bayesmlm.density.nested_moments import fixed_moments


@njit(cache=True, nogil=True, error_model="numpy")
def bilinear(left, V, right):
    """Return left' V right, V flat."""
    p = len(left)
    total = 0.0
    for a in range(p):
        for b in range(p):
            total += left[a] * V[a * p + b] * right[b]
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def add_rest(rest, shape, H, B, V, mean, second):
    """Add E[z z'] of the other groupings."""
    for g in range(len(rest.groups)):
        column, w, at = rest.groups[g, 0], rest.groups[g, 1], rest.groups[g, 2]
        for a in range(w):
            r = shape.place[column + a]
            for b in range(a, w):
                c = shape.place[column + b]
                shared = H[rest.positions[rest.pointers[g] + a * w + b]] + mean[r] * mean[c]
                shared += bilinear(B[:, r], V, B[:, c])
                second[at + a * w + b] += shared
                if a != b:
                    second[at + b * w + a] += shared


@njit(cache=True, nogil=True, error_model="numpy")
def add_lead(leading, G, sigma, H, B, V, mean, beta, M, old, second):
    """Add E[z z'] of the leading grouping.

    Parameters
    ----------
    H, B, V, mean, beta
        Entries of S⁻¹; B as above, one row a fixed effect; covariance of beta, flat; means
        of the remainder, in the order of elimination, and of beta.
    """
    q, extra = leading.fixed.shape[1:]
    p = extra - 1
    inverse = 1.0 / (sigma * sigma)
    own, spread, root = np.empty(q), np.empty(q * q), np.empty(q * q)
    shared = np.empty(len(M))
    slopes = np.empty((q, p))
    for j in range(len(leading.own)):
        lead_rows(leading, j, G, inverse, M, old)
        start = leading.pointers[j]
        n = leading.pointers[j + 1] - start
        D = q + extra + n
        invert_factored(M, 0, q, D, root, spread)
        solve_rows(M, 0, q, D)
        shared[: q * n] = 0.0
        pair = leading.pair_pointers[j]
        for u in range(n):
            for t in range(u, n):
                value = H[uint64(leading.pairs[uint64(pair)])]
                pair += 1
                for a in range(q):
                    K = a * D + q + extra
                    shared[uint64(a * n + t)] += M[K + u] * value
                    if t != u:
                        shared[a * n + u] += M[K + t] * value
        for a in range(q):
            K = a * D + q
            own[a] = M[K + p]
            for e in range(p):
                own[a] -= M[K + e] * beta[e]
                total = M[K + e]
                for t in range(n):
                    total -= M[K + extra + t] * B[e, leading.columns[start + t]]
                slopes[a, e] = total
            for t in range(n):
                own[a] -= M[K + extra + t] * mean[leading.columns[start + t]]
        for a in range(q):
            for b in range(q):
                total = spread[a * q + b] + own[a] * own[b]
                for t in range(n):
                    total += shared[a * n + t] * M[b * D + q + extra + t]
                second[a * q + b] += total + bilinear(slopes[a], V, slopes[b])


@njit(cache=True, nogil=True, error_model="numpy")
def moments(leading, rest, shape, G, sigma, prior):
    """Return what the gradient needs at one vector; see `nested_moments.moments`."""
    p = len(prior) - 1
    space = work_space(leading, rest, shape)
    H, border, top, M, old = space
    values = np.empty(3)
    second = np.zeros(len(G))
    if not eliminate(leading, rest, shape, G, sigma, prior, space, values):
        second[:] = np.nan
        return values, second, np.zeros(p), np.zeros((p, p))
    beta, covariance = fixed_moments(top, p)
    remainder.solve(H, shape, border)
    mean = border[p]
    for a in range(p):
        for r in range(len(mean)):
            mean[r] -= beta[a] * border[a, r]
    remainder.invert(H, shape)
    B = border[:p]
    add_rest(rest, shape, H, B, covariance, mean, second)
    add_lead(leading, G, sigma, H, B, covariance, mean, beta, M, old, second)
    return values, second, beta, covariance.reshape(p, p)
