"""The compiled log density of ordered categories.

With l and h the thresholds below and above the category, less eta, the probability is
F(h) - F(l). Its logarithm is logit: log F(h) + log(1 - F(l)) + log(1 - exp(l - h)); cloglog:
log(1 - F(l)) + log F(w), w = log(exp h - exp l); probit: by Mills' ratios from the nearer tail.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from bayesmlm.families.log_location import (
    CLOGLOG,
    LOGIT,
    TOP,
    log_complement,
    log_probability,
)
from bayesmlm.families.normal_cdf import log_cdf

ROOT = 0.5 * math.log(2.0 * math.pi)


@njit(cache=True, nogil=True, error_model="numpy")
def probit_inside(low, high):
    """Return log(Phi(high) - Phi(low)), three slopes in a common shift, and that in each."""
    swap = low + high > 0.0
    if swap:
        low, high = -high, -low
    log_high, slope_high = log_cdf(high)
    log_low, slope_low = log_cdf(low)
    if high > 0.0:
        value = log_high + math.log1p(-math.exp(log_low - log_high))
        above = math.exp(-0.5 * high * high - ROOT - value)
        below = math.exp(-0.5 * low * low - ROOT - value)
    else:
        # in units of the density at `high` the probability is a difference of Mills' ratios
        weight = math.exp(0.5 * (high - low) * (high + low))
        share = 1.0 / slope_high - weight / slope_low
        value = log_high + math.log(share * slope_high)
        above, below = 1.0 / share, weight / share
    one = above - below
    two = low * below - high * above
    three = (high * high - 1.0) * above - (low * low - 1.0) * below
    second = two - one * one
    third = three - 3.0 * one * two + 2.0 * one * one * one
    if swap:
        return value, -one, second, -third, -above, below
    return value, one, second, third, -below, above


@njit(cache=True, nogil=True, error_model="numpy")
def inside(link, low, high):
    """Return the log probability between two thresholds, three slopes in a shift of both, and
    the slope in each.
    """
    if link != LOGIT and link != CLOGLOG:
        return probit_inside(low, high)
    gap = high - low
    left, left1, left2, left3 = log_complement(link, low)
    if link == LOGIT:
        right, right1, right2, right3 = log_probability(link, high)
        value = left + right + math.log(-math.expm1(-gap))
        push = 1.0 / math.expm1(gap)
        return value, left1 + right1, left2 + right2, left3 + right3, left1 - push, right1 + push
    w = high + math.log(-math.expm1(-gap))
    right, right1, right2, right3 = log_probability(link, w)
    push = right1 / math.expm1(gap)
    value = left + right
    return value, left1 + right1, left2 + right2, left3 + right3, left1 - push, right1 + push


@njit(cache=True, nogil=True, error_model="numpy")
def category(link, k, eta, cuts):
    """Return the log probability of category k, its three derivatives in eta, and its slopes in
    the thresholds below and above.
    """
    K = len(cuts)
    below = above = 0.0
    if k == 0:
        value, one, two, three = log_probability(link, cuts[0] - eta)
        above = one
    elif k == K:
        value, one, two, three = log_complement(link, cuts[K - 1] - eta)
        below = one
    else:
        value, one, two, three, below, above = inside(link, cuts[k - 1] - eta, cuts[k] - eta)
    return value, -one, two, -three, below, above


@njit(cache=True, nogil=True, error_model="numpy")
def set_cuts(others, column, cuts):
    """Set the thresholds: the first, then each a step of exp(entry) further."""
    cuts[0] = others[0, column]
    for k in range(1, len(cuts)):
        cuts[k] = cuts[k - 1] + np.exp(others[k, column])


@njit(cache=True, nogil=True, error_model="numpy")
def add_cut_slopes(others, column, slopes, other_slopes):
    """Add the slopes on the whole line, given those in the thresholds, which are set to 0."""
    left = 0.0
    for k in range(len(slopes) - 1, -1, -1):
        left += slopes[k]
        other_slopes[k, column] += left * (1.0 if k == 0 else np.exp(others[k, column]))
        slopes[k] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def rows(link, y, eta, others, weights, slope, other_slopes):
    """Return the log density of the rows and set its slopes; see `families.rows.add_rows`."""
    K = len(others)
    by_row, by_weight = int(others.shape[1] > 1), int(len(weights) > 1)
    cuts, cut_slopes = np.empty(K), np.zeros(K)
    total = 0.0
    for i in range(len(y)):
        if i == 0 or by_row:
            set_cuts(others, i * by_row, cuts)
        k, w = int(y[i]), weights[i * by_weight]
        value, first, _, _, below, above = category(link, k, eta[i], cuts)
        total += w * value
        slope[i] = w * first
        if k > 0:
            cut_slopes[k - 1] += w * below
        if k < K:
            cut_slopes[k] += w * above
        if by_row:
            add_cut_slopes(others, i, cut_slopes, other_slopes)
    if not by_row:
        add_cut_slopes(others, 0, cut_slopes, other_slopes)
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def curvatures(link, y, eta, others, weights, value, first, second, third):
    """Set the log densities and their derivatives; see `families.rows.curvatures`."""
    by_row, by_weight = int(others.shape[1] > 1), int(len(weights) > 1)
    cuts = np.empty(len(others))
    for i in range(len(y)):
        if i == 0 or by_row:
            set_cuts(others, i * by_row, cuts)
        w = weights[i * by_weight]
        log_density, one, two, three, _, _ = category(link, int(y[i]), eta[i], cuts)
        value[i] = w * log_density
        first[i], second[i], third[i] = w * one, w * two, w * three


@njit(cache=True, nogil=True, error_model="numpy")
def information(link, eta, others, weights, expected):
    """Set the expected information in eta, the mean of the squared slope."""
    by_row, by_weight = int(others.shape[1] > 1), int(len(weights) > 1)
    cuts = np.empty(len(others))
    for i in range(len(eta)):
        if i == 0 or by_row:
            set_cuts(others, i * by_row, cuts)
        total = 0.0
        for k in range(len(cuts) + 1):
            value, slope, _, _, _, _ = category(link, k, eta[i], cuts)
            if value > -TOP:
                total += math.exp(value) * slope * slope
        expected[i] = weights[i * by_weight] * total
