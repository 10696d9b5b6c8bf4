"""Spaghetti: regression lines of groups that were not seen, drawn from the fitted population."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.errors import StatisticError, message
from bayesmlm.plots.abscissa import Abscissa, abscissa
from bayesmlm.plots.canvas import BLUE, INK, PALE, Picture, canvas, key
from bayesmlm.plots.coefficients import GroupCoefficients, group_coefficients
from bayesmlm.plots.lines import POINTS, observed, outcome_label
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import PROBABILITY, flatten
from bayesmlm.summaries.variance_components import covariance_draws

Array = NDArray[np.float64]

SHOWN = 3000
"""Rows of data drawn behind the lines at most; of more, evenly spaced ones are."""


def spaghetti(
    result: FitResult,
    group: str,
    x: str | None = None,
    draws: int = 100,
    seed: int | None = None,
    *,
    backend: str = "matplotlib",
) -> Picture:
    """Draw the lines of groups drawn from the population, over the data.

    Each line is of one posterior draw: its fixed effects, and effects u ~ N(0, T) from its
    covariance matrix; group-level and other predictors stand at their means.

    Parameters
    ----------
    result
        The fit.
    group
        The grouping.
    x
        The predictor, by its column in the design; None takes the first whose slope varies.
    draws
        Number of lines.
    seed
        Same seed, same lines; None takes the fit's.
    backend
        ``"matplotlib"``, ``"plotly"`` or ``"bokeh"``.
    """
    found = group_coefficients(result, group)
    design = result.design
    chosen = abscissa(design, found, x)
    grid = np.linspace(chosen.values.min(), chosen.values.max(), POINTS)
    inverse = design.family.link.inverse
    b, slopes = population_draws(result, found, chosen)
    u, at = new_effects(result, found, draws, result.seed if seed is None else seed)
    drawn = slope_of(u, np.zeros(len(u)), chosen)
    eta = line(found, chosen, b[at] + u, slopes[at] + drawn, grid)
    picture, (panel,) = canvas(1, (6.8, 5.2), backend=backend)
    some = np.linspace(0, len(design.y) - 1, min(SHOWN, len(design.y))).astype(int)
    panel.points(chosen.values[some], observed(design)[some], size=2.2, color=PALE)
    panel.segments(np.tile(grid, (len(eta), 1)), inverse(eta), color=BLUE, width=0.7, alpha=0.35)
    middle = inverse(line(found, chosen, b, slopes, grid))
    if len(middle) > 1:
        tail = (1 - PROBABILITY) / 2
        low, high = np.quantile(middle, [tail, 1 - tail], axis=0)
        panel.band(grid, low, high, color=INK, alpha=0.25)
    panel.line(grid, middle.mean(axis=0), color=INK, width=2.0)
    panel.label(
        f"{len(eta)} new groups ({found.block.name}) drawn from the fitted population",
        chosen.name,
        outcome_label(design),
    )
    key(picture, [("a new group", BLUE), ("mean of the population", INK), ("data", PALE)])
    return picture


def population_draws(
    result: FitResult, found: GroupCoefficients, chosen: Abscissa
) -> tuple[Array, Array]:
    """Return draws of the coefficients of an average group, (S, q), and of the slope of x, (S,)."""
    S = len(covariance_draws(result, found.block))
    beta = np.empty((S, 0))
    if result.design.coef:
        beta = flatten(result.posterior[names.BETA])[0]
    b = beta @ np.nanmean(found.weights, axis=0).T
    own = beta[:, chosen.fixed] if chosen.fixed is not None else np.zeros(S)
    return b, slope_of(b, own, chosen)


def slope_of(b: Array, own: Array, chosen: Abscissa) -> Array:
    """Return the slopes of x among coefficients of shape (S, q), or its own where it has them."""
    return b[:, chosen.effect] if chosen.effect is not None else own


def new_effects(
    result: FitResult, found: GroupCoefficients, draws: int, seed: int
) -> tuple[Array, NDArray[np.int64]]:
    """Return effects of new groups, shape (draws, q), and the posterior draw behind each.

    Raises
    ------
    StatisticError
        Of mass points, of which a new group has one and not a value between them.
    """
    block = found.block
    if block.distribution == "points":
        raise StatisticError(
            message(
                f"new groups of {block.name}, whose effects are mass points",
                "normal and Student-t effects",
                "draw fit.plot.lines()",
            )
        )
    T = covariance_draws(result, found.block)
    at = np.linspace(0, len(T) - 1, draws).astype(int)
    values, vectors = np.linalg.eigh(T[at])
    root = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(draws, T.shape[1]))
    if block.distribution == "student":
        nu = flatten(result.posterior[names.nu(block.name)])[0][at, 0]
        noise *= np.sqrt((nu - 2) / rng.chisquare(nu))[:, None]
    return np.einsum("sab,sb->sa", root, noise), at


def line(found: GroupCoefficients, chosen: Abscissa, b: Array, slopes: Array, grid: Array) -> Array:
    """Return linear predictors along x, shape (S, points), other predictors at their means."""
    at_means = b @ found.block.Z.mean(axis=0) + found.rest.mean()
    return np.asarray(at_means[:, None] + slopes[:, None] * (grid - chosen.values.mean()))
