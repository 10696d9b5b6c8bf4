"""Prior against posterior of every parameter that has a prior."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.errors import StatisticError, message
from bayesmlm.plots.canvas import BLUE, RUST, Panel, Picture, canvas, key
from bayesmlm.priors import Prior
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import flatten
from bayesmlm.summaries.maximum import ERRORS

Array = NDArray[np.float64]

COLUMNS = 3
POINTS = 300


@dataclass(frozen=True)
class Parameter:
    """A parameter with both distributions.

    Parameters
    ----------
    label
        Its name.
    draws
        Of the posterior, shape (S,).
    density
        Density of the prior.
    low, high
        Bounds of the support.
    """

    label: str
    draws: Array
    density: Callable[[Array], Array]
    low: float = -np.inf
    high: float = np.inf


def prior_posterior(result: FitResult, *, backend: str = "matplotlib") -> Picture:
    """Draw the density of every prior, and over it the posterior's.

    Parameters
    ----------
    result
        The fit.
    backend
        ``"matplotlib"``, ``"plotly"`` or ``"bokeh"``.

    Raises
    ------
    StatisticError
        For a fit that ignores priors (ML, REML).

    Notes
    -----
    The axis covers the posterior and as much again on each side. Where the line of the prior
    is flat there, the data speak alone. The default prior of the intercept is of the mean at
    mean predictors, and so is the posterior drawn over it.
    """
    if ERRORS in result.tree.children:
        raise StatisticError(
            message(
                f"priors of a fit by {result.engine.name!r}, which ignores them",
                "fits with a posterior",
                'fit with model.fit("laplace") or model.fit("nuts")',
            )
        )
    found = parameters(result)
    columns = min(COLUMNS, len(found))
    rows = -(-len(found) // columns)
    size = (3.3 * columns + 0.3, 2.0 * rows + 0.7)
    picture, panels = canvas(len(found), size, columns, backend)
    for panel, parameter in zip(panels, found, strict=True):
        draw(panel, parameter)
    key(picture, [("prior", RUST), ("posterior", BLUE)])
    return picture


def parameters(result: FitResult) -> list[Parameter]:
    """Return every parameter that has a prior."""
    priors, design, posterior = result.priors, result.design, result.posterior
    found: list[Parameter] = []
    for part in design.parts:
        own = priors.of(part.target)
        beta = names.of_parameter(names.BETA, part.target)
        values = flatten(posterior[beta])[0] if part.coef else np.empty((0, 0))
        for k, name in enumerate(part.coef):
            draws, label = values[:, k], names.parameter_coef(part.target, name)
            if name == names.INTERCEPT and own.intercept_at_means:
                draws, label = values @ part.X.mean(axis=0), f"{label} at mean predictors"
            found.append(Parameter(label, draws, pdf(own.coefficients[name])))
    for block in design.blocks:
        sds = flatten(posterior[names.sd(block.name)])[0]
        for effect, draws in zip(block.effects, sds.T, strict=True):
            prior = priors.sds[block.name][effect]
            label = f"SD of {effect} by {block.name}"
            found.append(Parameter(label, draws, pdf(prior), low=0.0))
        if block.pairs:
            r = flatten(posterior[names.corr(block.name)])[0]
            lkj = priors.correlations[block.name]
            for k, (i, j) in enumerate(block.pairs):
                size = next(len(members) for members in block.blocks if i in members)
                label = f"corr of {block.effects[i]},\n{block.effects[j]}"
                found.append(
                    Parameter(label, r[:, k], correlation_pdf(lkj.eta, size), low=-1.0, high=1.0)
                )
    if priors.sigma is not None:
        draws = flatten(posterior[names.SIGMA])[0][:, 0]
        found.append(Parameter("residual SD", draws, pdf(priors.sigma), low=0.0))
    for name, prior in priors.latent.items():
        draws = flatten(posterior[name])[0][:, 0]
        found.append(Parameter(name, draws, pdf(prior), low=0.0 if prior.positive else -np.inf))
    return found


def pdf(prior: Prior) -> Callable[[Array], Array]:
    """Return the density of a prior."""
    return lambda x: np.exp(prior.log_density(x))


def correlation_pdf(eta: float, q: int) -> Callable[[Array], Array]:
    """Return the density of one correlation under LKJ(eta): 2 Beta(b, b) - 1, b = eta + q/2 - 1."""
    from scipy.stats import beta

    b = eta + q / 2 - 1
    return lambda x: np.asarray(beta(b, b).pdf((x + 1) / 2) / 2)


def draw(panel: Panel, parameter: Parameter) -> None:
    """Draw one parameter."""
    draws = parameter.draws
    middle, half = float(np.median(draws)), 8.0 * float(draws.std())
    low = max(parameter.low, min(middle - half, draws.min()))
    high = min(parameter.high, max(middle + half, draws.max()))
    grid = np.linspace(low, high, POINTS)
    inner = grid[1:-1]
    panel.line(inner, parameter.density(inner), color=RUST, width=1.4)
    x, density = posterior_density(draws, parameter.low, parameter.high)
    panel.band(x, np.zeros(len(x)), density, color=BLUE, alpha=0.3)
    panel.line(x, density, color=BLUE, width=1.2)
    panel.label(parameter.label, "", "density")
    panel.limits("y", 0.0, 1.08 * float(density.max()))


def posterior_density(draws: Array, low: float, high: float) -> tuple[Array, Array]:
    """Return a kernel density, reflected at the bounds of the support."""
    from scipy.stats import gaussian_kde

    kernel = gaussian_kde(draws)
    pad = 3 * float(np.sqrt(kernel.covariance[0, 0]))
    grid = np.linspace(max(low, draws.min() - pad), min(high, draws.max() + pad), POINTS)
    density = kernel(grid)
    for bound in (low, high):
        if np.isfinite(bound):
            density = density + kernel(2 * bound - grid)
    return grid, density
