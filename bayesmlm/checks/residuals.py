"""The residuals of a response, observed or replicated, on the fixed columns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.crossproducts import orthonormal
from bayesmlm.design import Design

Array = NDArray[np.float64]


class Moments:
    """Running mean and SD over replicates, of values of one shape.

    Notes
    -----
    Batches are joined by the formulas of Chan, Golub & LeVeque (1983),
    doi:10.1080/00031305.1983.10483115.
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean: Array = np.zeros(1)
        self.squares: Array = np.zeros(1)

    def add(self, values: Array) -> None:
        """Take more replicates, shape (S, …)."""
        S, mean = len(values), values.mean(axis=0)
        gap, whole = mean - self.mean, self.count + S
        self.squares = self.squares + values.var(axis=0) * S + gap**2 * (self.count * S / whole)
        self.mean = self.mean + gap * (S / whole)
        self.count = whole

    @property
    def sd(self) -> Array:
        """The SD of all replicates so far."""
        return np.asarray(np.sqrt(self.squares / self.count))


@dataclass(frozen=True)
class Residuals:
    """How responses become the residuals that statistics are made of.

    Parameters
    ----------
    design
        The model.
    centre, scale
        Of each row, shape (N,).
    """

    design: Design
    centre: Array
    scale: Array

    @cached_property
    def basis(self) -> Array:
        """Orthonormal columns that span the scaled fixed part."""
        return orthonormal(self.design.X / self.scale[:, None], 1.0)[0]

    def __call__(self, Y: Array) -> Array:
        """Return residuals of responses of shape (S, N)."""
        design = self.design
        values = design.family.on_link_scale(Y) if design.family.has_scale else Y
        E = (values - self.centre) / self.scale
        return np.asarray(E - (E @ self.basis) @ self.basis.T)


def residuals_of(design: Design, moments: Moments) -> Residuals:
    """Return the residuals of a design, given the moments of its replicated response."""
    if design.family.has_scale:
        precision = design.outcome.rows.get("precision", np.ones(len(design.y)))
        known = design.outcome.rows.get("se", 1 / np.sqrt(precision))
        return Residuals(design, design.offset, np.asarray(known))
    smallest = 0.1 * np.sqrt((moments.sd**2).mean()) or 1.0
    return Residuals(design, moments.mean, np.maximum(moments.sd, smallest))


def binary(design: Design) -> bool:
    """Whether the spread and the density of a response follow from its mean."""
    trials = design.outcome.rows.get("trials", np.ones(1))
    return design.family.name in ("bernoulli", "binomial") and bool((trials == 1).all())


def saturated(design: Design) -> bool:
    """Whether the groups' own fits leave nothing of their rows, as of one row a group."""
    return any(
        block.grouping.counts.max(initial=0) <= len(block.effects) for block in design.random
    )
