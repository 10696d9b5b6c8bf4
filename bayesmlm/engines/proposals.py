"""Proposals of importance sampling: mixtures of multivariate t distributions, fitted by EM."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.t_mixture import densities, moments
from bayesmlm.density.threads import spread

Array = NDArray[np.float64]

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
