"""The families' compiled log densities and their gradients, summed over rows.

Every kernel has the arguments of `add_rows`. A family's kernel stands in the family's file;
it is listed here once, by family and link.
"""

from __future__ import annotations

from numba import njit

from bayesmlm.families import binomial, gaussian, poisson
from bayesmlm.families.family import Family

GAUSSIAN, BINOMIAL_LOGIT, BINOMIAL_PROBIT, POISSON_LOG = range(4)

CODES: dict[tuple[str, str], int] = {
    ("gaussian", "identity"): GAUSSIAN,
    ("bernoulli", "logit"): BINOMIAL_LOGIT,
    ("bernoulli", "probit"): BINOMIAL_PROBIT,
    ("binomial", "logit"): BINOMIAL_LOGIT,
    ("binomial", "probit"): BINOMIAL_PROBIT,
    ("poisson", "log"): POISSON_LOG,
}


def code(family: Family) -> int | None:
    """Return the code of a family's kernel, or None where it has none."""
    return CODES.get((family.name, family.link.name))


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
        The other parameters on the whole line (log sigma), shape (K, 1) or (K, N).
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
    return poisson.rows(y, eta, others, known, weights, slope, other_slopes)


@njit(cache=True, nogil=True, error_model="numpy")
def curvatures(code, y, eta, others, known, weights, first, second, third):
    """Return the log density of the rows up to a constant, and set its derivatives in eta.

    Parameters
    ----------
    code, y, eta, others, known, weights
        As of `add_rows`.
    first, second, third
        Set to the derivatives of the weighted log density in eta, shape (N,).
    """
    if code == GAUSSIAN:
        return gaussian.curvatures(y, eta, others, known, weights, first, second, third)
    if code == BINOMIAL_LOGIT:
        return binomial.logit_curvatures(y, eta, others, known, weights, first, second, third)
    if code == BINOMIAL_PROBIT:
        return binomial.probit_curvatures(y, eta, others, known, weights, first, second, third)
    return poisson.curvatures(y, eta, others, known, weights, first, second, third)


@njit(cache=True, nogil=True, error_model="numpy")
def total(code, y, eta, others, known, weights, slope, other_slopes):
    """Return what `add_rows` returns; the slopes are room to work in."""
    if (
        code == BINOMIAL_LOGIT
        and len(known[0]) == 1
        and known[0, 0] == 1.0
        and len(weights) == 1
        and weights[0] == 1.0
    ):
        return binomial.logit_total(y, eta)
    return add_rows(code, y, eta, others, known, weights, slope, other_slopes)
