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
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.t_mixture import densities, moments
from bayesmlm.density.threads import spread

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
LogDensity = Callable[[Array], Array]

FREEDOM = 6
"""Degrees of freedom of the proposals; heavier tails than any Gaussian model's posterior.

An even number of them makes chi-squared a sum of exponential variables.
"""

COMPONENTS = 3
WIDEN = 1.1
"""Factor by which fitted covariances are widened, so that tails are proposed."""

EM_STEPS = 5
"""Steps of EM in a round; more of them fit noise and gave fewer effective draws."""

FITTED = 2048
"""Draws, chosen at random, that a mixture is fitted to at most."""

NO_TAIL = 3.0
"""Largest weight, in means, up to which there is no tail."""

WEIGHTLESS = 1e-15
"""Weight beside the largest that double precision takes for none in a covariance."""

ARM, ARM_SHIFT, ARM_STRETCH = 0.03, 2.5, 2.0
"""Share of each stretched component, its shift in SDs, and its stretch."""

ALL_ARMS = 0.3
"""Largest share of all stretched components together."""

DEFENSIVE = 0.1
"""Share of every later proposal that keeps the first, wide one."""


@dataclass(frozen=True)
class Mixture:
    """A mixture of multivariate t distributions of `FREEDOM` degrees of freedom.

    Parameters
    ----------
    weights, means, roots
        Shapes (K,), (K, d) and (K, d, d); roots are Cholesky factors of the scale matrices.
    """

    weights: Array
    means: Array
    roots: Array

    @cached_property
    def inverses(self) -> Array:
        """Inverses of the roots, shape (K, d, d)."""
        return np.ascontiguousarray(np.linalg.inv(self.roots))

    @cached_property
    def log_heights(self) -> Array:
        """Log of each component's share of the density at its mean, shape (K,)."""
        from scipy.special import gammaln

        d = self.means.shape[1]
        constant = gammaln((FREEDOM + d) / 2) - gammaln(FREEDOM / 2)
        constant -= 0.5 * d * np.log(FREEDOM * np.pi)
        log_det = np.log(np.diagonal(self.roots, axis1=1, axis2=2)).sum(axis=1)
        return np.asarray(np.log(self.weights) + constant - log_det)

    @property
    def arrays(self) -> tuple[Array, Array, Array, int]:
        """What the kernels read: heights next to the largest, means, inverses, freedom."""
        heights = np.exp(self.log_heights - self.log_heights.max())
        return heights, np.ascontiguousarray(self.means), self.inverses, FREEDOM

    def log_density(self, x: Array) -> Array:
        """Return the log density, shape (S,)."""
        found = np.empty(len(x))
        work = float(x.size) * self.means.size
        spread(densities, len(x), work, np.ascontiguousarray(x), *self.arrays, found)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(found) + self.log_heights.max())

    def transform(self, uniforms: Array) -> Array:
        """Turn uniform draws of shape (S, `uniforms_for(d)`) into draws of shape (S, d)."""
        from scipy.special import ndtri

        d = self.means.shape[1]
        which = np.searchsorted(np.cumsum(self.weights)[:-1], uniforms[:, 0], side="right")
        normal = ndtri(uniforms[:, 1 : d + 1])
        chi_squared = -2 * np.log(uniforms[:, d + 1 :]).sum(axis=1)
        radius = np.sqrt(FREEDOM / chi_squared)
        moved = np.einsum("sab,sb->sa", self.roots[which], normal)
        return np.asarray(self.means[which] + moved * radius[:, None])


def uniforms_for(d: int) -> int:
    """Return how many uniform numbers a draw in d dimensions takes."""
    return 1 + d + FREEDOM // 2


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


def refit(points: Array, log_weights: Array, first: Mixture, rng: np.random.Generator) -> Mixture:
    """Fit a mixture to weighted draws by EM, and keep a share of the first proposal."""
    if len(points) > FITTED:
        some = rng.choice(len(points), FITTED, replace=False)
        points, log_weights = points[some], log_weights[some]
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    # Truncated weights keep one lucky draw from owning the fit.
    weights = np.minimum(weights, 1 / np.sqrt(len(weights)))
    weights /= weights.sum()
    d = points.shape[1]
    overall = np.cov(points.T, aweights=weights).reshape(d, d) + 1e-10 * np.eye(d)
    centres = points[rng.choice(len(points), COMPONENTS, p=weights)]
    shares = np.full(COMPONENTS, 1 / COMPONENTS)
    scales = np.repeat(overall[None] / 2, COMPONENTS, axis=0)
    for _ in range(EM_STEPS):
        mixture = Mixture(shares, centres, np.linalg.cholesky(scales))
        total, first_moments = np.zeros(COMPONENTS), np.zeros((COMPONENTS, d))
        seconds = np.zeros((COMPONENTS, d, d))
        moments(points, weights, *mixture.arrays, total, first_moments, seconds)
        shares = np.maximum(total, 0.02) / np.maximum(total, 0.02).sum()
        for k in range(COMPONENTS):
            if total[k] < 1e-3:
                continue
            move = first_moments[k] / total[k]
            spread = np.tril(seconds[k]) / total[k]
            spread += np.tril(spread, -1).T - np.outer(move, move)
            centres[k] = centres[k] + move
            scales[k] = 0.98 * spread + 0.02 * overall
    widened = scales * WIDEN * (FREEDOM - 2) / FREEDOM
    arms, arm_roots = tails(points, weights, overall)
    arm = min(ARM, ALL_ARMS / d)
    left = 1 - DEFENSIVE - arm * d
    return Mixture(
        np.concatenate([left * shares, [DEFENSIVE], np.full(d, arm)]),
        np.concatenate([centres, first.means, arms]),
        np.concatenate([np.linalg.cholesky(widened), 1.4 * first.roots, arm_roots]),
    )


def tails(points: Array, weights: Array, overall: Array) -> tuple[Array, Array]:
    """Return one stretched component an axis, on the side of its longer tail.

    The log SD of an effect that may be absent has such a tail, which a fit to the bulk misses.
    """
    mean = weights @ points
    deviation = points - mean
    spread = np.sqrt(np.diag(overall))
    side = np.where(weights @ (deviation * deviation * deviation) < 0, -1.0, 1.0)
    slopes = overall / np.diag(overall)
    d = len(mean)
    means = mean + ARM_SHIFT * (side * spread)[:, None] * slopes.T
    stretched = overall + (ARM_STRETCH**2 - 1) * np.einsum(
        "ka,kb,k->kab", slopes.T, slopes.T, np.diag(overall)
    )
    return means, np.linalg.cholesky(stretched.reshape(d, d, d))
