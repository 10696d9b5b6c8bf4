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
def log_cdf_slopes(x):
    """Return log Phi(x) and its first three derivatives, stable in both tails.

    Notes
    -----
    With m = phi(x) / Phi(x), d = x + m and d = 1 / (e - x) they are m, -m d and m d (2 d - e).
    Below `FAR`, d and e are tails of the continued fraction, free of cancellation.
    """
    if x > FAR:
        value, slope = log_cdf(x)
        rest = x + slope
        second = -slope * rest
        return value, slope, second, -second * rest - slope * (1.0 + second)
    t = -x
    g = TERMS / t
    for k in range(TERMS - 1, 2, -1):
        g = k / (t + g)
    e = 2.0 / (t + g)
    d = 1.0 / (t + e)
    slope = t + d
    log_density = -0.5 * x * x - 0.5 * math.log(2.0 * math.pi)
    bend = 2.0 * (g - e) / ((t + e) * (t + g))
    return log_density - math.log(slope), slope, -slope * d, slope * d * bend
