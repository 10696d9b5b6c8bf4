"""Functions of the gamma family, compiled."""

from __future__ import annotations

import math

from numba import njit

LARGE = 12.0
"""From here on the asymptotic series hold to double precision (Abramowitz & Stegun, 6.3-6.4)."""


@njit(cache=True, nogil=True, error_model="numpy")
def polygammas(x):
    """Return the first three derivatives of log Gamma at x > 0."""
    zero = one = two = 0.0
    while x < LARGE:
        zero -= 1.0 / x
        one += 1.0 / (x * x)
        two -= 2.0 / (x * x * x)
        x += 1.0
    v = 1.0 / (x * x)
    tail = 1 / 240 - v * (1 / 132 - v * (691 / 32760 - v / 12))
    zero += math.log(x) - 0.5 / x - v * (1 / 12 - v * (1 / 120 - v * (1 / 252 - v * tail)))
    tail = 1 / 30 - v * (5 / 66 - v * (691 / 2730 - v * 7 / 6))
    one += 1.0 / x + 0.5 * v + v / x * (1 / 6 - v * (1 / 30 - v * (1 / 42 - v * tail)))
    tail = 3 / 10 - v * (5 / 6 - v * (691 / 210 - v * 35 / 2))
    two -= v + v / x + v * v * (1 / 2 - v * (1 / 6 - v * (1 / 6 - v * tail)))
    return zero, one, two


@njit(cache=True, nogil=True, error_model="numpy")
def remainder(x):
    """Return log Gamma(x) - x log x + x at x > 0, without cancellation for large x."""
    if x < LARGE:
        return math.lgamma(x) - x * math.log(x) + x
    v = 1.0 / (x * x)
    tail = 1 / 1260 - v * (1 / 1680 - v * (1 / 1188 - v * (691 / 360360 - v / 156)))
    series = (1 / 12 - v * (1 / 360 - v * tail)) / x
    return 0.5 * math.log(2.0 * math.pi / x) + series


@njit(cache=True, nogil=True, error_model="numpy")
def log_rising(x, n):
    """Return log Gamma(x + n) - log Gamma(x) at x > 0, n >= 0, for tiny and for large x."""
    if n == 0.0:
        return 0.0
    if x < LARGE:
        return math.lgamma(x + n) - math.lgamma(x + 1.0) + math.log(x)
    powers = x * math.log1p(n / x) - n + n * math.log(x + n)
    return powers + remainder(x + n) - remainder(x)


@njit(cache=True, nogil=True, error_model="numpy")
def scaled_polygammas(x):
    """Return x psi(x), x² psi'(x) and x³ psi''(x), for x down to zero."""
    zero, one, two = polygammas(x + 1.0)
    return x * zero - 1.0, x * x * one + 1.0, x * x * x * two - 2.0


@njit(cache=True, nogil=True, error_model="numpy")
def softplus(x):
    """Return log(1 + exp(x)) without overflow."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


@njit(cache=True, nogil=True, error_model="numpy")
def expit(x):
    """Return 1 / (1 + exp(-x)) without overflow."""
    small = math.exp(-abs(x))
    return (1.0 if x > 0.0 else small) / (1.0 + small)
