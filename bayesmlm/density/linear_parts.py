"""The linear predictors of a model's parameters, and their fixed effects' coordinates together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.fixed_coordinates import FixedCoordinates, fixed_coordinates
from bayesmlm.design import Design, ParameterDesign
from bayesmlm.families.parameter import REAL, UNIT
from bayesmlm.priors import Priors, outcome_scale

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """The linear predictor of one parameter in the density.

    Parameters
    ----------
    design
        Of the location, or of a further parameter.
    fixed
        Coordinates of its fixed effects.
    first
        Where these stand among all coordinates.
    """

    design: Design | ParameterDesign
    fixed: FixedCoordinates
    first: int

    def beta(self, coordinates: Array) -> Array:
        """Return the coefficients in the user's coordinates, shape (S, p), of (S, all)."""
        last = self.first + len(self.design.coef)
        return coordinates[:, self.first : last] @ self.fixed.display.T


def n_coefficients(design: Design) -> int:
    """Return the number of fixed effects of all parameters."""
    return sum(len(part.coef) for part in design.parts)


def linear_parts(design: Design, priors: Priors) -> tuple[Part, ...]:
    """Return the linear predictors of a design, the location's first."""
    found: list[Part] = []
    first = 0
    for part in design.parts:
        found.append(Part(part, fixed_coordinates(part, priors.of(part.target)), first))
        first += len(part.coef)
    return tuple(found)


def together(parts: tuple[Part, ...]) -> FixedCoordinates:
    """Return the coordinates of all parameters' fixed effects as those of one."""
    width = sum(len(part.design.coef) for part in parts)
    own = [part.fixed.among(part.first, width) for part in parts]
    return FixedCoordinates(
        display=np.vstack([each.display for each in own]),
        with_priors=np.vstack([each.with_priors for each in own]),
        priors=tuple(prior for each in own for prior in each.priors),
        means=np.concatenate([each.means for each in own]),
    )


def typical(part: ParameterDesign, design: Design) -> float:
    """Return a value that a parameter may have: sd(y) of sigma, 1/2 of a probability."""
    if part.parameter.support in (UNIT, REAL):
        return 0.5 if part.parameter.support == UNIT else 0.0
    return outcome_scale(design) if part.parameter.scaled else 1.0
