"""The probabilities of categories without an order, normal effects integrated out.

With x_k normal of mean eta_k and SD s_k, independent, and x_0 = eta_0,

    p_k = E exp(x_k) / sum_m exp(x_m),

by the trapezoidal rule over all x_k together. Of more than `FEW` categories one dimension at a
time: k is chosen where its utility, x_k plus a Gumbel error, is the largest, so that

    p_k = integral of E g(t - x_k) prod_{m != k} E G(t - x_m) dt,   G(v) = exp(-exp(-v)), g = G'.

References
----------
McFadden (1974), in Frontiers in Econometrics, 105–142;
Trefethen & Weideman (2014), doi:10.1137/130932132.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]

FEW = 4
"""Categories up to which nodes are multiplied."""

DIGITS = 25.0
"""Minus the logarithm of the error of the trapezoidal rule."""

REACH = 7.2
"""Standard deviations that the nodes reach."""

FIRST, LAST, STEP = -3.7, 30.0, math.pi**2 / DIGITS
"""Of the utilities: where the reference's exceeds any other, beyond the largest, and between."""


def nodes(scale: float, strip: float) -> tuple[Array, Array]:
    """Return nodes and weights of the mean over a standard normal number.

    Parameters
    ----------
    scale
        By which it is multiplied, at most.
    strip
        How far from the real line the function of the product is analytic and bounded. With
        d = strip / scale the error is exp(-2 pi d / step + d² / 2).
    """
    d = min(strip / max(scale, 1e-9), math.sqrt(2 * DIGITS))
    step = 2 * math.pi * d / (DIGITS + d**2 / 2)
    n = math.ceil(REACH / step)
    x = np.asarray(step * np.arange(-n, n + 1), dtype=np.float64)
    weights = np.exp(-(x**2) / 2)
    return x, np.asarray(weights / weights.sum())


def category_shares(eta: Array, scale: Array) -> Array:
    """Return the probability of every category.

    Parameters
    ----------
    eta
        Means of the linear predictors against the reference, shape (K, …), K without it.
    scale
        Their standard deviations, the same shape; the reference's is 0.

    Returns
    -------
    array, shape (K + 1, …)
        The reference first.
    """
    K, P = len(eta), eta[0].size
    means = np.ascontiguousarray(eta.reshape(K, P).T)
    sds = np.ascontiguousarray(scale.reshape(K, P).T)
    found, largest = np.empty((P, K + 1)), float(scale.max(initial=0.0))
    if K + 1 <= FEW:
        multiplied(means, sds, *nodes(largest, math.pi), found)
    else:
        by_utility(means, sds, *nodes(largest, math.pi / 2), found)
    return np.asarray(found.T.reshape(K + 1, *eta.shape[1:]))


@njit(cache=True, nogil=True, error_model="numpy")
def multiplied(means, sds, x, weights, out):
    """Set the probabilities by the products of the nodes.

    Parameters
    ----------
    means, sds
        Shape (P, K).
    x, weights
        Nodes, shape (M,).
    out
        Shape (P, K + 1).
    """
    P, K = means.shape
    M = len(x)
    odds, at, size = np.empty((K, M)), np.zeros(K, np.int64), np.ones(K, np.int64)
    for p in range(P):
        top = 0.0
        for k in range(K):
            top = max(top, means[p, k] + sds[p, k] * x[-1])
        reference = math.exp(-top)
        for k in range(K):
            size[k] = M if sds[p, k] > 0 else 1
            at[k] = 0
            for m in range(size[k]):
                z = x[m] if size[k] > 1 else 0.0
                odds[k, m] = math.exp(means[p, k] + sds[p, k] * z - top)
        out[p] = 0.0
        last = K - 1
        while True:
            base, weight = reference, 1.0
            for k in range(last):
                base += odds[k, at[k]]
                weight *= weights[at[k]] if size[k] > 1 else 1.0
            rest = own = 0.0
            for m in range(size[last]):
                part = (weights[m] if size[last] > 1 else 1.0) / (base + odds[last, m])
                rest += part
                own += part * odds[last, m]
            out[p, 0] += weight * rest * reference
            for k in range(last):
                out[p, k + 1] += weight * rest * odds[k, at[k]]
            out[p, K] += weight * own
            k = 0
            while k < last:
                at[k] += 1
                if at[k] < size[k]:
                    break
                at[k] = 0
                k += 1
            if k == last:
                break


@njit(cache=True, nogil=True, error_model="numpy")
def by_utility(means, sds, x, weights, out):
    """Set the probabilities by the distributions of the utilities; see `multiplied`."""
    P, K = means.shape
    M = len(x)
    below, density = np.empty(K + 1), np.empty(K + 1)
    for p in range(P):
        top = 0.0
        for k in range(K):
            top = max(top, means[p, k] + min(sds[p, k] ** 2 / 2, sds[p, k] * x[-1]))
        out[p] = 0.0
        for j in range(math.ceil((top + LAST - FIRST) / STEP)):
            t = FIRST + STEP * j
            e = math.exp(-t)
            below[0] = math.exp(-e)
            density[0] = e * below[0]
            for k in range(K):
                below[k + 1] = density[k + 1] = 0.0
                for m in range(M):
                    z = sds[p, k] * x[m] if sds[p, k] > 0 else 0.0
                    e = math.exp(means[p, k] + z - t)
                    if e < 40.0:
                        inside = weights[m] * math.exp(-e)
                        below[k + 1] += inside
                        density[k + 1] += inside * e
            for k in range(K + 1):
                part = density[k]
                for m in range(K + 1):
                    if m != k:
                        part *= below[m]
                out[p, k] += STEP * part
