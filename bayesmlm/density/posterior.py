"""The log posterior of the hyperparameters and its gradient as one compiled call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bayesmlm.density import crossed_moments, nested_moments
from bayesmlm.density.gaussian import GaussianMarginal
from bayesmlm.density.gradient import finish, scales
from bayesmlm.errors import PriorError, message
from bayesmlm.priors import Prior

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

NONE, HALF_NORMAL, HALF_STUDENT, EXPONENTIAL, GAMMA, INVERSE_GAMMA, PARTIAL = range(7)


@njit(cache=True, nogil=True, error_model="numpy")
def log_prior(psi, kinds, first, second, gradient):
    """Return the log prior up to a constant, and add its gradient.

    Parameters
    ----------
    kinds, first, second
        Family of each entry's prior and its two parameters, shape (d,).
    """
    total = 0.0
    for k in range(len(psi)):
        kind, a, b = kinds[k], first[k], second[k]
        if kind == PARTIAL:
            size = abs(psi[k])
            total += 2.0 * a * (np.log(2.0) - size - np.log1p(np.exp(-2.0 * size)))
            gradient[k] -= 2.0 * a * np.tanh(psi[k])
            continue
        if kind == NONE:
            continue
        x = np.exp(psi[k])
        total += psi[k]
        gradient[k] += 1.0
        if kind == HALF_NORMAL:
            total -= 0.5 * (x / a) ** 2
            gradient[k] -= (x / a) ** 2
        elif kind == HALF_STUDENT:
            ratio = (x / b) ** 2 / a
            total -= 0.5 * (a + 1.0) * np.log1p(ratio)
            gradient[k] -= (a + 1.0) * ratio / (1.0 + ratio)
        elif kind == EXPONENTIAL:
            total -= x / a
            gradient[k] -= x / a
        elif kind == GAMMA:
            total += (a - 1.0) * psi[k] - b * x
            gradient[k] += a - 1.0 - b * x
        elif kind == INVERSE_GAMMA:
            total -= (a + 1.0) * psi[k] + b / x
            gradient[k] += -(a + 1.0) + b / x
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def nested_posterior(psi, arguments, slots, prior, matrix, n):
    """Return the log posterior up to a constant, and its gradient."""
    own, starts, sizes, widths, parents, parent_starts, root = arguments
    sigma_at, all_sizes, all_widths, sd_at, partial_at, to_Z = slots
    gradient = np.zeros(len(psi))
    total = log_prior(psi, prior[0], prior[1], prior[2], gradient)
    sigma = np.exp(psi[sigma_at]) if sigma_at >= 0 else 1.0
    G = scales(psi, all_widths, sd_at, partial_at, to_Z)
    found = nested_moments.moments(
        own, starts, sizes, widths, parents, parent_starts, root, G, sigma, matrix
    )
    total += finish(
        psi, sigma_at, all_sizes, all_widths, sd_at, partial_at, matrix, n, found, gradient
    )
    return total, gradient


@njit(cache=True, nogil=True, error_model="numpy")
def crossed_posterior(psi, arguments, slots, prior, matrix, n):
    """Return the log posterior up to a constant, and its gradient."""
    ZZ, dense, indptr, indices, data, C, sizes, widths = arguments
    sigma_at, all_sizes, all_widths, sd_at, partial_at, to_Z = slots
    gradient = np.zeros(len(psi))
    total = log_prior(psi, prior[0], prior[1], prior[2], gradient)
    sigma = np.exp(psi[sigma_at]) if sigma_at >= 0 else 1.0
    G = scales(psi, all_widths, sd_at, partial_at, to_Z)
    found = crossed_moments.moments(
        ZZ, dense, indptr, indices, data, C, sizes, widths, G, sigma, matrix
    )
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
    constant
        What the kernel leaves out.
    """

    marginal: GaussianMarginal
    slots: tuple[Any, ...]
    prior: tuple[Any, ...]
    constant: float

    def __call__(self, psi: Array) -> tuple[float, Array]:
        """Return the log density of `GaussianMarginal.log_density` and its gradient.

        Minus infinity, with a gradient of zero, where it cannot be computed.
        """
        marginal = self.marginal
        kernel = nested_posterior if marginal.structure.is_nested else crossed_posterior
        value, gradient = kernel(
            np.ascontiguousarray(psi),
            marginal.structure.arguments,
            self.slots,
            self.prior,
            marginal.prior.matrix,
            marginal.data.n,
        )
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return -np.inf, np.zeros_like(gradient)
        return value + self.constant, gradient


def posterior(marginal: GaussianMarginal) -> Posterior:
    """Return the compiled log posterior of a marginal density."""
    layout = marginal.layout
    flat = marginal.slots
    prior = prior_arrays(marginal)
    found = Posterior(marginal, flat, prior, 0.0)
    origin = np.zeros(layout.size)
    constant = float(marginal.log_density(origin)[0] - found(origin)[0])
    return Posterior(marginal, flat, prior, constant)


def prior_arrays(marginal: GaussianMarginal) -> tuple[Ints, Array, Array]:
    """Return kind and parameters of the prior of every entry of psi."""
    layout, priors = marginal.layout, marginal.priors
    kinds = np.zeros(layout.size, dtype=np.int64)
    parameters = np.zeros((2, layout.size))
    for slots in layout.groups:
        group = slots.block.name
        for at, effect in zip(slots.sds, slots.block.effects, strict=True):
            kinds[at], parameters[:, at] = coded(priors.sds[group][effect])
        for members, own in zip(slots.block.blocks, slots.partials, strict=True):
            if len(members) > 1:
                kinds[own] = PARTIAL
                parameters[0, own] = priors.correlations[group].shapes(len(members))
    if layout.sigma is not None and priors.sigma is not None:
        kinds[layout.sigma], parameters[:, layout.sigma] = coded(priors.sigma)
    return kinds, parameters[0], parameters[1]


def coded(prior: Prior) -> tuple[int, tuple[float, float]]:
    """Return the kernel's code of a positive prior, and its two parameters."""
    values = prior.parameters()
    name = type(prior).__name__
    if name == "HalfNormal":
        return HALF_NORMAL, (values["sigma"], 0.0)
    if name == "HalfStudentT":
        return HALF_STUDENT, (values["nu"], values["sigma"])
    if name == "HalfCauchy":
        return HALF_STUDENT, (1.0, values["beta"])
    if name == "Exponential":
        return EXPONENTIAL, (values["scale"], 0.0)
    if name == "Gamma":
        return GAMMA, (values["alpha"], values["beta"])
    if name == "InverseGamma":
        return INVERSE_GAMMA, (values["alpha"], values["beta"])
    raise PriorError(
        message(
            f"{prior} as the prior of an SD in the compiled density",
            "HalfNormal, HalfStudentT, HalfCauchy, Exponential, Gamma, InverseGamma",
            'choose one of these, or sample the graph with NUTS(random_effects="sample")',
        )
    )
