"""Draws of the effects of known and of new groups, any groups at a time.

A new group's effects are drawn from their distribution given the hyperparameters of each
draw: normal; Student-t, as a normal over the root of a chi-square; or one of the mass points.
The noise of a group comes from a stream of its own, whichever groups are asked for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.recovery import LeadingEffects
from bayesmlm.design import RandomBlock
from bayesmlm.effects import kept_draws, leading_effects
from bayesmlm.predict.parameters import Parameters
from bayesmlm.result import FitResult

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


class Source(ABC):
    """Where effects come from."""

    @abstractmethod
    def take(self, groups: Integers) -> Array:
        """Return draws of the effects of some groups, shape (groups, q, S)."""


@dataclass(frozen=True)
class Kept(Source):
    """Effects in the posterior: draws of shape (S, J, q), and which of the draws."""

    draws: Array
    chosen: Integers

    def take(self, groups: Integers) -> Array:
        """Return them."""
        return np.ascontiguousarray(self.draws[:, groups].transpose(1, 2, 0)[:, :, self.chosen])


@dataclass(frozen=True)
class Redrawn(Source):
    """Effects that were not kept, drawn again, and which of the draws."""

    effects: LeadingEffects
    chosen: Integers
    lock: Any = field(default_factory=Lock, compare=False)

    def take(self, groups: Integers) -> Array:
        """Draw them, one call at a time: the kernels have threads of their own."""
        with self.lock:
            return np.asarray(self.effects.draw(groups)[:, :, self.chosen])


@dataclass(frozen=True)
class Normal(Source):
    """Normal or Student-t effects of new groups.

    Parameters
    ----------
    roots
        R of the covariance R R', shape (S, q, q).
    blocks
        Indices of the effects that are correlated with one another.
    nu
        Degrees of freedom, shape (S,); None where effects are normal.
    key
        Of the noise.
    """

    roots: Array
    blocks: tuple[tuple[int, ...], ...]
    nu: Array | None
    key: tuple[int, ...]

    def take(self, groups: Integers) -> Array:
        """Draw them."""
        S, q, _ = self.roots.shape
        found = np.empty((len(groups), q, S))
        for at, group in enumerate(groups):
            rng = stream(self.key, int(group))
            u = np.einsum("sab,bs->as", self.roots, rng.standard_normal((q, S)))
            if self.nu is not None:
                for members in self.blocks:
                    u[list(members)] *= np.sqrt((self.nu - 2) / rng.chisquare(self.nu))
            found[at] = u
        return found


@dataclass(frozen=True)
class Points(Source):
    """Effects of new groups that take one of K values.

    Parameters
    ----------
    points
        Shape (S, K, q).
    mass
        Shape (S, K).
    key
        Of the noise.
    """

    points: Array
    mass: Array
    key: tuple[int, ...]

    def take(self, groups: Integers) -> Array:
        """Draw them."""
        S, K, q = self.points.shape
        below = self.mass.cumsum(axis=1)
        found = np.empty((len(groups), q, S))
        for at, group in enumerate(groups):
            uniform = stream(self.key, int(group)).random((S, 1)) * below[:, -1:]
            chosen = (below <= uniform).sum(axis=1).clip(max=K - 1)
            found[at] = self.points[np.arange(S), chosen].T
        return found


def stream(key: tuple[int, ...], group: int) -> np.random.Generator:
    """Return the noise of one group."""
    return np.random.default_rng([*key, group])


def roots(covariance: Array) -> Array:
    """Return R with R R' the covariance, which may be singular; shape (S, q, q)."""
    values, axes = np.linalg.eigh(covariance)
    return np.asarray(axes * np.sqrt(np.maximum(values, 0.0))[:, None, :])


def known_source(block: RandomBlock, result: FitResult, chosen: Integers) -> Source:
    """Return where the effects of the fit's own groups come from, in chosen draws."""
    kept = kept_draws(result, block)
    if kept is not None:
        return Kept(kept, chosen)
    return Redrawn(leading_effects(result, block), chosen)


def new_source(block: RandomBlock, given: Parameters, key: tuple[int, ...]) -> Source:
    """Return where the effects of new groups come from."""
    if block.name in given.points:
        return Points(given.points[block.name], given.masses[block.name], key)
    nu = given.freedom[block.name] if block.distribution == "student" else None
    return Normal(roots(given.covariance(block)), block.blocks, nu, key)
