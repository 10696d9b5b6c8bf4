"""Functions of the gamma family, compiled."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

LARGE = 12.0
"""From here on the asymptotic series hold to double precision (Abramowitz & Stegun, 6.3-6.4)."""


LOG2_E, LN2 = 1.4426950408889634, 0.6931471805599453
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
"""log 2, the first part short enough that its products with whole numbers are exact."""

ROUNDER = 1.5 * 2.0**52
"""Added, it leaves a number rounded to a whole one in the last bits."""

HALF_ROOT = np.float64(0.5**0.5).view(np.int64)
"""The bits of sqrt(1/2)."""

LEAST, MOST = -708.0, 709.78
"""Between these the exponential is a normal number."""


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def exponential(x):
    """Return exp(x), of relative error 4e-16, by instructions that work on several x at once.

    Zero below -708, where it is less than 1e-307. With x = k log 2 + r, exp(r) is a
    polynomial and k is added to its exponent.
    """
    inside = min(max(x, LEAST), MOST)
    shifted = inside * LOG2_E + ROUNDER
    k = shifted - ROUNDER
    r = (inside - k * LN2_HIGH) - k * LN2_LOW
    value = 1 / 39916800 + r / 479001600
    value = 1 / 362880 + r * (1 / 3628800 + r * value)
    value = 1 / 5040 + r * (1 / 40320 + r * value)
    value = 1 / 120 + r * (1 / 720 + r * value)
    value = 1 / 6 + r * (1 / 24 + r * value)
    value = 1.0 + r * (1.0 + r * (0.5 + r * value))
    scale = np.float64(shifted).view(np.int64) << 52
    value = np.int64(np.float64(value).view(np.int64) + scale).view(np.float64)
    value = np.inf if x > MOST else value
    value = 0.0 if x < LEAST else value
    return value if x == x else x


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def twice_artanh(z):
    """Return 2 artanh(z) = log((1 + z) / (1 - z)) for |z| up to 0.1716, where that is sqrt(2)."""
    square = z * z
    series = 1 / 17 + square * (1 / 19 + square * (1 / 21))
    series = 1 / 11 + square * (1 / 13 + square * (1 / 15 + square * series))
    series = 1 / 5 + square * (1 / 7 + square * (1 / 9 + square * series))
    return 2.0 * (z + z * square * (1 / 3 + square * series))


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def log_one_plus(x):
    """Return log(1 + x) for x from 0 to 1, by instructions that work on several x at once."""
    large = x > 0.41421356237309515  # that of (1 + x) / 2, then
    value = twice_artanh((x - 1.0 if large else x) / (x + 3.0 if large else x + 2.0))
    return value + LN2 if large else value


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def logarithm(x):
    """Return log(x) for normal x > 0, by instructions that work on several x at once."""
    bits = np.float64(x).view(np.int64)
    k = (bits - HALF_ROOT) >> 52
    m = np.int64(bits - (k << 52)).view(np.float64)  # x = 2^k m, m from sqrt(1/2) to sqrt(2)
    return k * LN2 + twice_artanh((m - 1.0) / (m + 1.0))


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
