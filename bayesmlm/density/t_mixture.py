"""Mixtures of multivariate t distributions, compiled: densities, and one step of EM.

The density of one component at x, with z = R⁻¹ (x - m) and nu degrees of freedom, is
c |R|⁻¹ (1 + z'z / nu)^(-(nu + d) / 2); powers of half integers need no logarithm.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def component(x, mean, inverse, freedom):
    """Return a component's density without its constant.

    Parameters
    ----------
    x, mean
        Shape (d,).
    inverse
        R⁻¹, lower triangular, shape (d, d).
    freedom
        nu, an integer.
    """
    d = len(mean)
    distance = 0.0
    for a in range(d):
        z = 0.0
        for b in range(a + 1):
            z += inverse[a, b] * (x[b] - mean[b])
        distance += z * z
    root = 1.0 / np.sqrt(1.0 + distance / freedom)
    power = 1.0
    for _ in range(freedom + d):
        power *= root
    return power


@njit(cache=True, nogil=True, error_model="numpy")
def densities(first, last, points, heights, means, inverses, freedom, found):
    """Write the mixture's densities at points `first` to `last`.

    Parameters
    ----------
    points
        Shape (S, d).
    heights
        Share times constant of each component, shape (K,).
    means, inverses
        Shapes (K, d) and (K, d, d).
    freedom
        nu, an integer.
    found
        Shape (S,).
    """
    for s in range(first, last):
        total = 0.0
        for k in range(len(heights)):
            total += heights[k] * component(points[s], means[k], inverses[k], freedom)
        found[s] = total


@njit(cache=True, nogil=True, error_model="numpy")
def moments(points, weights, heights, means, inverses, freedom, totals, firsts, seconds):
    """Add up what one step of EM needs: the mass of each component and its moments.

    Parameters
    ----------
    points, weights
        Shapes (S, d) and (S,).
    heights, means, inverses, freedom
        As of `densities`.
    totals, firsts, seconds
        Mass, first and second moments about the component's mean; shapes (K,), (K, d) and
        (K, d, d), zero at first.
    """
    K, d = means.shape
    parts = np.empty(K)
    for s in range(len(points)):
        for k in range(K):
            parts[k] = heights[k] * component(points[s], means[k], inverses[k], freedom)
        whole = parts.sum()
        if not whole > 0:
            continue
        for k in range(K):
            own = weights[s] * parts[k] / whole
            totals[k] += own
            for a in range(d):
                off = own * (points[s, a] - means[k, a])
                firsts[k, a] += off
                for b in range(a + 1):
                    seconds[k, a, b] += off * (points[s, b] - means[k, b])
