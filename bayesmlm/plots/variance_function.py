"""Variance between groups, and intraclass correlation, along a predictor whose slope varies.

With effects u_j ~ N(0, T) and z = (1, x), the variance between groups at x is
z' T z = tau_00 + 2 tau_01 x + tau_11 x² (Snijders & Bosker 2012, section 5.1.1), and two rows
of a group, both at x, correlate by it over it plus all other variance (Goldstein, Browne &
Rasbash 2002, doi:10.1207/S15328031US0104_02).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmlm.errors import StatisticError, message
from bayesmlm.plots.abscissa import abscissa
from bayesmlm.plots.canvas import BLUE, GREY, PALE, Panel, Picture, canvas, key
from bayesmlm.plots.coefficients import group_coefficients
from bayesmlm.plots.units import predictor_unit
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import PROBABILITY, check_probability
from bayesmlm.summaries.variance_components import (
    covariance_draws,
    group_variances,
    level1_variance,
)

Array = NDArray[np.float64]

POINTS = 80


def variance_function(
    result: FitResult,
    group: str,
    x: str | None = None,
    probability: float = PROBABILITY,
    *,
    backend: str = "matplotlib",
) -> Picture:
    """Draw the variance between groups and the intraclass correlation as functions of x.

    Parameters
    ----------
    result
        The fit.
    group
        The grouping.
    x
        The effect whose column is the axis; None takes the first slope that varies.
    probability
        Of the bands.
    backend
        ``"matplotlib"``, ``"plotly"`` or ``"bokeh"``.

    Raises
    ------
    StatisticError
        Without a slope that varies over the grouping, or without a level-1 variance.

    Notes
    -----
    Other effects of the grouping stand at the means of their columns, other groupings at
    their variances averaged over the rows.
    """
    check_probability(probability)
    found = group_coefficients(result, group)
    block = found.block
    chosen = abscissa(result.design, found, x)
    if chosen.effect is None:
        raise StatisticError(
            message(
                f"the variance between groups of {block.name!r} along {chosen.name!r}, "
                "whose slope does not vary",
                "effects that vary over the grouping",
                f"add ({chosen.name} | {block.name}); fit.icc() is constant in x here",
            )
        )
    grid = np.linspace(chosen.values.min(), chosen.values.max(), POINTS)
    Z = np.tile(block.Z.mean(axis=0), (POINTS, 1))
    Z[:, chosen.effect] = grid
    T = covariance_draws(result, block)
    between = np.einsum("na,sab,nb->sn", Z, T, Z)
    level1 = level1_variance(result)
    others = [v for name, v in group_variances(result).items() if name != block.name]
    rest = sum(others, level1)
    unit = predictor_unit(result.design)
    picture, panels = canvas(2, (10, 4.2), backend=backend)
    curve(panels[0], grid, np.tile(level1[:, None], POINTS), probability, GREY)
    curve(panels[0], grid, between, probability, BLUE)
    panels[0].label(f"Variance between groups: {block.name}", chosen.name, f"variance ({unit}²)")
    curve(panels[1], grid, between / (between + rest[:, None]), probability, BLUE)
    panels[1].label(
        "Intraclass correlation", chosen.name, f"correlation of two rows of one {block.name}"
    )
    for panel in panels:
        rug(panel, chosen.values)
    top = np.quantile(np.hstack([between, level1[:, None]]), 1 - (1 - probability) / 2, axis=0)
    panels[0].limits("y", 0.0, 1.06 * float(top.max()))
    panels[1].limits("y", 0.0, 1.0)
    key(
        picture,
        [
            (f"between groups ({block.name})", BLUE),
            ("within groups (level 1)", GREY),
            ("90 % of the rows lie inside", PALE),
        ],
    )
    return picture


def curve(panel: Panel, grid: Array, draws: Array, probability: float, colour: str) -> None:
    """Draw the mean and the band of curves of shape (S, points)."""
    if len(draws) > 1:
        tail = (1 - probability) / 2
        panel.band(grid, *np.quantile(draws, [tail, 1 - tail], axis=0), color=colour)
    panel.line(grid, draws.mean(axis=0), color=colour, width=1.8)


def rug(panel: Panel, values: Array) -> None:
    """Mark where the middle 90 % of the rows lie."""
    for bound in np.quantile(values, [0.05, 0.95]):
        panel.vertical(float(bound), color=PALE, width=1.0)
