"""Weighted draws: Pareto smoothed weights, resampling, and how many draws they are worth.

References
----------
Vehtari, Simpson, Gelman, Yao & Gabry (2024), Journal of Machine Learning Research 25, 72.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

NO_TAIL = 3.0
"""Largest weight, in means, up to which there is no tail."""


@dataclass(frozen=True)
class WeightedSample:
    """Weighted draws.

    Parameters
    ----------
    points
        Shape (S, d).
    weights
        Smoothed and normalised, shape (S,).
    khat
        Pareto shape of the raw weights; above 0.7 the sample is unreliable.
    evaluations
        Number of densities evaluated.
    """

    points: Array
    weights: Array
    khat: float
    evaluations: int

    @property
    def ess(self) -> float:
        """Effective sample size, 1 / sum of squared weights."""
        return float(1 / (self.weights**2).sum())

    def choose(self, size: int, rng: np.random.Generator) -> Integers:
        """Return the positions of equally weighted draws, in random order; see `systematic`."""
        return systematic(self.weights, size, rng)


def systematic(weights: Array, size: int, rng: np.random.Generator) -> Integers:
    """Return positions of equally weighted draws, in random order, by systematic resampling.

    Each point is chosen its expected number of times, rounded up or down. Points are shuffled
    first, as the order of Sobol points is no random one.

    Parameters
    ----------
    weights
        Of the points, adding up to one, shape (S,).
    size
        Number of draws.
    """
    order = rng.permutation(len(weights))
    heights = np.cumsum(weights[order])[:-1]
    positions = (np.arange(size) + rng.uniform()) / size
    return np.asarray(rng.permutation(order[np.searchsorted(heights, positions, "right")]))


def effective(chosen: Integers) -> float:
    """Return the effective number of draws of which some repeat others.

    With N_i draws of point i it is (sum N_i)² / sum N_i², Kish's for the weights N_i.

    Parameters
    ----------
    chosen
        Positions of the points, shape (S,).

    References
    ----------
    Kish (1965), Survey Sampling, section 11.7.
    """
    counts = np.bincount(chosen).astype(float)
    return float(counts.sum() ** 2 / (counts**2).sum())


def smooth(log_weights: Array) -> tuple[Array, float]:
    """Return Pareto smoothed, normalised weights and the Pareto shape.

    The shape is minus infinity where no weight exceeds `NO_TAIL` times the mean: there is
    no tail to fit then, and a fit to noise in almost equal weights can give any shape.
    """
    from arviz_stats.base import array_stats

    weights = np.exp(log_weights - log_weights.max())
    if weights.mean() * NO_TAIL > 1:
        return weights / weights.sum(), -np.inf
    # arviz-stats takes log likelihoods and negates them.
    log_smoothed, khat = array_stats.psislw(-(log_weights - log_weights.max()))
    weights = np.exp(log_smoothed - log_smoothed.max())
    return weights / weights.sum(), float(khat)
