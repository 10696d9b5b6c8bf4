"""How far a normal approximation is from the posterior, told by importance weights.

With draws theta_s of the approximation q, the weights p(theta_s, y) / q(theta_s) have a tail
whose Pareto shape, k-hat, says whether q covers the posterior.

References
----------
Yao, Vehtari, Simpson & Gelman (2018), Yes, but did it work? Evaluating variational inference,
Proceedings of Machine Learning Research 80, 5581–5590, arXiv:1802.02538.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmlm.engines.weights import smooth

Array = NDArray[np.float64]

FLOOR = -700.0
"""Log weight, below the largest, of draws that the posterior excludes."""


@dataclass(frozen=True)
class Audit:
    """What importance weights say of an approximation.

    Parameters
    ----------
    khat
        Pareto shape of the weights; infinite where a weight is not a number.
    ess
        Effective sample size of the draws, were they weighted.
    elbo
        Mean log weight, a lower bound of the log marginal likelihood.
    error
        Standard error of `elbo`.
    """

    khat: float
    ess: float
    elbo: float
    error: float


def audit(log_density: Array, log_approximation: Array) -> Audit:
    """Compare the log density at draws of an approximation, (S,), with the approximation's."""
    log_weights = log_density - log_approximation
    elbo, error = float(log_weights.mean()), np.nan
    if np.isnan(log_weights).any() or not np.isfinite(log_weights.max()):
        return Audit(np.inf, 0.0, elbo, error)
    if np.isfinite(elbo):
        error = float(log_weights.std() / np.sqrt(len(log_weights)))
    weights, khat = smooth(np.maximum(log_weights, log_weights.max() + FLOOR))
    return Audit(khat, float(1 / (weights**2).sum()), elbo, error)


def log_normal(standard: Array, log_scale: float) -> Array:
    """Return the log density of m + L z at standard draws z of shape (S, n).

    Parameters
    ----------
    standard
        Draws of z.
    log_scale
        log |L|.
    """
    n = standard.shape[1]
    return -0.5 * ((standard**2).sum(axis=1) + n * np.log(2 * np.pi)) - log_scale
