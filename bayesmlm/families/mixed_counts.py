"""Counts with a probability of zero of their own: zero-inflated and hurdle, compiled and not.

With f the distribution of the counts and f0 its probability of zero, zero-inflated counts
are 0 with probability zi and else drawn from f; hurdle counts are 0 with probability hu and
else drawn from f given that they are positive.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bayesmlm.families import negbinomial, poisson
from bayesmlm.families.parameter import UNIT, Parameter
from bayesmlm.families.special import expit, softplus
from bayesmlm.families.tensors import log_one_minus_exp

Array = NDArray[np.float64]

ZI = Parameter("zi", "probability of an extra zero", UNIT, ("Beta", (1.0, 1.0)))
HU = Parameter("hu", "probability of a zero", UNIT, ("Beta", (1.0, 1.0)))

FAR = 700.0
"""From here on exp(-x) is as good as zero."""


def inflated(y: Array, zi: Any, log_f: Callable[[Array], Array]) -> Array:
    """Return the log probability of zero-inflated counts, given that of the counts."""
    with np.errstate(divide="ignore"):
        log_zi, log_rest = np.log(zi), np.log1p(-np.asarray(zi))
    return np.where(y == 0, np.logaddexp(log_zi, log_rest + log_f(0 * y)), log_rest + log_f(y))


def hurdle(y: Array, hu: Any, log_f: Callable[[Array], Array]) -> Array:
    """Return the log probability of hurdle counts, given that of the counts."""
    with np.errstate(divide="ignore"):
        log_hu, log_rest = np.log(hu), np.log1p(-np.asarray(hu))
    nonzero = np.log(-np.expm1(np.minimum(log_f(0 * y), -1e-300)))
    return np.where(y == 0, log_hu, log_rest + log_f(y) - nonzero)


def tensor_inflated(y: Any, zi: Any, log_f: Callable[[Any], Any]) -> Any:
    """Return what `inflated` does, as a tensor."""
    import pytensor.tensor as pt

    rest = pt.log1p(-zi)
    return pt.switch(pt.eq(y, 0), pt.logaddexp(pt.log(zi), rest + log_f(0)), rest + log_f(y))


def tensor_hurdle(y: Any, hu: Any, log_f: Callable[[Any], Any]) -> Any:
    """Return what `hurdle` does, as a tensor."""
    import pytensor.tensor as pt

    positive = pt.log1p(-hu) + log_f(y) - log_one_minus_exp(-log_f(0))
    return pt.switch(pt.eq(y, 0), pt.log(hu), positive)


def draw(mu: Array, shape: Any, rng: np.random.Generator) -> Array:
    """Draw counts, Poisson without a shape."""
    if shape is None:
        return rng.poisson(mu).astype(float)
    return negbinomial.draw(mu, shape, rng)


def draw_positive(mu: Array, shape: Any, rng: np.random.Generator) -> Array:
    """Draw counts given that they are positive, without rejection.

    Counts are the events of clusters that arrive in a Poisson process, of one event each or
    of a logarithmic number (Fisher, Corbet & Williams 1943): the first cluster comes at a
    truncated exponential time, the rest is unconditional.
    """
    rate = mu if shape is None else shape * np.log1p(mu / shape)
    first = -np.log1p(rng.uniform(size=mu.shape) * np.expm1(-rate))
    left = np.clip(rate - first, 0.0, None)
    if shape is None:
        return np.asarray(1.0 + rng.poisson(left), dtype=float)
    share = np.minimum(mu / (mu + shape), 1 - 1e-16)
    size = shape * left / np.maximum(rate, 1e-300)
    rest = rng.poisson(rng.gamma(size, mu / shape))
    return np.asarray(rng.logseries(share) + rest, dtype=float)


@njit(cache=True, nogil=True, error_model="numpy")
def counts(has_shape, y, m, log_shape):
    """Return the log probability of counts, its derivatives in m, its slope in log shape."""
    if has_shape:
        return negbinomial.by_log_mean(y, m, log_shape)
    value, first, second, third = poisson.by_log_mean(y, m)
    return value, first, second, third, 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def inflated_point(has_shape, y, m, log_shape, logit_zi):
    """Return the log density of a row and its slopes; see `families.point.point`."""
    value, first, second, third, in_shape = counts(has_shape, y, m, log_shape)
    if y > 0.0:
        return value - softplus(logit_zi), first, second, third, in_shape, -expit(logit_zi)
    w, rest = expit(value - logit_zi), expit(logit_zi - value)
    in_zi = rest - expit(logit_zi)
    total = max(logit_zi, value) + math.log1p(math.exp(-abs(logit_zi - value)))
    total -= softplus(logit_zi)
    if w < 1e-290:
        return total, 0.0, 0.0, 0.0, 0.0, in_zi
    bend = first * first
    second_all = w * (second + rest * bend)
    third_all = w * (third + rest * (3.0 * first * second + (1.0 - 2.0 * w) * first * bend))
    return total, w * first, second_all, third_all, w * in_shape, in_zi


@njit(cache=True, nogil=True, error_model="numpy")
def truncation(has_shape, m, log_shape):
    """Return -log(1 - f0), its three derivatives in m and its slope in log shape."""
    u, u1, u2, u3, in_shape = counts(has_shape, 0.0, m, log_shape)
    if u < -FAR:
        return 0.0, 0.0, 0.0, 0.0, 0.0
    if u > -1e-290:
        return -m, -1.0, 0.0, 0.0, 0.0
    odds = 1.0 / math.expm1(-u)
    x = odds * u1
    second = x * (u1 + x) + odds * u2
    third = x * (u1 + x) * (u1 + 2.0 * x) + 3.0 * odds * u2 * (u1 + x) + odds * u3
    return -math.log(-math.expm1(u)), x, second, third, odds * in_shape


@njit(cache=True, nogil=True, error_model="numpy")
def hurdle_point(has_shape, y, m, log_shape, logit_hu):
    """Return the log density of a row and its slopes; see `families.point.point`."""
    hu = expit(logit_hu)
    if y == 0.0:
        return -softplus(-logit_hu), 0.0, 0.0, 0.0, 0.0, expit(-logit_hu)
    value, first, second, third, in_shape = counts(has_shape, y, m, log_shape)
    cut, cut1, cut2, cut3, cut_shape = truncation(has_shape, m, log_shape)
    total = value + cut - softplus(logit_hu)
    return total, first + cut1, second + cut2, third + cut3, in_shape + cut_shape, -hu


@njit(cache=True, nogil=True, error_model="numpy")
def counts_expected(has_shape, m, log_shape):
    """Return the expected information in m of the counts."""
    if has_shape:
        return math.exp(log_shape) * expit(m - log_shape)
    return math.exp(m)


@njit(cache=True, nogil=True, error_model="numpy")
def inflated_expected(has_shape, m, log_shape, logit_zi):
    """Return the expected information in m, (1 - zi) (I - f0 s0² zi / p0), s0 the score at 0."""
    own = counts_expected(has_shape, m, log_shape)
    value, score, _, _, _ = counts(has_shape, 0.0, m, log_shape)
    lost = 0.0
    if value > -FAR:
        lost = math.exp(value) * score * score * expit(logit_zi - value)
    return expit(-logit_zi) * max(own - lost, 0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def hurdle_expected(has_shape, m, log_shape, logit_hu):
    """Return the expected information in m, (1 - hu) times the truncated counts'."""
    own = counts_expected(has_shape, m, log_shape)
    value, score, _, _, _ = counts(has_shape, 0.0, m, log_shape)
    if value < -FAR:
        return expit(-logit_hu) * own
    if value > -1e-8:  # (mu + mu / shape) / 2 in the limit
        shape = math.exp(-log_shape) if has_shape else 0.0
        return expit(-logit_hu) * 0.5 * math.exp(m) * (1.0 + shape)
    f0, left = math.exp(value), -math.expm1(value)
    lost = f0 * score * score
    return expit(-logit_hu) * ((own - lost) / left - lost * f0 / left**2)
