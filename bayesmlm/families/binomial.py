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
from bayesmlm.families.normal_cdf import log_cdf, log_cdf_curvatures

LATENT_VARIANCE = {"logit": np.pi**2 / 3, "probit": 1.0}
"""Variance of the standard logistic and the standard normal distribution."""

TOGETHER = 32
"""Factors between 1 and 2 whose product loses no digits."""


def log_odds(eta: Any, link: Link) -> Any:
    """Return the log odds of success as a tensor, without overflow in either tail."""
    if link.name == "logit":
        return eta
    return log_normal_cdf(eta) - log_normal_cdf(-eta)


def log_normal_cdf(x: Any) -> Any:
    """Return log Phi(x) as a tensor.

    PyMC's own takes the square root of 2 in single precision. Each branch sees only values
    that suit it: the gradient of an overflow is not a number, even where it is not taken.
    """
    import pytensor.tensor as pt

    low, high = pt.minimum(x, -1.0) / np.sqrt(2), pt.maximum(x, -1.0) / np.sqrt(2)
    tail = pt.log(pt.erfcx(-low) / 2) - low**2
    return pt.switch(pt.lt(x, -1.0), tail, pt.log1p(-pt.erfc(high) / 2))


def log_probabilities(eta: Array, link: Link) -> tuple[Array, Array]:
    """Return log p and log(1 - p), without overflow in either tail."""
    from scipy.special import log_expit, log_ndtr

    log_cdf = log_expit if link.name == "logit" else log_ndtr
    return np.asarray(log_cdf(eta)), np.asarray(log_cdf(-eta))


@dataclass(frozen=True)
class Binomial(Family):
    """y ~ Binomial(trials, p), g(p) = eta."""

    link: Link = LINKS["logit"]

    name: ClassVar[str] = "binomial"
    links: ClassVar[tuple[str, ...]] = ("logit", "probit")
    additions: ClassVar[tuple[str, ...]] = ("weights", "trials")
    needs: ClassVar[tuple[str, ...]] = ("trials",)
    support: ClassVar[str] = "whole numbers from 0 to the number of trials"

    def supports(self, y: Array, rows: Mapping[str, Array]) -> NDArray[np.bool_]:
        """Return where y is a whole number between 0 and the trials."""
        return whole(y) & (y <= rows["trials"])

    def log_density(
        self, y: Array, eta: Array, rows: Mapping[str, Array], sigma: float | None = None
    ) -> Array:
        """Return log C(n, y) + y log p + (n - y) log(1 - p)."""
        from scipy.special import gammaln

        n = rows["trials"]
        log_p, log_q = log_probabilities(eta, self.link)
        choose = gammaln(n + 1) - gammaln(y + 1) - gammaln(n - y + 1)
        return np.asarray(choose + y * log_p + (n - y) * log_q)

    def variance(self, mu: Array, rows: Mapping[str, Array], sigma: float | None = None) -> Array:
        """Return p (1 - p) / n, the variance of the proportion."""
        return mu * (1 - mu) / rows["trials"]

    def known(self, rows: Mapping[str, Array]) -> Array:
        """Return the trials."""
        return rows["trials"][None]

    def latent_variance(self) -> float | None:
        """Return the variance of the latent response: pi²/3 for logit, 1 for probit."""
        return LATENT_VARIANCE[self.link.name]

    def observe(
        self, name: str, eta: Any, rows: Mapping[str, Any], observed: Any, sigma: Any, dims: str
    ) -> Any:
        """Add a Binomial response."""
        import pymc as pm

        logit_p = log_odds(eta, self.link)
        return pm.Binomial(name, rows["trials"], logit_p=logit_p, observed=observed, dims=dims)


@njit(cache=True, nogil=True, error_model="numpy")
def logit_rows(y, eta, others, known, weights, slope, other_slopes):
    """Return sum w (y eta - n log(1 + exp(eta))); see `families.rows.add_rows`."""
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
def logit_curvatures(y, eta, others, known, weights, first, second, third):
    """Return sum w (y eta - n log(1 + exp(eta))); see `families.rows.curvatures`.

    One logarithm serves the product of `TOGETHER` rows of one trial.
    """
    trials = known[0]
    by_trials, by_weight = int(len(trials) > 1), int(len(weights) > 1)
    total, product, waiting = 0.0, 1.0, 0
    for i in range(len(y)):
        n, w = trials[i * by_trials], weights[i * by_weight]
        small = np.exp(-abs(eta[i]))
        p = (1.0 if eta[i] > 0.0 else small) / (1.0 + small)
        q = (small if eta[i] > 0.0 else 1.0) / (1.0 + small)
        less = n - y[i] if eta[i] > 0.0 else y[i]
        total -= w * less * abs(eta[i])
        if w * n == 1.0:
            product *= 1.0 + small
            waiting += 1
            if waiting == TOGETHER:
                total -= np.log(product)
                product, waiting = 1.0, 0
        else:
            total -= w * n * np.log1p(small)
        first[i] = w * (y[i] * q - (n - y[i]) * p)
        second[i] = -w * n * p * q
        third[i] = second[i] * (q - p)
    return total - np.log(product)


@njit(cache=True, nogil=True, error_model="numpy")
def probit_curvatures(y, eta, others, known, weights, first, second, third):
    """Return sum w (y log Phi(eta) + (n - y) log Phi(-eta)); see `families.rows.curvatures`."""
    trials = known[0]
    by_trials, by_weight = int(len(trials) > 1), int(len(weights) > 1)
    total = 0.0
    for i in range(len(y)):
        n, w = trials[i * by_trials], weights[i * by_weight]
        first[i] = second[i] = third[i] = 0.0
        if y[i] > 0.0:
            log_p, slope, bend, twist = log_cdf_curvatures(eta[i])
            total += w * y[i] * log_p
            first[i] += w * y[i] * slope
            second[i] += w * y[i] * bend
            third[i] += w * y[i] * twist
        if y[i] < n:
            log_q, slope, bend, twist = log_cdf_curvatures(-eta[i])
            total += w * (n - y[i]) * log_q
            first[i] -= w * (n - y[i]) * slope
            second[i] += w * (n - y[i]) * bend
            third[i] -= w * (n - y[i]) * twist
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def logit_total(y, eta):
    """Return sum (y eta - log(1 + exp(eta))), one trial and weight one a row.

    One logarithm serves the product of `TOGETHER` rows.
    """
    total, product, waiting = 0.0, 1.0, 0
    for i in range(len(y)):
        total += y[i] * eta[i] - max(eta[i], 0.0)
        product *= 1.0 + np.exp(-abs(eta[i]))
        waiting += 1
        if waiting == TOGETHER:
            total -= np.log(product)
            product, waiting = 1.0, 0
    return total - np.log(product)
