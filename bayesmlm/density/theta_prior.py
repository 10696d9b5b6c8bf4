"""The prior of theta: coordinates of the fixed effects, then the hyperparameters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.density.conditional_arrays import standardised
from bayesmlm.density.hyperparameters import Hyperparameters, log_prior
from bayesmlm.density.log_prior import log_prior as kernel
from bayesmlm.density.log_prior import prior_arrays
from bayesmlm.design import Design
from bayesmlm.priors import Prior, Priors

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ThetaPrior:
    """A prior density and its gradient.

    Parameters
    ----------
    priors, layout
        Of the model.
    own
        Priors of the fixed effects.
    forms
        What each is a prior of, as a linear form of the coordinates, shape (p, p).
    log_volume
        Log determinant of the forms.
    coefficients, hyper
        Arrays of the compiled prior.
    """

    priors: Priors
    layout: Hyperparameters
    own: tuple[Prior, ...]
    forms: Array
    log_volume: float
    coefficients: tuple[Any, ...]
    hyper: tuple[Any, ...]

    def log_density(self, theta: Array) -> Array:
        """Return the normalised log density, shape (S,)."""
        p = len(self.own)
        values = theta[:, :p] @ self.forms.T
        total = log_prior(self.layout, self.priors, theta[:, p:]) + self.log_volume
        for k, prior in enumerate(self.own):
            total = total + prior.log_density(values[:, k])
        return np.asarray(total)

    @cached_property
    def constant(self) -> float:
        """What the compiled prior leaves out."""
        origin = np.zeros(len(self.own) + self.layout.size)
        return float(self.log_density(origin[None])[0]) - self.compiled(origin)[0]

    def with_gradient(self, theta: Array) -> tuple[float, Array]:
        """Return the log density at one theta and its gradient, shape (size,)."""
        value, gradient = self.compiled(theta)
        return value + self.constant, gradient

    def compiled(self, theta: Array) -> tuple[float, Array]:
        """Return what `with_gradient` does, up to a constant."""
        p = len(self.own)
        kinds, freedom, centre, scale = self.coefficients
        slopes, psi_slopes = np.zeros(p), np.zeros(self.layout.size)
        standard = (self.forms @ theta[:p] - centre) / scale
        value = kernel(standard, kinds, freedom, scale, slopes)
        value += kernel(np.ascontiguousarray(theta[p:]), *self.hyper, psi_slopes)
        return value, np.concatenate([self.forms.T @ (slopes / scale), psi_slopes])


def theta_prior(design: Design, priors: Priors, layout: Hyperparameters, to_X: Array) -> ThetaPrior:
    """Return the prior of theta.

    Parameters
    ----------
    design, priors, layout
        The model.
    to_X
        C such that the coordinates are C beta, shape (p, p).
    """
    p = len(design.coef)
    functional = np.eye(p)
    if names.INTERCEPT in design.coef and priors.intercept_at_means:
        functional[design.coef.index(names.INTERCEPT)] = design.X.mean(axis=0)
    forms = np.ascontiguousarray(np.linalg.solve(to_X.T, functional.T).T)
    own = tuple(priors.coefficients[name] for name in design.coef)
    coded = [standardised(prior) for prior in own]
    return ThetaPrior(
        priors,
        layout,
        own,
        forms,
        float(np.linalg.slogdet(forms)[1]) if p else 0.0,
        (
            np.array([kind for kind, *_ in coded], dtype=np.int64),
            *(np.array([values[k] for values in coded], dtype=float) for k in (1, 2, 3)),
        ),
        prior_arrays(layout, priors),
    )
