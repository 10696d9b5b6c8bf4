"""The fixed effects' coordinates, and what is linear in them.

The coordinates are those of the graph: slopes whitened by the QR decomposition of their
columns, and the intercept where its prior holds. Every coefficient, and the linear predictor,
is a linear form of them: a vector of shape (p,).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import Design, ParameterDesign
from bayesmlm.graph.coordinates import whitening
from bayesmlm.graph.fixed import Fixed, column_means, one_real_kind
from bayesmlm.priors import Prior, Priors, outcome_scale

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FixedCoordinates:
    """Linear forms of the coordinates of the fixed effects.

    Parameters
    ----------
    display
        beta = display @ coordinates, shape (p, p).
    with_priors
        What has a prior, one form each, shape (p, p).
    priors
        These priors.
    means
        Means of the slopes' columns, at which the intercept holds in the rows.
    """

    display: Array
    with_priors: Array
    priors: tuple[Prior, ...]
    means: Array

    def among(self, first: int, width: int) -> FixedCoordinates:
        """Return the same as forms of more coordinates, these being those from `first` on."""
        around = (first, width - first - len(self.display))
        display, with_priors = (
            np.pad(forms, ((0, 0), around)) for forms in (self.display, self.with_priors)
        )
        return replace(self, display=display, with_priors=with_priors)

    def parts(self, design: Design | ParameterDesign) -> Fixed:
        """Return the fixed part of the linear predictor, each coefficient a linear form."""
        at = slope_positions(design)
        intercept = np.zeros(self.display.shape[1]) if design.ordered else None
        if len(at) < len(design.coef):
            intercept = self.display[design.coef.index(names.INTERCEPT)].copy()
            intercept += self.means @ self.display[at]
        return Fixed(
            X=design.X[:, at],
            means=self.means,
            slopes=[self.display[k] for k in at],
            intercept=intercept,
            free=list(range(len(at))),
        )


def slope_positions(design: Design | ParameterDesign) -> list[int]:
    """Return the positions of the coefficients that are not the intercept."""
    return [k for k, name in enumerate(design.coef) if name != names.INTERCEPT]


def fixed_coordinates(design: Design | ParameterDesign, priors: Priors) -> FixedCoordinates:
    """Return the coordinates in which the graph samples the fixed effects."""
    p, at = len(design.coef), slope_positions(design)
    own = tuple(priors.coefficients[name] for name in design.coef)
    scale = outcome_scale(design)
    means = column_means(design, priors)
    if len(at) == p:
        display = slopes_display(design.X - means, own, scale)
        return FixedCoordinates(display, display, own, means)
    first = design.coef.index(names.INTERCEPT)
    if not priors.intercept_at_means and one_real_kind(list(own)):
        display = whitening(design.X, scale)[1]
        return FixedCoordinates(display, display, own, means)
    display = np.zeros((p, p))
    slopes = slopes_display(design.X[:, at] - means, tuple(own[k] for k in at), scale)
    display[np.ix_(at, range(p - 1))] = slopes
    with_priors = display.copy()
    display[first, p - 1] = with_priors[first, p - 1] = 1.0
    if priors.intercept_at_means:
        display[first, : p - 1] = -means @ slopes
    return FixedCoordinates(display, with_priors, own, means)


def slopes_display(X: Array, own: tuple[Prior, ...], scale: float) -> Array:
    """Return the matrix from coordinates to slopes: whitened where one kind of prior serves."""
    if not own or not one_real_kind(list(own)):
        return np.eye(len(own))
    return whitening(X, scale)[1]
