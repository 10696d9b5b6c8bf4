"""The families' compiled log densities and their derivatives, summed over rows.

A family's kernel stands in the family's file; it is listed by family and link in `point` and
here. The commonest families have faster kernels of their own.
"""

from __future__ import annotations

from numba import njit

from bayesmlm.families import binomial, categorical, cumulative_kernel, gaussian, poisson
from bayesmlm.families.family import Family
from bayesmlm.families.log_location import LINK_CODES
from bayesmlm.families.point import CATEGORICAL, CUMULATIVE, KIND_CODES, expected, point

GAUSSIAN, BINOMIAL_LOGIT, BINOMIAL_PROBIT, POISSON_LOG = 0, 18, 19, 33
"""Codes of the families with a kernel of their own: 16 times the kind, plus the link."""

LINKS_OF_A_KIND = 16


def code(family: Family) -> int | None:
    """Return the code of a family's kernel, or None where it has none."""
    kind = KIND_CODES.get(family.name)
    return None if kind is None else LINKS_OF_A_KIND * kind + LINK_CODES[family.link.name]


@njit(cache=True, nogil=True, error_model="numpy")
def add_rows(code, y, eta, others, known, weights, slope, other_slopes):
    """Return the log density of the rows up to a constant, and set its slopes.

    Parameters
    ----------
    code
        Which kernel.
    y, eta
        Response and linear predictor, shape (N,).
    others
        The further parameters on the whole line (log sigma), shape (K, 1) or (K, N).
    known
        What the family knows of the rows (trials), shape (M, 1) or (M, N).
    weights
        Powers of the likelihood, shape (1,) or (N,).
    slope
        Set to the slope in eta, shape (N,).
    other_slopes
        The slopes in `others` are added to it, shape of `others`.
    """
    if code == GAUSSIAN:
        return gaussian.rows(y, eta, others, known, weights, slope, other_slopes)
    if code == BINOMIAL_LOGIT:
        return binomial.logit_rows(y, eta, others, known, weights, slope, other_slopes)
    if code == BINOMIAL_PROBIT:
        return binomial.probit_rows(y, eta, others, known, weights, slope, other_slopes)
    if code == POISSON_LOG:
        return poisson.rows(y, eta, others, known, weights, slope, other_slopes)
    kind, link = code // LINKS_OF_A_KIND, code % LINKS_OF_A_KIND
    if kind == CUMULATIVE:
        return cumulative_kernel.rows(link, y, eta, others, weights, slope, other_slopes)
    if kind == CATEGORICAL:
        return categorical.rows(y, eta, others, weights, slope, other_slopes)
    K, M = len(others), len(known)
    by_other, by_known = others.shape[1] > 1, known.shape[1] > 1
    by_weight = len(weights) > 1
    total = 0.0
    for i in range(len(y)):
        at = i if by_other else 0
        a, b = others[0, at] if K > 0 else 0.0, others[1, at] if K > 1 else 0.0
        fact = known[0, i if by_known else 0] if M > 0 else 0.0
        w = weights[i if by_weight else 0]
        value, first, _, _, in_a, in_b = point(kind, link, y[i], eta[i], a, b, fact)
        total += w * value
        slope[i] = w * first
        if K > 0:
            other_slopes[0, at] += w * in_a
        if K > 1:
            other_slopes[1, at] += w * in_b
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def curvatures(code, y, eta, others, known, weights, value, first, second, third):
    """Set the log densities of the rows, up to a constant, and their derivatives in eta.

    Parameters
    ----------
    code, y, eta, others, known, weights
        As of `add_rows`.
    value, first, second, third
        Set, weights applied, shape (N,).
    """
    if code == GAUSSIAN:
        gaussian.curvatures(y, eta, others, known, weights, value, first, second, third)
        return
    if code == BINOMIAL_LOGIT:
        binomial.logit_curvatures(y, eta, others, known, weights, value, first, second, third)
        return
    if code == BINOMIAL_PROBIT:
        binomial.probit_curvatures(y, eta, others, known, weights, value, first, second, third)
        return
    if code == POISSON_LOG:
        poisson.curvatures(y, eta, others, known, weights, value, first, second, third)
        return
    kind, link = code // LINKS_OF_A_KIND, code % LINKS_OF_A_KIND
    if kind == CUMULATIVE:
        cumulative_kernel.curvatures(link, y, eta, others, weights, value, first, second, third)
        return
    if kind == CATEGORICAL:
        categorical.curvatures(y, eta, others, weights, value, first, second, third)
        return
    K, M = len(others), len(known)
    by_other, by_known = others.shape[1] > 1, known.shape[1] > 1
    by_weight = len(weights) > 1
    for i in range(len(y)):
        at = i if by_other else 0
        a, b = others[0, at] if K > 0 else 0.0, others[1, at] if K > 1 else 0.0
        fact = known[0, i if by_known else 0] if M > 0 else 0.0
        w = weights[i if by_weight else 0]
        log_density, one, two, three, _, _ = point(kind, link, y[i], eta[i], a, b, fact)
        value[i], first[i], second[i], third[i] = w * log_density, w * one, w * two, w * three


@njit(cache=True, nogil=True, error_model="numpy")
def information(code, eta, others, known, weights, expected_information):
    """Set the expected information of each row in eta, positive where densities are not concave.

    Parameters
    ----------
    code, eta, others, known, weights
        As of `add_rows`.
    expected_information
        Set, weights applied, shape (N,). Of the beta-binomial family it is the information of
        mean and variance alone, which is no larger.
    """
    kind, link = code // LINKS_OF_A_KIND, code % LINKS_OF_A_KIND
    if kind == CUMULATIVE:
        cumulative_kernel.information(link, eta, others, weights, expected_information)
        return
    if kind == CATEGORICAL:
        categorical.information(eta, others, weights, expected_information)
        return
    K, M = len(others), len(known)
    by_other, by_known = others.shape[1] > 1, known.shape[1] > 1
    by_weight = len(weights) > 1
    for i in range(len(eta)):
        at = i if by_other else 0
        a, b = others[0, at] if K > 0 else 0.0, others[1, at] if K > 1 else 0.0
        fact = known[0, i if by_known else 0] if M > 0 else 0.0
        w = weights[i if by_weight else 0]
        expected_information[i] = w * expected(kind, link, eta[i], a, b, fact)


@njit(cache=True, nogil=True, error_model="numpy")
def densities(code, y, eta, others, known, weights, value, slopes):
    """Set the log densities that `curvatures` sets; the slopes (3, N) are room to work in."""
    if code == BINOMIAL_LOGIT and binomial.one_trial(known, weights):
        binomial.binary_densities(y, eta, value)
    elif code == POISSON_LOG:
        poisson.densities(y, eta, weights, value)
    else:
        curvatures(code, y, eta, others, known, weights, value, slopes[0], slopes[1], slopes[2])
