"""The logarithm of the standard normal distribution function, compiled."""

from __future__ import annotations

import math

from numba import njit

FAR = -5.0
"""Below it the continued fraction of Mills' ratio converges in `TERMS` terms."""

TERMS = 60


@njit(cache=True, nogil=True, error_model="numpy")
def log_cdf(x):
    """Return log Phi(x) and its slope phi(x) / Phi(x), stable in both tails.

    Notes
    -----
    Below `FAR`, Phi(x) / phi(x) = 1 / (t + 1 / (t + 2 / (t + ...))) at t = -x (Laplace's
    continued fraction; Abramowitz & Stegun 1964, 26.2.14).
    """
    log_density = -0.5 * x * x - 0.5 * math.log(2.0 * math.pi)
    if x > FAR:
        upper = 0.5 * math.erfc(x / math.sqrt(2.0))
        value = math.log1p(-upper) if x > 0.0 else math.log(0.5 * math.erfc(-x / math.sqrt(2.0)))
        return value, math.exp(log_density - value)
    rest = -x
    for k in range(TERMS, 0, -1):
        rest = -x + k / rest
    return log_density - math.log(rest), rest


@njit(cache=True, nogil=True, error_model="numpy")
def log_cdf_curvatures(x):
    """Return log Phi(x) and its first three derivatives, stable in both tails.

    Notes
    -----
    With r = phi(x) / Phi(x) and e = x + r they are r, -r e and r (e (e + r) - 1). Below `FAR`
    the differences are taken between terms of the continued fraction: e = 1 / f_1 and
    e (e + r) - 1 = 2 e (3 f_2 - 2 f_3) / (f_1 f_2² f_3), with f_k = -x + (k + 1) / f_(k + 1).
    """
    if x > FAR:
        value, r = log_cdf(x)
        e = x + r
        return value, r, -r * e, r * (e * (e + r) - 1.0)
    t = -x
    f3 = t
    for k in range(TERMS, 3, -1):
        f3 = t + k / f3
    f2 = t + 3.0 / f3
    f1 = t + 2.0 / f2
    r = t + 1.0 / f1
    value = -0.5 * x * x - 0.5 * math.log(2.0 * math.pi) - math.log(r)
    bracket = 2.0 * (3.0 * f2 - 2.0 * f3) / (f1 * f1 * f2 * f2 * f3)
    return value, r, -r / f1, r * bracket
