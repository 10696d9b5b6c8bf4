"""Adaptive multiple importance sampling of a density in few dimensions.

Rounds of draws from mixtures of multivariate t distributions; after each round the mixture
is refitted to all weighted draws, and every draw is weighted by the mixture of all proposals
used so far. Weights are Pareto smoothed.

References
----------
Cornuet, Marin, Mira & Robert (2012), Scandinavian Journal of Statistics 39, 798–812,
doi:10.1111/j.1467-9469.2011.00756.x; Vehtari, Simpson, Gelman, Yao & Gabry (2024),
Journal of Machine Learning Research 25, 72.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bayesmlm.engines.proposals import Mixture, refit, uniforms_for
from bayesmlm.engines.weights import WeightedSample, smooth

Array = NDArray[np.float64]
LogDensity = Callable[[Array], Array]

WEIGHTLESS = 1e-15
"""Weight beside the largest that double precision takes for none in a covariance."""


def explore(
    log_density: LogDensity,
    mode: Array,
    covariance: Array,
    *,
    draws: int,
    rounds: int,
    seed: int,
) -> WeightedSample:
    """Sample a density around its mode.

    Parameters
    ----------
    log_density
        Of a batch of shape (S, d).
    mode, covariance
        Where to start: the mode, and the inverse of the negative Hessian there.
    draws
        Draws in all rounds together.
    rounds
        Number of proposals.
    seed
        Of the scrambled Sobol points.
    """
    d = len(mode)
    points, values, mixed = np.empty((0, d)), np.empty(0), np.empty(0)
    log_weights = np.empty(0)
    first = Mixture(np.ones(1), mode[None], np.linalg.cholesky(1.5 * covariance)[None])
    proposals = list[tuple[float, Mixture]]()
    proposal = first
    for k, size in enumerate(sizes(draws, rounds)):
        if k:
            rng = np.random.default_rng([seed, k - 1, 1])
            proposal = refit(points, log_weights, first, rng)
        fresh = proposal.transform(uniform_points(size, uniforms_for(d), seed, k))
        share = float(np.log(size))
        mixed = np.logaddexp(mixed, share + proposal.log_density(points))
        proposals.append((share, proposal))
        own = np.logaddexp.reduce([a + q.log_density(fresh) for a, q in proposals], axis=0)
        mixed = np.concatenate([mixed, own])
        points = np.vstack([points, fresh])
        values = np.concatenate([values, log_density(fresh)])
        log_weights = values - mixed
        if not np.isfinite(log_weights).sum() > 10 * d or weighty(log_weights) <= d:
            return WeightedSample(
                points, np.full(len(points), 1 / len(points)), np.inf, len(points)
            )
    smoothed, khat = smooth(log_weights)
    return WeightedSample(points, smoothed, khat, len(points))


def sizes(draws: int, rounds: int) -> list[int]:
    """Return the draws of each round, powers of two."""
    return [2 ** max(int(np.ceil(np.log2(draws / rounds))), 5)] * rounds


def uniform_points(size: int, d: int, seed: int, k: int) -> Array:
    """Return scrambled Sobol points of round k, shape (size, d), away from 0 and 1."""
    from scipy.stats import qmc

    sobol = qmc.Sobol(d, seed=np.random.default_rng([seed, k]))
    return np.asarray(np.clip(sobol.random(size), 1e-12, 1 - 1e-12))


def weighty(log_weights: Array) -> int:
    """Return how many draws have a weight that is not nothing beside the largest."""
    with np.errstate(invalid="ignore"):
        return int((np.exp(log_weights - np.nanmax(log_weights)) > WEIGHTLESS).sum())
