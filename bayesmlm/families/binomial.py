"""Binomial responses: successes in a known number of trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bayesmlm.families.family import Array, Family, whole
from bayesmlm.families.link import LINKS, Link
from bayesmlm.families.locations import LATENT_VARIANCE, log_probabilities
from bayesmlm.families.log_location import log_complement, log_probability
from bayesmlm.families.normal_cdf import log_cdf, log_cdf_slopes
from bayesmlm.families.special import exponential, log_one_plus
from bayesmlm.families.tensors import log_odds

TOGETHER = 32
"""Factors between 1 and 2 whose product loses no digits."""


@dataclass(frozen=True)
class Binomial(Family):
    """y ~ Binomial(trials, p), g(p) = eta."""

    link: Link = LINKS["logit"]

    name: ClassVar[str] = "binomial"
    links: ClassVar[tuple[str, ...]] = ("logit", "probit", "cloglog")
    additions: ClassVar[tuple[str, ...]] = ("weights", "trials")
    needs: ClassVar[tuple[str, ...]] = ("trials",)
    support: ClassVar[str] = "whole numbers from 0 to the number of trials"
    counts: ClassVar[bool] = True
    proportion: ClassVar[bool] = True

    def supports(self, y: Array, rows: Mapping[str, Array]) -> NDArray[np.bool_]:
        """Return where y is a whole number between 0 and the trials."""
        return whole(y) & (y <= rows["trials"])

    def log_density(
        self, y: Array, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]
    ) -> Array:
        """Return log C(n, y) + y log p + (n - y) log(1 - p)."""
        from scipy.special import gammaln

        n = rows["trials"]
        log_p, log_q = log_probabilities(eta, self.link)
        choose = gammaln(n + 1) - gammaln(y + 1) - gammaln(n - y + 1)
        return np.asarray(choose + y * log_p + (n - y) * log_q)

    def mean(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return p, the mean of the proportion."""
        return self.link.inverse(eta)

    def variance(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return p (1 - p) / n, the variance of the proportion."""
        p = self.link.inverse(eta)
        return p * (1 - p) / rows["trials"]

    def simulate(
        self,
        eta: Array,
        others: Mapping[str, Any],
        rows: Mapping[str, Array],
        rng: np.random.Generator,
    ) -> Array:
        """Draw numbers of successes."""
        p = self.link.inverse(eta)
        return rng.binomial(rows["trials"].astype(np.int64), p).astype(float)

    def known(self, rows: Mapping[str, Array]) -> Array:
        """Return the trials."""
        return rows["trials"][None]

    def latent_variance(self) -> float | None:
        """Return the variance of the latent response: pi²/3 for logit, 1, pi²/6 for cloglog."""
        return LATENT_VARIANCE[self.link.name]

    def observe(
        self,
        name: str,
        eta: Any,
        others: Mapping[str, Any],
        rows: Mapping[str, Any],
        observed: Any,
        dims: str,
    ) -> Any:
        """Add a Binomial response."""
        import pymc as pm

        logit_p = log_odds(eta, self.link)
        return pm.Binomial(name, rows["trials"], logit_p=logit_p, observed=observed, dims=dims)


@njit(cache=True, nogil=True, error_model="numpy")
def logit_rows(y, eta, others, known, weights, slope, other_slopes):
    """Return sum w (y eta - n log(1 + exp(eta))); see `families.rows.add_rows`."""
    if one_trial(known, weights):
        return binary_rows(y, eta, slope)
    trials = known[0]
    by_trials, by_weight = int(len(trials) > 1), int(len(weights) > 1)
    total = 0.0
    for i in range(len(y)):
        n, w = trials[i * by_trials], weights[i * by_weight]
        small = np.exp(-abs(eta[i]))
        p = (1.0 if eta[i] > 0.0 else small) / (1.0 + small)
        # the share of the likelier outcome costs log1p(small); the other one |eta| more
        less = n - y[i] if eta[i] > 0.0 else y[i]
        total -= w * (less * abs(eta[i]) + n * np.log1p(small))
        q = (small if eta[i] > 0.0 else 1.0) / (1.0 + small)
        slope[i] = w * (y[i] * q - (n - y[i]) * p)
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def probit_rows(y, eta, others, known, weights, slope, other_slopes):
    """Return sum w (y log Phi(eta) + (n - y) log Phi(-eta)); see `families.rows.add_rows`."""
    trials = known[0]
    by_trials, by_weight = int(len(trials) > 1), int(len(weights) > 1)
    total = 0.0
    for i in range(len(y)):
        n, w = trials[i * by_trials], weights[i * by_weight]
        slope[i] = 0.0
        if y[i] > 0.0:
            log_p, slope_p = log_cdf(eta[i])
            total += w * y[i] * log_p
            slope[i] += w * y[i] * slope_p
        if y[i] < n:
            log_q, slope_q = log_cdf(-eta[i])
            total += w * (n - y[i]) * log_q
            slope[i] -= w * (n - y[i]) * slope_q
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def logit_curvatures(y, eta, others, known, weights, value, first, second, third):
    """Set w (y eta - n log(1 + exp(eta))); see `families.rows.curvatures`."""
    if one_trial(known, weights):
        binary_curvatures(y, eta, value, first, second, third)
        return
    trials = known[0]
    by_trials, by_weight = int(len(trials) > 1), int(len(weights) > 1)
    for i in range(len(y)):
        n, w = trials[i * by_trials], weights[i * by_weight]
        small = np.exp(-abs(eta[i]))
        p = (1.0 if eta[i] > 0.0 else small) / (1.0 + small)
        q = (small if eta[i] > 0.0 else 1.0) / (1.0 + small)
        less = n - y[i] if eta[i] > 0.0 else y[i]
        value[i] = -w * (less * abs(eta[i]) + n * np.log1p(small))
        first[i] = w * (y[i] * q - (n - y[i]) * p)
        second[i] = -w * n * p * q
        third[i] = second[i] * (q - p)


@njit(cache=True, nogil=True, error_model="numpy")
def probit_curvatures(y, eta, others, known, weights, value, first, second, third):
    """Set w (y log Phi(eta) + (n - y) log Phi(-eta)); see `families.rows.curvatures`."""
    trials = known[0]
    by_trials, by_weight = int(len(trials) > 1), int(len(weights) > 1)
    for i in range(len(y)):
        n, w = trials[i * by_trials], weights[i * by_weight]
        value[i] = first[i] = second[i] = third[i] = 0.0
        if y[i] > 0.0:
            log_p, slope, bend, twist = log_cdf_slopes(eta[i])
            value[i] += w * y[i] * log_p
            first[i] += w * y[i] * slope
            second[i] += w * y[i] * bend
            third[i] += w * y[i] * twist
        if y[i] < n:
            log_q, slope, bend, twist = log_cdf_slopes(-eta[i])
            value[i] += w * (n - y[i]) * log_q
            first[i] -= w * (n - y[i]) * slope
            second[i] += w * (n - y[i]) * bend
            third[i] -= w * (n - y[i]) * twist


@njit(cache=True, nogil=True, error_model="numpy")
def one_trial(known, weights):
    """Whether every row has one trial and weight one."""
    trials = known[0]
    return len(trials) == 1 and len(weights) == 1 and trials[0] == 1.0 and weights[0] == 1.0


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def binary_rows(y, eta, slope):
    """Return sum (y eta - log(1 + exp(eta))), one trial and weight one a row, and set its slopes.

    One logarithm serves the product of `TOGETHER` rows.
    """
    total = 0.0
    for start in range(0, len(y), TOGETHER):
        product = 1.0
        # of unsigned whole numbers compilers know that they do not count from the end
        for i in range(np.uint64(start), np.uint64(min(start + TOGETHER, len(y)))):
            small = exponential(-abs(eta[i]))
            large = 1.0 / (1.0 + small)
            p = large if eta[i] > 0.0 else small * large
            q = small * large if eta[i] > 0.0 else large
            total += y[i] * eta[i] - max(eta[i], 0.0)
            product *= 1.0 + small
            slope[i] = y[i] * q - (1.0 - y[i]) * p
        total -= np.log(product)
    return total


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def binary_densities(y, eta, value):
    """Set the log densities of rows of one trial and weight one."""
    for i in range(len(y)):
        small = exponential(-abs(eta[i]))
        value[i] = y[i] * eta[i] - max(eta[i], 0.0) - log_one_plus(small)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def binary_curvatures(y, eta, value, first, second, third):
    """Set the log densities of rows of one trial and weight one, and their derivatives."""
    for i in range(len(y)):
        small = exponential(-abs(eta[i]))
        large = 1.0 / (1.0 + small)
        p = large if eta[i] > 0.0 else small * large
        q = small * large if eta[i] > 0.0 else large
        value[i] = y[i] * eta[i] - max(eta[i], 0.0) - log_one_plus(small)
        first[i] = y[i] * q - (1.0 - y[i]) * p
        second[i] = -p * q
        third[i] = second[i] * (q - p)


@njit(cache=True, nogil=True, error_model="numpy")
def point(link, y, eta, trials):
    """Return the log density of a row and its slopes; see `families.point.point`."""
    value = first = second = third = 0.0
    if y > 0.0:
        p, p1, p2, p3 = log_probability(link, eta)
        value, first, second, third = y * p, y * p1, y * p2, y * p3
    if y < trials:
        q, q1, q2, q3 = log_complement(link, eta)
        rest = trials - y
        value, first = value + rest * q, first + rest * q1
        second, third = second + rest * q2, third + rest * q3
    return value, first, second, third, 0.0, 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def expected(link, eta, trials):
    """Return the expected information in eta, n (dp / d eta)² / (p (1 - p))."""
    return -trials * log_probability(link, eta)[1] * log_complement(link, eta)[1]
