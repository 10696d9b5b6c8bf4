"""The priors' log densities, compiled, with their gradients."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bayesmlm.density.hyperparameters import Hyperparameters
from bayesmlm.errors import PriorError, message
from bayesmlm.families.parameter import ORDERED
from bayesmlm.priors import Prior, Priors

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

NONE, HALF_NORMAL, HALF_STUDENT, EXPONENTIAL, GAMMA, INVERSE_GAMMA, PARTIAL = range(7)
STANDARD_NORMAL, STANDARD_STUDENT, UNIT_BETA = 7, 8, 9
CUT_NORMAL, CUT_STUDENT, CUT_CAUCHY = 10, 11, 12
"""Priors of thresholds, which end psi: the first, then the logs of their steps."""


@njit(cache=True, nogil=True, error_model="numpy")
def cut_prior(psi, start, kinds, first, second, gradient):
    """Return the log prior of the thresholds from a position on, and add its gradient.

    Parameters
    ----------
    psi, kinds, first, second, gradient
        As of `log_prior`; location and scale of Normal and Cauchy, degrees of freedom and
        scale of Student t.
    """
    total = cut = 0.0
    slopes = np.empty(len(psi) - start)
    for k in range(start, len(psi)):
        kind, a, b = kinds[k], first[k], second[k]
        cut = psi[k] if k == start else cut + np.exp(psi[k])
        if k > start:
            total += psi[k]
            gradient[k] += 1.0
        freedom = a if kind == CUT_STUDENT else 1.0
        z = (cut if kind == CUT_STUDENT else cut - a) / b
        if kind == CUT_NORMAL:
            total -= 0.5 * z * z
            slopes[k - start] = -z / b
        else:
            total -= 0.5 * (freedom + 1.0) * np.log1p(z * z / freedom)
            slopes[k - start] = -(freedom + 1.0) * z / (freedom + z * z) / b
    left = 0.0
    for k in range(len(psi) - 1, start - 1, -1):
        left += slopes[k - start]
        gradient[k] += left * (1.0 if k == start else np.exp(psi[k]))
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def log_prior(psi, kinds, first, second, gradient):
    """Return the log prior up to a constant, and add its gradient.

    Parameters
    ----------
    psi
        Log SDs, inverse hyperbolic tangents of partial correlations and further parameters on
        the whole line, or standardised coefficients, shape (d,).
    kinds, first, second
        Kind of each entry's prior and its two parameters, shape (d,).
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
        if kind >= CUT_NORMAL:
            return total + cut_prior(psi, k, kinds, first, second, gradient)
        if kind == UNIT_BETA:
            size = np.log1p(np.exp(-abs(psi[k])))
            total -= a * (max(-psi[k], 0.0) + size) + b * (max(psi[k], 0.0) + size)
            gradient[k] += a - (a + b) * 0.5 * (1.0 + np.tanh(0.5 * psi[k]))
            continue
        if kind == STANDARD_NORMAL:
            total -= 0.5 * psi[k] ** 2
            gradient[k] -= psi[k]
            continue
        if kind == STANDARD_STUDENT:
            total -= 0.5 * (a + 1.0) * np.log1p(psi[k] ** 2 / a)
            gradient[k] -= (a + 1.0) * psi[k] / (a + psi[k] ** 2)
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


def prior_arrays(layout: Hyperparameters, priors: Priors) -> tuple[Ints, Array, Array]:
    """Return kind and parameters of the prior of every entry of psi."""
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
    for further in layout.further:
        prior = priors.further[further.parameter.name]
        code = coded_cut if further.parameter.support == ORDERED else coded
        kinds[further.at], numbers = code(prior)
        parameters[:, further.at] = np.array(numbers)[:, None]
    return kinds, parameters[0], parameters[1]


def coded_cut(prior: Prior) -> tuple[int, tuple[float, float]]:
    """Return the kernel's code of the prior of thresholds, and its numbers."""
    values = prior.parameters()
    name = type(prior).__name__
    if name == "Normal":
        return CUT_NORMAL, (values["mu"], values["sigma"])
    if name == "Cauchy":
        return CUT_CAUCHY, (values["alpha"], values["beta"])
    if name == "StudentT" and values["mu"] == 0:
        return CUT_STUDENT, (values["nu"], values["sigma"])
    raise PriorError(
        message(
            f"{prior} as the prior of thresholds in the compiled density",
            "Normal, Cauchy, and StudentT about zero",
            'choose one of these, or sample the graph with NUTS(backend="graph")',
        )
    )


def coded(prior: Prior) -> tuple[int, tuple[float, float]]:
    """Return the kernel's code of the prior of a positive number or a share, and its numbers."""
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
    if name == "Beta":
        return UNIT_BETA, (values["alpha"], values["beta"])
    raise PriorError(
        message(
            f"{prior} as the prior of an SD in the compiled density",
            "HalfNormal, HalfStudentT, HalfCauchy, Exponential, Gamma, InverseGamma",
            'choose one of these, or sample the graph with NUTS(random_effects="sample")',
        )
    )
