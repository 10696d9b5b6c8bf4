"""Logarithms of means and probabilities as functions of eta, with three derivatives, compiled.

Kernels know a link by its code here.
"""

from __future__ import annotations

import math

from numba import njit

from bayesmlm.families.normal_cdf import log_cdf_slopes
from bayesmlm.families.special import expit, softplus

IDENTITY, LOG, LOGIT, PROBIT, CLOGLOG, INVERSE, SQRT = range(7)

LINK_CODES = {
    "identity": IDENTITY,
    "log": LOG,
    "logit": LOGIT,
    "probit": PROBIT,
    "cloglog": CLOGLOG,
    "inverse": INVERSE,
    "sqrt": SQRT,
}

TOP = 700.0
"""Beyond it exp overflows soon; the complementary log-log link is level there."""


@njit(cache=True, nogil=True, error_model="numpy")
def log_mean(link, eta):
    """Return log mu and its first three derivatives in eta, NaN where mu is not positive."""
    if link == LOG:
        return eta, 1.0, 0.0, 0.0
    if eta <= 0.0:
        return math.nan, math.nan, math.nan, math.nan
    power = 2.0 if link == SQRT else (-1.0 if link == INVERSE else 1.0)
    first = power / eta
    return power * math.log(eta), first, -first / eta, 2.0 * first / (eta * eta)


@njit(cache=True, nogil=True, error_model="numpy")
def log_probability(link, eta):
    """Return log F(eta) and its first three derivatives, F the inverse of the link."""
    if link == LOGIT:
        q = expit(-eta)
        second = -q * expit(eta)
        return -softplus(-eta), q, second, second * (2.0 * q - 1.0)
    if link == PROBIT:
        return log_cdf_slopes(eta)
    t = math.exp(min(eta, TOP))
    if t < 1e-8:
        return eta - 0.5 * t, 1.0 - 0.5 * t, -0.5 * t, -0.5 * t
    if t > TOP:
        return 0.0, 0.0, 0.0, 0.0
    first = t / math.expm1(t)
    rest = 1.0 - first - t
    second = first * rest
    return math.log(-math.expm1(-t)), first, second, second * rest - first * (second + t)


@njit(cache=True, nogil=True, error_model="numpy")
def log_complement(link, eta):
    """Return log(1 - F(eta)) and its first three derivatives."""
    if link == CLOGLOG:
        t = math.exp(min(eta, TOP))
        return -t, -t, -t, -t
    value, first, second, third = log_probability(link, -eta)
    return value, -first, second, -third


@njit(cache=True, nogil=True, error_model="numpy")
def chain(one, two, three, first, second, third):
    """Return three derivatives of f(x(eta)) from those of f in x, and those of x in eta."""
    return (
        one * first,
        two * first * first + one * second,
        three * first * first * first + 3.0 * two * first * second + one * third,
    )
