"""The log posterior with the random effects explicit, and its gradient by reverse sweeps.

theta holds, in this order, p coordinates of the fixed effects, the d hyperparameters psi, and
per grouping J × q values: the group's own coefficient where an effect is centred, else its
standardised deviation. Arrays of several groupings are flat, in the order of the design.

Where further parameters have formulas there are several linear predictors, the location's
first. Their columns and groupings stand one after the other; a span says where each begins.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from bayesmlm.density.conditional_effects import all_effects_backward, all_effects_forward
from bayesmlm.density.log_prior import log_prior
from bayesmlm.families.on_line import to_line
from bayesmlm.families.rows import add_rows


@njit(cache=True, nogil=True, error_model="numpy")
def linear_predictor(span, offset, X, coefficients, Z, codes, sizes, widths, values, eta):
    """Set eta = offset + b0 + X b + sum_k Z_k value[code] of one parameter.

    Parameters
    ----------
    span
        First column of X and the one after the last, its first coefficient, first column of
        Z, first grouping and the one after the last, and first value, shape (7,).
    """
    first_x, last_x, b = span[0], span[1], span[2]
    first_z, first_g, last_g, first_value = span[3], span[4], span[5], span[6]
    for i in range(len(X)):
        total = offset[i] + coefficients[b]
        for c in range(first_x, last_x):
            total += X[i, c] * coefficients[b + 1 + c - first_x]
        at = first_value
        column = first_z
        for g in range(first_g, last_g):
            first = at + codes[i, g] * widths[g]
            for k in range(widths[g]):
                total += Z[i, column + k] * values[first + k]
            at += sizes[g] * widths[g]
            column += widths[g]
        eta[i] = total


@njit(cache=True, nogil=True, error_model="numpy")
def collect(span, slope, X, Z, codes, sizes, widths, coefficient_slopes, value_slopes):
    """Add the rows' slopes to those of a parameter's coefficients and effects' values."""
    first_x, last_x, b = span[0], span[1], span[2]
    first_z, first_g, last_g, first_value = span[3], span[4], span[5], span[6]
    for i in range(len(X)):
        coefficient_slopes[b] += slope[i]
        for c in range(first_x, last_x):
            coefficient_slopes[b + 1 + c - first_x] += slope[i] * X[i, c]
        at = first_value
        column = first_z
        for g in range(first_g, last_g):
            first = at + codes[i, g] * widths[g]
            for k in range(widths[g]):
                value_slopes[first + k] += slope[i] * Z[i, column + k]
            at += sizes[g] * widths[g]
            column += widths[g]


@njit(cache=True, nogil=True, error_model="numpy")
def multiply(matrix, vector):
    """Return matrix @ vector, without the BLAS."""
    out = np.zeros(matrix.shape[0])
    for a in range(matrix.shape[0]):
        for b in range(matrix.shape[1]):
            out[a] += matrix[a, b] * vector[b]
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def add_transposed(matrix, vector, out):
    """Add matrix' @ vector to out."""
    for a in range(matrix.shape[0]):
        for b in range(matrix.shape[1]):
            out[b] += matrix[a, b] * vector[a]


@njit(cache=True, nogil=True, error_model="numpy")
def set_others(psi, others_at, predictor_of, line_codes, etas, others, stretch):
    """Set the further parameters on the line, and their slopes in linear predictors.

    Returns
    -------
    bool
        Whether every linear predictor gives a parameter.
    """
    for k in range(len(others_at)):
        if predictor_of[k] == 0:
            others[k, :] = psi[others_at[k]]
            continue
        for i in range(others.shape[1]):
            value, slope = to_line(line_codes[k], etas[predictor_of[k], i])
            if np.isnan(value):
                return False
            others[k, i] = value
            stretch[k, i] = slope
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def log_posterior(theta, gradient, fixed, hyper, effects, outcome):
    """Return the log posterior up to a constant, and set its gradient.

    Parameters
    ----------
    theta, gradient
        Shape (p + d + sum of J q,).
    fixed
        Forms (K, p) and shifts (K,) of the standardised coefficients with priors, their
        kinds and two parameters (K,), and the forms (1 + f, p) of what the rows meet.
    hyper
        Kind of prior and two parameters of every entry of psi (d,), positions in psi of the
        family's further parameters (K,), -1 of those with a formula, and flat by grouping
        those of SDs and partial correlations.
    effects
        Sizes, widths (G,), centred (Q,), forms of the means (M, p), where each effect's forms
        start (Q + 1,), their group-level predictors, flat, and where each effect's start
        (Q + 1,).
    outcome
        Code of the family (1,), y (N,), offsets (P, N), X (N, f), Z (N, Q), codes (N, G), known
        (M, 1 or N), weights (1 or N,); spans (P, 7) of the P linear predictors, and of each
        further parameter which of them it has, 0 for none, and the code of its link (K,).
    """
    forms, shifts, kinds, first, second, row_forms = fixed
    hyper_kinds, hyper_first, hyper_second, others_at, sd_at, partial_at = hyper
    sizes, widths, mean_forms, slots = effects[0], effects[1], effects[3], (sd_at, partial_at)
    code, y, offset, X, Z, codes, known, weights, spans, predictor_of, line_codes = outcome
    p, d = forms.shape[1], len(hyper_kinds)
    coordinates, psi, own = theta[:p], theta[p : p + d], theta[p + d :]
    gradient[:] = 0.0

    scaled = multiply(forms, coordinates) + shifts
    scaled_slopes = np.zeros(len(scaled))
    total = log_prior(scaled, kinds, first, second, scaled_slopes)
    psi_slopes = np.zeros(d)
    total += log_prior(psi, hyper_kinds, hyper_first, hyper_second, psi_slopes)
    coefficients = multiply(row_forms, coordinates)
    group_coefficients = multiply(mean_forms, coordinates)

    values, standard = np.empty(len(own)), np.empty(len(own))
    total += all_effects_forward(psi, own, effects, slots, group_coefficients, values, standard)

    N, P, K = len(y), len(spans), len(others_at)
    etas, slope = np.empty((P, N)), np.empty(N)
    for m in range(P):
        linear_predictor(
            spans[m], offset[m], X, coefficients, Z, codes, sizes, widths, values, etas[m]
        )
    by_row = N if P > 1 else 1
    others, other_slopes = np.empty((K, by_row)), np.zeros((K, by_row))
    stretch = np.ones((K, by_row))
    if not set_others(psi, others_at, predictor_of, line_codes, etas, others, stretch):
        return -np.inf
    total += add_rows(code[0], y, etas[0], others, known, weights, slope, other_slopes)

    coefficient_slopes, value_slopes = np.zeros(len(coefficients)), np.zeros(len(own))
    collect(spans[0], slope, X, Z, codes, sizes, widths, coefficient_slopes, value_slopes)
    for k in range(K):
        if predictor_of[k] == 0:
            psi_slopes[others_at[k]] += other_slopes[k].sum()
        else:
            slope[:] = other_slopes[k] * stretch[k]
            span = spans[predictor_of[k]]
            collect(span, slope, X, Z, codes, sizes, widths, coefficient_slopes, value_slopes)
    group_slopes = np.zeros(len(group_coefficients))
    all_effects_backward(
        psi, standard, value_slopes, effects, slots, gradient[p + d :], group_slopes, psi_slopes
    )

    add_transposed(forms, scaled_slopes, gradient[:p])
    add_transposed(row_forms, coefficient_slopes, gradient[:p])
    add_transposed(mean_forms, group_slopes, gradient[:p])
    gradient[p : p + d] = psi_slopes
    return total
