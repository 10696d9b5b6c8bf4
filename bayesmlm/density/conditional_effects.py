"""From the random effects' entries of theta to the values that the rows meet, and back, compiled.

An entry is the group's own coefficient where the effect is centred, else its standardised
deviation. Arrays of several groupings are flat, in the order of the design.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from bayesmlm.density.gradient import correlation_factor


@njit(cache=True, nogil=True, error_model="numpy")
def scaled_factor(psi, sd_at, partial_at, R, L):
    """Set R to the Cholesky factor of the correlations and L to that of the covariance."""
    correlation_factor(psi, partial_at, R)
    for a in range(len(sd_at)):
        sd = np.exp(psi[sd_at[a]])
        for b in range(len(sd_at)):
            L[a, b] = sd * R[a, b]


@njit(cache=True, nogil=True, error_model="numpy")
def factor_gradient(psi, sd_at, partial_at, R, L, slope, gradient):
    """Add the gradient in psi, given the slope in each entry of L, shape (q, q)."""
    for i in range(len(sd_at)):
        for j in range(i + 1):
            gradient[sd_at[i]] += slope[i, j] * L[i, j]
        sd = np.exp(psi[sd_at[i]])
        for m in range(i):
            if partial_at[i, m] < 0:
                continue
            p = np.tanh(psi[partial_at[i, m]])
            left = 1.0
            for j in range(m):
                if partial_at[i, j] >= 0:
                    left *= np.sqrt(1.0 - np.tanh(psi[partial_at[i, j]]) ** 2)
            total = (1.0 - p * p) * left * slope[i, m]
            for j in range(m + 1, i + 1):
                total -= p * R[i, j] * slope[i, j]
            gradient[partial_at[i, m]] += sd * total


@njit(cache=True, nogil=True, error_model="numpy")
def effects_forward(own, L, centred, means, values, standard):
    """Set the values that the rows meet and the standardised effects; gives the log prior.

    Parameters
    ----------
    own
        Entries of theta, shape (J, q).
    L
        Cholesky factor of the covariance, shape (q, q).
    centred
        1 where an effect is centred, shape (q,).
    means
        Means of the centred coefficients, shape (J, q); zero for the others.
    values, standard
        Set, shape (J, q).
    """
    J, q = own.shape
    total = 0.0
    for k in range(q):
        if centred[k]:
            total -= J * np.log(L[k, k])
    for j in range(J):
        for k in range(q):
            expected = 0.0
            for m in range(k):
                expected += L[k, m] * standard[j, m]
            if centred[k]:
                values[j, k] = own[j, k]
                standard[j, k] = (own[j, k] - means[j, k] - expected) / L[k, k]
            else:
                values[j, k] = expected + L[k, k] * own[j, k]
                standard[j, k] = own[j, k]
            total -= 0.5 * standard[j, k] ** 2
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def effects_backward(standard, L, centred, slopes, own_slopes, mean_slopes, factor_slopes):
    """Add the slopes in theta, in the means and in L, given those in the rows' values.

    Parameters
    ----------
    slopes
        Slopes in the values that the rows meet, shape (J, q).
    own_slopes, mean_slopes
        Added to, shape (J, q).
    factor_slopes
        Added to, shape (q, q).
    """
    J, q = standard.shape
    inner = np.empty(q)
    for j in range(J):
        for k in range(q):
            inner[k] = -standard[j, k]
        for k in range(q - 1, -1, -1):
            if centred[k]:
                shift = inner[k] / L[k, k]
                own_slopes[j, k] += slopes[j, k] + shift
                mean_slopes[j, k] -= shift
                factor_slopes[k, k] -= shift * standard[j, k]
                for m in range(k):
                    factor_slopes[k, m] -= shift * standard[j, m]
                    inner[m] -= shift * L[k, m]
            else:
                own_slopes[j, k] += inner[k] + slopes[j, k] * L[k, k]
                factor_slopes[k, k] += slopes[j, k] * standard[j, k]
                for m in range(k):
                    factor_slopes[k, m] += slopes[j, k] * standard[j, m]
                    inner[m] += slopes[j, k] * L[k, m]
    for k in range(q):
        if centred[k]:
            factor_slopes[k, k] -= J / L[k, k]


@njit(cache=True, nogil=True, error_model="numpy")
def add_means(at_form, at_W, W, group_coefficients, mean):
    """Add the mean of a centred coefficient of every group, W times coefficients; mean (J,)."""
    (start, stop), J = at_form, len(mean)
    for j in range(J):
        for c in range(stop - start):
            mean[j] += W[at_W + j * (stop - start) + c] * group_coefficients[start + c]


@njit(cache=True, nogil=True, error_model="numpy")
def add_mean_slopes(at_form, at_W, W, mean_slopes, group_slopes):
    """Add the slopes in the coefficients, given those in the means, (J,); see `add_means`."""
    (start, stop), J = at_form, len(mean_slopes)
    for j in range(J):
        for c in range(stop - start):
            group_slopes[start + c] += W[at_W + j * (stop - start) + c] * mean_slopes[j]


@njit(cache=True, nogil=True, error_model="numpy")
def all_effects_forward(psi, own, effects, slots, group_coefficients, values, standard):
    """Do what `effects_forward` does for all groupings; gives the log prior.

    Parameters
    ----------
    psi, own
        Hyperparameters (d,), and the effects' entries of theta, flat.
    effects
        As of `log_posterior`.
    slots
        Flat by grouping, the positions of SDs and of partial correlations.
    group_coefficients
        Forms of the means, of the coordinates, shape (M,).
    values, standard
        Set, of the shape of own.
    """
    sizes, widths, centred, _, form_start, W, W_start = effects
    sd_at, partial_at = slots
    means, total = np.zeros(len(own)), 0.0
    at = column = square = 0
    for g in range(len(widths)):
        J, q = sizes[g], widths[g]
        end = at + J * q
        R, L = np.empty((q, q)), np.empty((q, q))
        pairs = partial_at[square : square + q * q].reshape(q, q)
        scaled_factor(psi, sd_at[column : column + q], pairs, R, L)
        mean = means[at:end].reshape(J, q)
        for k in range(q):
            at_form = form_start[column + k], form_start[column + k + 1]
            add_means(at_form, W_start[column + k], W, group_coefficients, mean[:, k])
        total += effects_forward(
            own[at:end].reshape(J, q),
            L,
            centred[column : column + q],
            mean,
            values[at:end].reshape(J, q),
            standard[at:end].reshape(J, q),
        )
        at, column, square = end, column + q, square + q * q
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def all_effects_backward(
    psi, standard, value_slopes, effects, slots, own_slopes, group_slopes, psi_slopes
):  # fmt: skip
    """Add the slopes in the effects' entries, the means' forms and psi, given the rows'.

    Parameters
    ----------
    psi, effects, slots
        As of `all_effects_forward`.
    standard, value_slopes
        Standardised effects, and the slopes in the values that the rows meet, flat.
    own_slopes, group_slopes, psi_slopes
        Added to: of the shape of standard, (M,) and (d,).
    """
    sizes, widths, centred, _, form_start, W, W_start = effects
    sd_at, partial_at = slots
    mean_slopes = np.zeros(len(standard))
    at = column = square = 0
    for g in range(len(widths)):
        J, q = sizes[g], widths[g]
        end = at + J * q
        R, L, factor_slopes = np.empty((q, q)), np.empty((q, q)), np.zeros((q, q))
        pairs = partial_at[square : square + q * q].reshape(q, q)
        scaled_factor(psi, sd_at[column : column + q], pairs, R, L)
        mean = mean_slopes[at:end].reshape(J, q)
        effects_backward(
            standard[at:end].reshape(J, q),
            L,
            centred[column : column + q],
            value_slopes[at:end].reshape(J, q),
            own_slopes[at:end].reshape(J, q),
            mean,
            factor_slopes,
        )
        factor_gradient(psi, sd_at[column : column + q], pairs, R, L, factor_slopes, psi_slopes)
        for k in range(q):
            at_form = form_start[column + k], form_start[column + k + 1]
            add_mean_slopes(at_form, W_start[column + k], W, mean[:, k], group_slopes)
        at, column, square = end, column + q, square + q * q
