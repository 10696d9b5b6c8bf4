"""Kernels between psi and the likelihood: scales of the effects, and the gradient.

The gradient is Fisher's identity, the expected gradient of the complete-data log density.
Arrays of several groupings are flat, in the kernel's order.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def correlation_factor(psi, partial_at, R):
    """Set R to the Cholesky factor of the correlations of one grouping's effects.

    Parameters
    ----------
    partial_at
        Position in psi of the partial correlation of each pair, -1 where independent,
        shape (q, q).
    """
    q = R.shape[0]
    for i in range(q):
        left = 1.0
        for j in range(i):
            R[i, j] = 0.0
            if partial_at[i, j] >= 0:
                p = np.tanh(psi[partial_at[i, j]])
                R[i, j] = p * left
                left *= np.sqrt(1.0 - p * p)
        R[i, i] = left
        for j in range(i + 1, q):
            R[i, j] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def scales(psi, widths, sd_at, partial_at, to_Z):
    """Return C L of every grouping, flat; the arrays are flat too, in the kernel's order."""
    G = np.empty(len(to_Z))
    square = 0
    effect = 0
    for q in widths:
        R = np.empty((q, q))
        correlation_factor(psi, partial_at[square : square + q * q].reshape(q, q), R)
        for a in range(q):
            for b in range(q):
                total = 0.0
                for c in range(q):
                    total += to_Z[square + a * q + c] * np.exp(psi[sd_at[effect + c]]) * R[c, b]
                G[square + a * q + b] = total
        square += q * q
        effect += q
    return G


@njit(cache=True, nogil=True, error_model="numpy")
def add_effects_gradient(psi, sizes, widths, sd_at, partial_at, second, gradient):
    """Add trace(L⁻¹ dL (sum E[z z'] - J I)) by each SD and partial correlation."""
    square = 0
    effect = 0
    for k in range(len(widths)):
        q = widths[k]
        at = partial_at[square : square + q * q].reshape(q, q)
        R = np.empty((q, q))
        correlation_factor(psi, at, R)
        W = np.empty((q, q))
        for a in range(q):
            for c in range(q - 1, -1, -1):
                total = second[square + a * q + c] - (sizes[k] if a == c else 0.0)
                for b in range(c + 1, q):
                    total -= W[a, b] * R[b, c]
                W[a, c] = total / R[c, c]
        for i in range(q):
            total = 0.0
            for j in range(i + 1):
                total += R[i, j] * W[j, i]
            gradient[sd_at[effect + i]] += total
            for m in range(i):
                if at[i, m] < 0:
                    continue
                p = np.tanh(psi[at[i, m]])
                left = 1.0
                for j in range(m):
                    if at[i, j] >= 0:
                        left *= np.sqrt(1.0 - np.tanh(psi[at[i, j]]) ** 2)
                slope = (1.0 - p * p) * left * W[m, i]
                for j in range(m + 1, i + 1):
                    slope -= p * R[i, j] * W[j, i]
                gradient[at[i, m]] += slope
        square += q * q
        effect += q


@njit(cache=True, nogil=True, error_model="numpy")
def finish(psi, sigma_at, sizes, widths, sd_at, partial_at, matrix, n, moments, gradient):
    """Return the log likelihood up to a constant, and add its gradient."""
    values, second, beta, covariance = moments
    add_effects_gradient(psi, sizes, widths, sd_at, partial_at, second, gradient)
    total = -0.5 * (values[0] + values[1] + values[2])
    if sigma_at >= 0:
        total -= n * psi[sigma_at]
        p = len(beta)
        expected = values[2] + p
        square = 0
        for k in range(len(widths)):
            q = widths[k]
            for a in range(q):
                expected -= second[square + a * q + a] - sizes[k]
            square += q * q
        expected -= matrix[p, p]
        for a in range(p):
            expected += 2.0 * beta[a] * matrix[a, p]
            for b in range(p):
                expected -= matrix[a, b] * (beta[a] * beta[b] + covariance[a, b])
        gradient[sigma_at] += expected - n
    return total
