"""The random part of a row as a sum of independent numbers, and a rule for the mean over each.

The random part is z'u, summed over groupings: one normal number of variance z'T z for all
normal ones, a Student-t number for each block of Student-t effects, one of K values for mass
points. Normal: the trapezoidal rule, which for functions analytic in a strip about the real
line converges faster than any power of its step. Student-t: the same in y, t = sinh y. Mass
points: an exact sum.

References
----------
Trefethen & Weideman (2014), doi:10.1137/130932132.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import RandomBlock
from bayesmlm.predict.parameters import Parameters

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

REACH = 7.2
"""Standard deviations that the nodes of a normal number reach."""

FAR = 23.0
"""Minus the logarithm of the density beyond the nodes of a Student-t number."""


class Spread(ABC):
    """One independent summand of the random part of n rows, in S draws.

    Attributes
    ----------
    parameter
        Whose linear predictor it is part of.
    """

    parameter: str

    @abstractmethod
    def rule(self, step: float, longer: float) -> tuple[Array, Array]:
        """Return nodes, shape (M,), and weights of sum one, shape (M, S) or (M, 1).

        Parameters
        ----------
        step
            Of the trapezoidal rule.
        longer
            By how many standard deviations normal nodes reach further.
        """

    @abstractmethod
    def shift(self, node: float) -> Array:
        """Return what a node adds to the linear predictor, shape (n, S)."""

    @abstractmethod
    def at(self, rows: Integers, draws: Integers) -> Spread:
        """Return the same of pairs of rows and draws, as draws of one row."""


@dataclass(frozen=True)
class NormalSpread(Spread):
    """A normal number of standard deviation `scale`, shape (n, S)."""

    scale: Array
    parameter: str = names.MU

    def rule(self, step: float, longer: float) -> tuple[Array, Array]:
        """Return equally spaced nodes."""
        n = int(np.ceil((REACH + longer) / step))
        x = step * np.arange(-n, n + 1)
        weights = np.exp(-(x**2) / 2)
        return np.asarray(x), (weights / weights.sum())[:, None]

    def shift(self, node: float) -> Array:
        """Return the node in standard deviations."""
        return node * self.scale

    def at(self, rows: Integers, draws: Integers) -> NormalSpread:
        """Return the same of pairs of rows and draws."""
        return replace(self, scale=self.scale[rows, draws][None])


@dataclass(frozen=True)
class StudentSpread(Spread):
    """A Student-t number of standard deviation `scale`, (n, S), and `nu` > 2 of shape (S,)."""

    scale: Array
    nu: Array
    parameter: str = names.MU

    def rule(self, step: float, longer: float) -> tuple[Array, Array]:
        """Return nodes that are equally spaced in y, t = sinh y."""
        step = step / 2
        n = int(np.ceil((FAR / float(self.nu.min()) + 2) / step))
        y = step * np.arange(-n, n + 1)
        x = np.sinh(y)
        log_density = -0.5 * (self.nu + 1) * np.log1p(x[:, None] ** 2 / self.nu)
        weights = np.exp(log_density) * np.cosh(y)[:, None]
        return x, weights / weights.sum(axis=0)

    def shift(self, node: float) -> Array:
        """Return the node, scaled from its own to the standard deviation."""
        return node * np.sqrt((self.nu - 2) / self.nu) * self.scale

    def at(self, rows: Integers, draws: Integers) -> StudentSpread:
        """Return the same of pairs of rows and draws."""
        return replace(self, scale=self.scale[rows, draws][None], nu=self.nu[draws])


@dataclass(frozen=True)
class PointSpread(Spread):
    """One of K values, (n, S, K), with masses of shape (S, K)."""

    values: Array
    mass: Array
    parameter: str = names.MU

    def rule(self, step: float, longer: float) -> tuple[Array, Array]:
        """Return the numbers of the points and their masses."""
        return np.arange(self.mass.shape[1], dtype=float), self.mass.T

    def shift(self, node: float) -> Array:
        """Return the values of one point."""
        return self.values[:, :, int(node)]

    def at(self, rows: Integers, draws: Integers) -> PointSpread:
        """Return the same of pairs of rows and draws."""
        return replace(self, values=self.values[rows, draws][None], mass=self.mass[draws])


def spreads(
    blocks: tuple[RandomBlock, ...], Z: dict[str, Array], given: Parameters
) -> list[Spread]:
    """Return the independent summands of the random part of some rows.

    Parameters
    ----------
    blocks
        The groupings that are integrated out.
    Z
        Effect columns of the n rows by grouping, shape (n, q).
    given
        The parameters.
    """
    found: list[Spread] = []
    variance: dict[str, Array] = {}
    for block in blocks:
        own, parameter = Z[block.name], block.parameter
        if block.name in given.points:
            values = np.einsum("nq,skq->nsk", own, given.points[block.name])
            found.append(PointSpread(values, given.masses[block.name], parameter))
            continue
        T = given.covariance(block)
        if block.distribution == "student":
            nu = given.freedom[block.name]
            for members in map(list, block.blocks):
                squared = quadratic(own[:, members], T[:, members][:, :, members])
                found.append(StudentSpread(np.sqrt(squared), nu, parameter))
            continue
        squared = quadratic(own, T)
        before = variance.get(parameter)
        variance[parameter] = squared if before is None else before + squared
    return [*(NormalSpread(np.sqrt(v), p) for p, v in variance.items()), *found]


def quadratic(Z: Array, T: Array) -> Array:
    """Return z'T z of every row and draw, shape (n, S)."""
    q = Z.shape[1]
    squares = (Z[:, :, None] * Z[:, None, :]).reshape(-1, q * q)
    return np.maximum(squares @ T.reshape(-1, q * q).T, 0.0)
