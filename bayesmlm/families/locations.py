"""Logarithms of means and probabilities as functions of eta, as arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmlm.families.link import Link

Array = NDArray[np.float64]

LATENT_VARIANCE = {"logit": np.pi**2 / 3, "probit": 1.0, "cloglog": np.pi**2 / 6}
"""Variance of the logistic, the normal and the Gumbel distribution."""


def log_probabilities(eta: Array, link: Link) -> tuple[Array, Array]:
    """Return log F(eta) and log(1 - F(eta)), F the inverse of the link, stable in both tails."""
    from scipy.special import log_expit, log_ndtr

    if link.name == "cloglog":
        t = np.exp(np.minimum(eta, 700.0))
        log_p = np.where(t < 1e-8, eta - t / 2, np.log(-np.expm1(-np.maximum(t, 1e-300))))
        return log_p, -t
    log_cdf = log_expit if link.name == "logit" else log_ndtr
    return np.asarray(log_cdf(eta)), np.asarray(log_cdf(-eta))


def log_mean(eta: Array, link: Link) -> Array:
    """Return the logarithm of a positive mean, NaN where it is not positive."""
    if link.name == "log":
        return eta
    power = {"identity": 1.0, "sqrt": 2.0, "inverse": -1.0}[link.name]
    return power * np.log(np.where(eta > 0, eta, np.nan))


def or_impossible(density: Array) -> Array:
    """Return a log density that is minus infinity where the location does not exist."""
    return np.where(np.isnan(density), -np.inf, density)
