"""Variance between groups, and intraclass correlation, along a predictor whose slope varies.

With effects u_j ~ N(0, T) and z = (1, x), the variance between groups at x is
z' T z = tau_00 + 2 tau_01 x + tau_11 x² (Snijders & Bosker 2012, section 5.1.1), and two rows
of a group, both at x, correlate by it over it plus all other variance (Goldstein, Browne &
Rasbash 2002, doi:10.1207/S15328031US0104_02).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design import RandomBlock
from bayesmlm.errors import StatisticError, message
from bayesmlm.plots.abscissa import Abscissa, abscissa
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


@dataclass(frozen=True)
class Curves:
    """Draws of variances along a predictor.

    Parameters
    ----------
    grid
        Its values, shape (POINTS,).
    between
        Variance between groups there, shape (S, POINTS).
    level1, rest
        Variance of level 1, and of all but the grouping, shape (S,).
    """

    grid: Array
    between: Array
    level1: Array
    rest: Array

    @property
    def correlation(self) -> Array:
        """The intraclass correlation, shape (S, POINTS)."""
        return self.between / (self.between + self.rest[:, None])


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
    coefficients = group_coefficients(result, group)
    block = coefficients.block
    chosen = abscissa(result.design, coefficients, x)
    if chosen.effect is None:
        raise StatisticError(
            message(
                f"the variance between groups of {block.name!r} along {chosen.name!r}, "
                "whose slope does not vary",
                "effects that vary over the grouping",
                f"add ({chosen.name.partition('[')[0]} | {block.name}); "
                "fit.icc() is constant in x here",
            )
        )
    found = curves(result, block, chosen)
    picture, panels = canvas(2, (10, 4.2), backend=backend)
    draw(panels, found, (block.name, chosen.name, predictor_unit(result.design)), probability)
    for panel in panels:
        rug(panel, chosen.values)
    key(
        picture,
        [
            (f"between groups ({block.name})", BLUE),
            ("within groups (level 1)", GREY),
            ("90 % of the rows lie inside", PALE),
        ],
    )
    return picture


def draw(
    panels: list[Panel], found: Curves, names: tuple[str, str, str], probability: float
) -> None:
    """Draw variances and correlation; `names` are of the grouping, the predictor, the unit."""
    group, x, unit = names
    level1 = np.tile(found.level1[:, None], POINTS)
    curve(panels[0], found.grid, level1, probability, GREY)
    curve(panels[0], found.grid, found.between, probability, BLUE)
    panels[0].label(f"Variance between groups: {group}", x, f"variance ({unit}²)")
    curve(panels[1], found.grid, found.correlation, probability, BLUE)
    panels[1].label("Intraclass correlation", x, f"correlation of two rows of one {group}")
    top = np.quantile(np.hstack([found.between, level1]), 1 - (1 - probability) / 2, axis=0)
    panels[0].limits("y", 0.0, 1.06 * float(top.max()))
    panels[1].limits("y", 0.0, 1.0)


def curves(result: FitResult, block: RandomBlock, chosen: Abscissa) -> Curves:
    """Return the variances between groups, and of level 1, along a predictor."""
    grid = np.linspace(chosen.values.min(), chosen.values.max(), POINTS)
    Z = np.tile(block.Z.mean(axis=0), (POINTS, 1))
    Z[:, chosen.effect] = grid
    between = np.einsum("na,sab,nb->sn", Z, covariance_draws(result, block), Z)
    level1 = level1_variance(result)
    others = [v for name, v in group_variances(result).items() if name != block.name]
    return Curves(grid, between, level1, sum(others, level1))


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
