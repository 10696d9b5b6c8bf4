"""The fixed part of a model in PyMC: coefficients, and what remains for the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import Design, ParameterDesign
from bayesmlm.graph.coordinates import linear_transform, whitening
from bayesmlm.graph.labels import data, unused
from bayesmlm.priors import Prior, Priors, outcome_scale, pymc_vector

Array = NDArray[np.float64]


@dataclass
class Fixed:
    """Coefficients under construction; group-level columns move to centred effects.

    Parameters
    ----------
    X
        Columns of the slopes, not centred, shape (N, p - 1) or (N, p).
    means
        Means of these columns, or zeros without an intercept.
    slopes
        One tensor a column.
    intercept
        The linear predictor at the means, or None.
    shift
        What the linear predictor at the means is more than at x = 0, where thresholds hold.
    latent
        Tensors of the columns that are not observed, by position; they stay with the rows.
    target
        The parameter whose linear predictor it is.
    """

    X: Array
    means: Array
    slopes: list[Any]
    intercept: Any
    free: list[int] = field(default_factory=list)
    shift: Any = 0.0
    latent: Mapping[int, Any] = field(default_factory=dict)
    target: str = names.MU

    def take(self, k: int) -> Any:
        """Hand the slope of column k to a group's coefficient."""
        self.free.remove(k)
        return self.slopes[k]

    def uncentre(self, k: int) -> None:
        """Let the intercept hold where column k is 0."""
        if self.intercept is not None:
            self.intercept = self.intercept - self.slopes[k] * self.means[k]

    def take_intercept(self) -> Any:
        """Hand the intercept to a group's coefficient."""
        intercept, self.intercept = self.intercept, None
        return intercept

    def linear_predictor(self) -> Any:
        """Return what no group took, per row."""
        import pytensor.tensor as pt

        eta = 0.0 if self.intercept is None else self.intercept
        if self.free:
            columns = self.X[:, self.free] - self.means[self.free]
            slopes = pt.stack([self.slopes[k] for k in self.free])
            eta = eta + pt.dot(data(names.of_parameter("X", self.target), columns), slopes)
        for k, column in self.latent.items():
            eta = eta + (column - self.means[k]) * self.slopes[k]
        return eta


def add_fixed(design: Design | ParameterDesign, priors: Priors, latent: Mapping[str, Any]) -> Fixed:
    """Add the fixed coefficients of a parameter and their deterministic ``beta``.

    Parameters
    ----------
    design
        Of the location, or of a further parameter.
    priors
        With those of that parameter's coefficients; see `Priors.of`.
    latent
        Tensors of the columns that are not observed, by coefficient.
    """
    found = coefficients(design, priors)
    at = [name for name in design.coef if name != names.INTERCEPT]
    found.latent = {at.index(name): column for name, column in latent.items()}
    found.free = [k for k in found.free if k not in found.latent]
    return found


def coefficients(design: Design | ParameterDesign, priors: Priors) -> Fixed:
    """Add the coefficients, every column of X being observed."""
    has_intercept = names.INTERCEPT in design.coef
    at = [k for k, name in enumerate(design.coef) if name != names.INTERCEPT]
    X = design.X[:, at]
    means = column_means(design, priors)
    prior_of = [priors.coefficients[name] for name in design.coef]
    scale = outcome_scale(design)
    if has_intercept and not priors.intercept_at_means and one_real_kind(prior_of):
        return at_zero(design, prior_of, X, means, scale)
    target = design.target
    labels, own = [design.coef[k] for k in at], [prior_of[k] for k in at]
    slopes = add_slopes(labels, own, X - means, scale, target)
    intercept = None
    if has_intercept:
        intercept = add_intercept(priors, slopes, means, target)
    add_beta(design, slopes, intercept, means)
    found = Fixed(X, means, slopes, intercept, list(range(len(at))), target=target)
    if design.ordered:
        found.intercept = 0.0
        found.shift = sum((mean * slope for mean, slope in zip(means, slopes, strict=True)), 0.0)
    return found


def column_means(design: Design | ParameterDesign, priors: Priors) -> Array:
    """Return what the slopes' columns are centred at: their means, or zeros.

    An intercept is displayed at x = 0 whatever the columns are centred at; thresholds are met
    by centred columns only where their prior holds at the means.
    """
    at = [k for k, name in enumerate(design.coef) if name != names.INTERCEPT]
    centred = len(at) < len(design.coef) or (design.ordered and priors.intercept_at_means)
    return design.X[:, at].mean(axis=0) if centred else np.zeros(len(at))


def at_zero(
    design: Design | ParameterDesign, prior_of: list[Prior], X: Array, means: Array, scale: float
) -> Fixed:
    """Add all coefficients as one vector, the intercept's prior at x = 0."""
    at = [k for k, name in enumerate(design.coef) if name != names.INTERCEPT]
    transform = linear_transform(*whitening(design.X, scale))
    name, dim = (names.of_parameter(each, design.target) for each in (names.BETA, names.COEF))
    beta = pymc_vector(name, tuple(prior_of), dims=dim, default_transform=transform)
    slopes = [beta[k] for k in at]
    intercept = beta[design.coef.index(names.INTERCEPT)]
    for mean, slope in zip(means, slopes, strict=True):
        intercept = intercept + mean * slope
    return Fixed(X, means, slopes, intercept, list(range(len(at))), target=design.target)


def one_real_kind(priors: list[Prior]) -> bool:
    """Whether the priors are of one class, on the whole line."""
    return len({type(prior) for prior in priors}) == 1 and not priors[0].positive


def add_slopes(
    labels: list[str], priors: list[Prior], X: Array, scale: float, target: str = names.MU
) -> list[Any]:
    """Add the slopes: one vector in whitened coordinates where their priors allow it."""
    import pymc as pm

    if not labels:
        return []
    if one_real_kind(priors):
        dim, name = names.of_parameter("slope", target), names.of_parameter("slopes", target)
        pm.modelcontext(None).add_coord(dim, labels)
        transform = linear_transform(*whitening(X, scale))
        vector = pymc_vector(unused(name), tuple(priors), dims=dim, default_transform=transform)
        return [vector[k] for k in range(len(labels))]
    return [
        prior.pymc(unused(f"{names.of_parameter('slope', target)}[{names.safe(label)}]"))
        for label, prior in zip(labels, priors, strict=True)
    ]


def add_intercept(priors: Priors, slopes: list[Any], means: Array, target: str = names.MU) -> Any:
    """Add the intercept and return the linear predictor at the means."""
    prior = priors.coefficients[names.INTERCEPT]
    if priors.intercept_at_means:
        return prior.pymc(unused(names.of_parameter("intercept_at_means", target)))
    intercept = prior.pymc(unused(names.of_parameter("intercept_at_zero", target)))
    for mean, slope in zip(means, slopes, strict=True):
        intercept = intercept + mean * slope
    return intercept


def add_beta(
    design: Design | ParameterDesign, slopes: list[Any], intercept: Any, means: Array
) -> None:
    """Add ``beta``: the coefficients as displayed, the intercept at x = 0."""
    import pymc as pm
    import pytensor.tensor as pt

    values = dict(
        zip([name for name in design.coef if name != names.INTERCEPT], slopes, strict=True)
    )
    if intercept is not None:
        at_zero = intercept
        for mean, slope in zip(means, slopes, strict=True):
            at_zero = at_zero - mean * slope
        values[names.INTERCEPT] = at_zero
    if design.coef:
        beta, dim = (names.of_parameter(each, design.target) for each in (names.BETA, names.COEF))
        pm.Deterministic(beta, pt.stack([values[name] for name in design.coef]), dims=dim)
