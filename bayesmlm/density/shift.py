"""How far Laplace's approximation puts the posterior off: one Newton step to many nodes.

With V the covariance at the mode and g the gradient of the log density, V (g_many - g_one) is
the shift of the mode when quadrature over the leading grouping takes the place of one node.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.higher_order import PLAIN
from bayesmlm.density.latent import LatentMarginal
from bayesmlm.density.quadrature import QuadratureMarginal

Array = NDArray[np.float64]

MANY = (15, 9, 5)
"""Nodes in each of one, two or three dimensions that stand for the integral."""

STEP = 1e-2
"""Of the central differences in psi."""


@dataclass(frozen=True)
class Shift:
    """A shift of the mode.

    Parameters
    ----------
    psi
        Of the hyperparameters, in their posterior SDs, shape (d,).
    coordinates
        Of the fixed effects' coordinates, shape (p,).
    """

    psi: Array
    coordinates: Array


def shift(marginal: LatentMarginal, mode: Array, covariance: Array) -> Shift:
    """Return the shift of the mode of a density by one node.

    Parameters
    ----------
    marginal
        The density.
    mode, covariance
        Of the hyperparameters, shapes (d,) and (d, d).
    """
    d, p = len(mode), marginal.data.X.shape[1]
    moves = STEP * np.eye(d)
    points = np.vstack([mode[None], mode + moves, mode - moves])
    one, one_field, _ = marginal.with_nodes(1).solve(points)
    many, many_field, _ = marginal.with_nodes(many_nodes(marginal)).solve(points)
    apart = many - one
    move = covariance @ (apart[1 : d + 1] - apart[d + 1 :]) / (2 * STEP)
    slopes = (one_field[1 : d + 1, :p] - one_field[d + 1 :, :p]) / (2 * STEP)
    coordinates = many_field[0, :p] - one_field[0, :p] + move @ slopes
    return Shift(move / np.sqrt(np.diag(covariance)), coordinates)


def quadrature_shift(marginal: QuadratureMarginal, mode: Array, covariance: Array) -> Shift:
    """Return the shift of the mode of a density by one node that holds the fixed effects.

    Parameters
    ----------
    marginal
        The density.
    mode, covariance
        Of fixed effects and hyperparameters, shapes (p + d,) and (p + d, p + d).
    """
    p = marginal.data.X.shape[1]
    many = replace(marginal, order=PLAIN).with_nodes(many_nodes(marginal))
    move = covariance @ (many.gradient(mode[None])[1][0] - marginal.gradient(mode[None])[1][0])
    return Shift(move[p:] / np.sqrt(np.diag(covariance)[p:]), move[:p])


def many_nodes(marginal: LatentMarginal | QuadratureMarginal) -> int:
    """Return the nodes in each dimension that stand for the integral."""
    return MANY[min(marginal.modes.shape[1], len(MANY)) - 1]
