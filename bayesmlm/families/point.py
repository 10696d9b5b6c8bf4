"""The compiled log density of one row, of every family whose rows are alike."""

from __future__ import annotations

import math

from numba import njit

from bayesmlm.families import (
    beta,
    beta_binomial,
    binomial,
    gamma,
    gaussian,
    lognormal,
    mixed_counts,
    negbinomial,
    poisson,
    student,
)

(
    GAUSSIAN,
    BINOMIAL,
    POISSON,
    STUDENT,
    LOGNORMAL,
    GAMMA,
    BETA,
    BETA_BINOMIAL,
    NEGBINOMIAL,
    ZERO_INFLATED_POISSON,
    ZERO_INFLATED_NEGBINOMIAL,
    HURDLE_POISSON,
    HURDLE_NEGBINOMIAL,
    CUMULATIVE,
    CATEGORICAL,
) = range(15)

KIND_CODES = {
    "gaussian": GAUSSIAN,
    "bernoulli": BINOMIAL,
    "binomial": BINOMIAL,
    "poisson": POISSON,
    "student": STUDENT,
    "lognormal": LOGNORMAL,
    "gamma": GAMMA,
    "beta": BETA,
    "beta_binomial": BETA_BINOMIAL,
    "negbinomial": NEGBINOMIAL,
    "zero_inflated_poisson": ZERO_INFLATED_POISSON,
    "zero_inflated_negbinomial": ZERO_INFLATED_NEGBINOMIAL,
    "hurdle_poisson": HURDLE_POISSON,
    "hurdle_negbinomial": HURDLE_NEGBINOMIAL,
    "cumulative": CUMULATIVE,
    "categorical": CATEGORICAL,
}


@njit(cache=True, nogil=True, error_model="numpy")
def point(kind, link, y, eta, a, b, known):
    """Return the log density of a row up to a constant, and its slopes.

    Parameters
    ----------
    kind, link
        The family, and its link as `log_location` codes it.
    y, eta
        Response and linear predictor.
    a, b
        The first and the second further parameter on the whole line; 0 where there is none.
    known
        What the family knows of the row, its trials for example.

    Returns
    -------
    value, first, second, third, in_a, in_b
        The log density, its derivatives in eta, and its slopes in a and b.
    """
    if kind == NEGBINOMIAL:
        return negbinomial.point(link, y, eta, a)
    if kind == GAMMA:
        return gamma.point(link, y, eta, a)
    if kind == STUDENT:
        return student.point(y, eta, a, b)
    if kind == LOGNORMAL:
        return lognormal.point(y, eta, a)
    if kind == BETA:
        return beta.point(link, y, eta, a)
    if kind == BETA_BINOMIAL:
        return beta_binomial.point(link, y, eta, a, known)
    if kind in (ZERO_INFLATED_POISSON, ZERO_INFLATED_NEGBINOMIAL):
        return zero(True, kind == ZERO_INFLATED_NEGBINOMIAL, y, eta, a, b)
    if kind in (HURDLE_POISSON, HURDLE_NEGBINOMIAL):
        return zero(False, kind == HURDLE_NEGBINOMIAL, y, eta, a, b)
    if kind == GAUSSIAN:
        return gaussian.point(y, eta, a, known)
    if kind == BINOMIAL:
        return binomial.point(link, y, eta, known)
    return poisson.point(link, y, eta)


@njit(cache=True, nogil=True, error_model="numpy")
def zero(is_inflated, has_shape, y, eta, a, b):
    """Return what `point` does, of counts with their own probability of zero."""
    shape, share = (a, b) if has_shape else (0.0, a)
    if is_inflated:
        found = mixed_counts.inflated_point(has_shape, y, eta, shape, share)
    else:
        found = mixed_counts.hurdle_point(has_shape, y, eta, shape, share)
    value, first, second, third, in_shape, in_share = found
    if has_shape:
        return value, first, second, third, in_shape, in_share
    return value, first, second, third, in_share, 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def expected(kind, link, eta, a, b, known):
    """Return the expected information of a row in eta, with the arguments of `point`."""
    if kind == NEGBINOMIAL:
        return negbinomial.expected(link, eta, a)
    if kind == GAMMA:
        return gamma.expected(link, eta, a)
    if kind == STUDENT:
        return student.expected(a, b)
    if kind == LOGNORMAL:
        return math.exp(-2.0 * a)
    if kind == BETA:
        return beta.expected(link, eta, a)
    if kind == BETA_BINOMIAL:
        return beta_binomial.expected(link, eta, a, known)
    if kind == ZERO_INFLATED_POISSON:
        return mixed_counts.inflated_expected(False, eta, 0.0, a)
    if kind == ZERO_INFLATED_NEGBINOMIAL:
        return mixed_counts.inflated_expected(True, eta, a, b)
    if kind == HURDLE_POISSON:
        return mixed_counts.hurdle_expected(False, eta, 0.0, a)
    if kind == HURDLE_NEGBINOMIAL:
        return mixed_counts.hurdle_expected(True, eta, a, b)
    if kind == GAUSSIAN:
        return gaussian.expected(a, known)
    if kind == BINOMIAL:
        return binomial.expected(link, eta, known)
    return poisson.expected(link, eta)
