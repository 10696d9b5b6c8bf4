"""One iteration of quasi-likelihood: its estimates, and where the mean is expanded next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.fixed_prior import flat
from bayesmlm.density.noise import MEANS
from bayesmlm.design import Design
from bayesmlm.engines.ml import Profile, maximise
from bayesmlm.engines.mode import find_mode

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Step:
    """The estimates of one iteration.

    Parameters
    ----------
    profile, theta
        The Gaussian model of the working response, and its maximum.
    beta
        Fixed effects, shape (p,).
    effects
        Conditional modes of the random effects by grouping, each of shape (J, q).
    factors
        F of each grouping's covariance F F', in the order of the design.
    """

    profile: Profile
    theta: Array
    beta: Array
    effects: dict[str, Array]
    factors: list[Array]

    def fixed_part(self, design: Design) -> Array:
        """Return X beta and the offset, shape (N,)."""
        return np.asarray(design.X @ self.beta + design.offset)

    def random_part(self, design: Design) -> Array:
        """Return Z u, shape (N,)."""
        total = np.zeros(len(design.y))
        for block in design.random:
            u = self.effects[block.name]
            total += (block.Z * u[block.grouping.codes]).sum(axis=1)
        return total

    def prior_variance(self, design: Design) -> Array:
        """Return the variance of Z u, shape (N,)."""
        parts = [
            ((block.Z @ F) ** 2).sum(axis=1)
            for block, F in zip(design.random, self.factors, strict=True)
        ]
        return np.asarray(sum(parts, np.zeros(len(design.y))))


@dataclass(frozen=True)
class Expansion:
    """Where the mean is expanded.

    Parameters
    ----------
    eta
        Linear predictor, offset included, shape (N,).
    square
        Expected square of what is left of it, shape (N,).
    """

    eta: Array
    square: Array

    def distance(self, other: Expansion) -> float:
        """Return the largest change, on the scale of the linear predictor."""
        moved = np.abs(self.eta - other.eta).max(initial=0.0)
        spread = np.abs(np.sqrt(self.square) - np.sqrt(other.square)).max(initial=0.0)
        return float(max(moved, spread))


def find_theta(profile: Profile, last: Step | None) -> Array:
    """Return the maximum, from the last iteration's or, where that is singular, from afresh."""
    if last is None or not profile.blocks or last.profile.is_singular(last.theta):
        return maximise(profile).point

    def objective(theta: Array) -> Array:
        return -0.5 * profile.criterion(theta)

    start = np.empty_like(profile.start)
    for block in profile.blocks:
        inside = np.ix_(block.members, block.members)
        whole = block.to_axes @ last.factors[block.group][inside]
        start[block.places] = np.linalg.qr(whole.T)[1].T[block.lower]
    return find_mode(objective, start).point


def conditional_modes(profile: Profile, theta: Array) -> tuple[Array, dict[str, Array]]:
    """Return the fixed effects (p,) and, by grouping, the random ones (J, q)."""
    G, factors = profile.scales(theta[None]), tuple(profile.factors(theta[None]))
    prior = flat(profile.marginal.data.X.shape[1]).matrix
    recovery = profile.marginal.recovery_at(G, np.ones(1), factors, MEANS)
    beta, effects = recovery.everything(prior)
    return beta[0], {group: values[0] for group, values in effects.items()}
