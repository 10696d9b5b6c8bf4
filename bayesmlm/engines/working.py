"""The working response of a generalised linear mixed model: a Gaussian one with known weights.

About eta0 the mean f(eta) of the response has the Taylor series

    y = f + f' (eta - eta0) + f'' (eta - eta0)² / 2 + e,   Var(e) = v(f) / w,

all at eta0, so that z = eta0 + (y - f) / f' - f'' s² / (2 f') has mean about X beta + Z u and
variance v / (w f'²). Here s² is the expected square of eta - eta0: zero in the first order.

References
----------
Breslow & Clayton (1993), doi:10.1080/01621459.1993.10594284;
Goldstein (1991), doi:10.1093/biomet/78.1.45;
Goldstein & Rasbash (1996), doi:10.2307/2983328.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design import Design
from bayesmlm.design.response import Outcome
from bayesmlm.families import family
from bayesmlm.graph.parametrisation import weighted_least_squares

Array = NDArray[np.float64]


def logit_curvature(eta: Array, mean: Array, slope: Array) -> Array:
    """Return p (1 - p) (1 - 2 p)."""
    return slope * (1 - 2 * mean)


def probit_curvature(eta: Array, mean: Array, slope: Array) -> Array:
    """Return -eta phi(eta)."""
    return -eta * slope


def log_curvature(eta: Array, mean: Array, slope: Array) -> Array:
    """Return exp(eta)."""
    return slope


CURVATURES: dict[str, Callable[[Array, Array, Array], Array]] = {
    "logit": logit_curvature,
    "probit": probit_curvature,
    "log": log_curvature,
}
"""Second derivative of the mean in eta, by link, from eta, the mean and its slope."""

FAMILIES = ("bernoulli", "binomial", "poisson")
"""Families whose variance the mean determines."""

EDGE = 1e-12
"""Weight of a row at or below which its fitted mean is at the edge of its range."""

STARTING_STEPS = 4
"""Weighted regressions without random effects that make the first expansion point."""


@dataclass(frozen=True)
class Working:
    """A working response.

    Parameters
    ----------
    z
        The response, the offset in it, shape (N,).
    weight
        Its precision, shape (N,).
    """

    z: Array
    weight: Array

    def design(self, design: Design) -> Design:
        """Return the Gaussian design of known sampling SDs."""
        rows = {"se": 1 / np.sqrt(self.weight)}
        return replace(design, family=family("gaussian"), outcome=Outcome(self.z, rows))

    @property
    def is_usable(self) -> bool:
        """Whether a regression can be made of it."""
        inside = np.isfinite(self.weight) & (self.weight > EDGE)
        return bool(np.isfinite(self.z).all() and inside.all())


def working(design: Design, eta: Array, square: Array) -> Working:
    """Return the working response about a linear predictor.

    Parameters
    ----------
    design
        The model.
    eta
        Where to expand, offset included, shape (N,).
    square
        s², shape (N,).
    """
    family, rows = design.family, design.outcome.rows
    with np.errstate(all="ignore"):
        mean, slope = family.link.inverse(eta), family.link.inverse_slope(eta)
        curvature = CURVATURES[family.link.name](eta, mean, slope)
        y = design.y / rows.get("trials", 1.0)
        z = eta + (y - mean - 0.5 * curvature * square) / slope
        weight = slope**2 / family.variance(eta, {}, rows) * rows.get("weights", 1.0)
    return Working(z, weight)


def starting_predictor(design: Design) -> Array:
    """Return a linear predictor without random effects to expand about first, shape (N,).

    From a few steps of iterated weighted least squares from the response itself.

    References
    ----------
    McCullagh & Nelder (1989), Generalized Linear Models, section 2.5.
    """
    trials = design.outcome.rows.get("trials", np.ones(len(design.y)))
    binary = design.family.name != "poisson"
    mean = (design.y + 0.5) / (trials + 1) if binary else design.y + 0.1
    eta = design.family.link.link(mean)
    for _ in range(STARTING_STEPS):
        found = working(design, eta, np.zeros_like(eta))
        if not found.is_usable:
            break
        beta = weighted_least_squares(design.X, found.z - design.offset, found.weight)
        eta = design.X @ beta + design.offset
    return eta
