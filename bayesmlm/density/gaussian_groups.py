"""The Gaussian likelihood group by group, the effects of a chain of groupings integrated out.

Rows of an outer group have independent errors of precision w_i and effects of nested
groupings, innermost first, as columns t_i scaled by factors of their covariances. With D the
cross-products of the scaled columns and the residuals r, eliminating all columns of I + D gives

    log p(y_j) = c_j - (log|I + D| + r' V⁻¹ r) / 2,

c_j the constant of its rows. Of one grouping, with m_i and v_i the posterior mean and variance
of a row's random part, the row given all others of its group has

    log p(y_i | y_-i) = c_i + log(1 - v_i w_i) / 2 - w_i (r_i - m_i)² / (2 (1 - v_i w_i)).

References
----------
Lindley & Smith (1972), Journal of the Royal Statistical Society B 34, 1–41;
Vehtari, Mononen, Tolvanen, Sivula & Winther (2016), Journal of Machine Learning Research 17, 103.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from bayesmlm.density.chunks import scale_columns


@njit(cache=True, nogil=True, error_model="numpy")
def eliminate(D, first, width):
    """Eliminate columns of I + D from the rest of D, both lower triangular; gives log|I + D|.

    Parameters
    ----------
    D
        Shape (m, m); what follows the columns is reduced.
    first, width
        The columns.
    """
    m, log_det = len(D), 0.0
    for c in range(first, first + width):
        pivot = 1.0 + D[c, c]
        log_det += np.log(pivot)
        for a in range(c + 1, m):
            share = D[a, c] / pivot
            for b in range(c + 1, a + 1):
                D[a, b] -= share * D[b, c]
    return log_det


@njit(cache=True, nogil=True, error_model="numpy")
def add_row(D, t, r, w):
    """Add the cross-products of one row, columns t and residual r, to D."""
    q = len(t)
    for a in range(q):
        for b in range(a + 1):
            D[a, b] += w * t[a] * t[b]
        D[q, a] += w * r * t[a]
    D[q, q] += w * r * r


@njit(cache=True, nogil=True, error_model="numpy")
def chain(residual, weight, T, starts, last, widths, out):
    """Set out to -(log|I + D| + r' V⁻¹ r) / 2 of every outer group.

    Parameters
    ----------
    residual, weight
        Of the rows, in the order of the groups, shape (n,).
    T
        Scaled columns of all groupings, the innermost first, shape (n, Q).
    starts
        First row of each innermost group, shape (K + 1,).
    last
        Whether an innermost group is the last of its group of each grouping above it, shape
        (K, levels - 1).
    widths
        Columns of each grouping.
    out
        Shape (J,).
    """
    Q, levels = T.shape[1], len(widths)
    D = np.zeros((levels, Q + 1, Q + 1))
    log_det, j = 0.0, 0
    for k in range(len(starts) - 1):
        for i in range(starts[k], starts[k + 1]):
            add_row(D[0], T[i], residual[i], weight[i])
        first = 0
        for level in range(levels):
            log_det += eliminate(D[level], first, widths[level])
            first += widths[level]
            if level == levels - 1:
                out[j] = -0.5 * (log_det + D[level, Q, Q])
                log_det = 0.0
                j += 1
                D[level] = 0.0
                break
            for a in range(first, Q + 1):
                for b in range(first, a + 1):
                    D[level + 1, a, b] += D[level, a, b]
            D[level] = 0.0
            if not last[k, level]:
                break


@njit(cache=True, nogil=True, error_model="numpy")
def groups(first, stop, residual, sigma, Z, factors, weight, starts, last, widths, out):
    """Set `chain` for parameter vectors `first` to `stop` of S.

    Parameters
    ----------
    residual
        Shape (S, n).
    sigma
        Residual SD, by which weights are divided, shape (S,).
    Z
        Columns of all groupings, shape (n, Q).
    factors
        F such that the covariance of all effects is F F', block diagonal, shape (S, Q, Q).
    weight
        Precision of each row at sigma = 1, shape (n,).
    starts, last, widths
        As of `chain`.
    out
        Shape (S, J).
    """
    T = np.empty(Z.shape[::-1])
    for s in range(first, stop):
        scale_columns(Z, factors[s], T)
        columns = T.T.copy()
        chain(residual[s], weight / sigma[s] ** 2, columns, starts, last, widths, out[s])


@njit(cache=True, nogil=True, error_model="numpy")
def left_out(residual, weight, T, starts, out):
    """Set out to log p(y_i | y_-i) - c_i of every row; see the module.

    Parameters
    ----------
    residual, weight, T, starts
        As of `chain`, of one grouping.
    out
        Shape (n,).
    """
    q = T.shape[1]
    D = np.empty((q + 1, q + 1))
    L, x = np.empty((q, q)), np.empty((2, q))
    for j in range(len(starts) - 1):
        D[:] = 0.0
        for i in range(starts[j], starts[j + 1]):
            add_row(D, T[i], residual[i], weight[i])
        for a in range(q):
            for b in range(a + 1):
                left = D[a, b] + (1.0 if a == b else 0.0)
                for c in range(b):
                    left -= L[a, c] * L[b, c]
                L[a, b] = np.sqrt(left) if a == b else left / L[b, b]
        for a in range(q):
            left = D[q, a]
            for b in range(a):
                left -= L[a, b] * x[0, b]
            x[0, a] = left / L[a, a]
        for i in range(starts[j], starts[j + 1]):
            mean = variance = 0.0
            for a in range(q):
                left = T[i, a]
                for b in range(a):
                    left -= L[a, b] * x[1, b]
                x[1, a] = left / L[a, a]
                variance += x[1, a] ** 2
                mean += x[1, a] * x[0, a]
            rest = 1.0 - variance * weight[i]
            out[i] = 0.5 * (np.log(rest) - weight[i] * (residual[i] - mean) ** 2 / rest)


@njit(cache=True, nogil=True, error_model="numpy")
def rows(first, stop, residual, sigma, Z, factors, weight, starts, out):
    """Set `left_out` for parameter vectors `first` to `stop` of S; see `groups`."""
    T = np.empty(Z.shape[::-1])
    for s in range(first, stop):
        scale_columns(Z, factors[s], T)
        left_out(residual[s], weight / sigma[s] ** 2, T.T.copy(), starts, out[s])
