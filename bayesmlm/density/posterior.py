"""The log posterior of the hyperparameters and its gradient as one compiled call."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bayesmlm.density import crossed_moments, hyperparameters, nested_moments
from bayesmlm.density.gaussian import GaussianMarginal
from bayesmlm.density.gradient import finish, scales
from bayesmlm.density.log_prior import log_prior, prior_arrays

Array = NDArray[np.float64]


@njit(cache=True, nogil=True, error_model="numpy")
def nested_posterior(psi, arguments, slots, prior, matrix, n):
    """Return the log posterior up to a constant, and its gradient."""
    sigma_at, all_sizes, all_widths, sd_at, partial_at, to_Z = slots
    gradient = np.zeros(len(psi))
    total = log_prior(psi, prior[0], prior[1], prior[2], gradient)
    sigma = np.exp(psi[sigma_at]) if sigma_at >= 0 else 1.0
    G = scales(psi, all_widths, sd_at, partial_at, to_Z)
    found = nested_moments.moments(*arguments, G, sigma, matrix)
    total += finish(
        psi, sigma_at, all_sizes, all_widths, sd_at, partial_at, matrix, n, found, gradient
    )
    return total, gradient


@njit(cache=True, nogil=True, error_model="numpy")
def crossed_posterior(psi, arguments, slots, prior, matrix, n):
    """Return the log posterior up to a constant, and its gradient."""
    sigma_at, all_sizes, all_widths, sd_at, partial_at, to_Z = slots
    gradient = np.zeros(len(psi))
    total = log_prior(psi, prior[0], prior[1], prior[2], gradient)
    sigma = np.exp(psi[sigma_at]) if sigma_at >= 0 else 1.0
    G = scales(psi, all_widths, sd_at, partial_at, to_Z)
    found = crossed_moments.moments(*arguments, G, sigma, matrix)
    total += finish(
        psi, sigma_at, all_sizes, all_widths, sd_at, partial_at, matrix, n, found, gradient
    )
    return total, gradient


@dataclass(frozen=True)
class Posterior:
    """The log posterior of the hyperparameters as one compiled call.

    Parameters
    ----------
    marginal
        The density.
    slots, prior
        Flat arrays of the layout and of the priors.
    """

    marginal: GaussianMarginal
    slots: tuple[Any, ...]
    prior: tuple[Any, ...]

    @cached_property
    def constant(self) -> float:
        """What the kernel leaves out."""
        marginal = self.marginal
        n, data = marginal.data.n, marginal.data
        constant = 0.5 * (data.log_weight + marginal.prior.log_det - n * np.log(2 * np.pi))
        origin = np.zeros(marginal.layout.size)
        exact = hyperparameters.log_prior(marginal.layout, marginal.priors, origin[None])[0]
        return float(constant + exact - log_prior(origin, *self.prior, np.zeros_like(origin)))

    def kernel(self, psi: Array) -> tuple[float, Array]:
        """Return the log density up to a constant, and its gradient."""
        marginal = self.marginal
        function = nested_posterior if marginal.structure.is_nested else crossed_posterior
        value, gradient = function(
            np.ascontiguousarray(psi),
            marginal.structure.arguments,
            self.slots,
            self.prior,
            marginal.prior.matrix,
            marginal.data.n,
        )
        return float(value), gradient

    def __call__(self, psi: Array) -> tuple[float, Array]:
        """Return the log density of `GaussianMarginal.log_density` and its gradient.

        Minus infinity, with a gradient of zero, where it cannot be computed.
        """
        value, gradient = self.kernel(psi)
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return -np.inf, np.zeros_like(gradient)
        return value + self.constant, gradient


def posterior(marginal: GaussianMarginal) -> Posterior:
    """Return the compiled log posterior of a marginal density."""
    return Posterior(marginal, marginal.slots, prior_arrays(marginal.layout, marginal.priors))
