"""Regression lines of groups, one panel a group: data, no pooling, partial pooling.

References
----------
Gelman & Hill (2007), Data Analysis Using Regression and Multilevel/Hierarchical Models,
figures 12.4 and 13.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design import Design
from bayesmlm.effects import positions
from bayesmlm.plots.abscissa import Abscissa, abscissa
from bayesmlm.plots.canvas import BLUE, GREY, INK, PALE, Panel, Picture, canvas, key
from bayesmlm.plots.coefficients import GroupCoefficients, fixed_means, group_coefficients
from bayesmlm.plots.units import predictor_unit
from bayesmlm.result import FitResult
from bayesmlm.summaries.rows import response_values

Array = NDArray[np.float64]

PANELS = 16
"""How many groups are shown where none are named."""

COLUMNS = 4
POINTS = 60


def lines(
    result: FitResult,
    group: str,
    x: str | None = None,
    groups: Sequence[Any] | None = None,
    *,
    backend: str = "matplotlib",
) -> Picture:
    """Draw the regression of each group on one predictor.

    Parameters
    ----------
    result
        The fit.
    group
        The grouping.
    x
        The predictor, by its column in the design; None takes the first whose slope varies.
    groups
        Labels of the groups to show. None shows all up to 16, and of more, 16 evenly spaced
        by their numbers of rows.
    backend
        ``"matplotlib"``, ``"plotly"`` or ``"bokeh"``.

    Raises
    ------
    StatisticError
        For an unknown predictor or group.

    Notes
    -----
    Lines are of posterior means, with every other predictor at the group's mean. Without
    pooling: least squares in the group, where its rows determine it (identity links only).
    """
    found = group_coefficients(result, group)
    design = result.design
    chosen = abscissa(design, found, x)
    shown = choose(found) if groups is None else positions(found.block, groups)
    rows = -(-len(shown) // COLUMNS)
    columns = min(COLUMNS, len(shown))
    picture, panels = canvas(
        len(shown),
        (2.5 * columns + 0.6, 2.1 * rows + 0.9),
        columns,
        backend,
        sharex=True,
        sharey=True,
    )
    beta = fixed_means(result)
    for place, (panel, j) in enumerate(zip(panels, shown, strict=True)):
        draw_group(panel, design, found, chosen, int(j), beta)
        at = found.block.grouping
        bottom, left = place >= len(shown) - columns, place % columns == 0
        panel.label(
            f"{at.name} {at.labels[j]} ({at.counts[j]})",
            chosen.name if bottom else "",
            outcome_label(design) if left else "",
        )
    entries = [("partial pooling", BLUE), ("population (dashed)", INK)]
    own = np.isfinite(found.separate[shown]).all(axis=1).any()
    key(picture, [("no pooling", GREY), *entries] if own else entries)
    return picture


def choose(found: GroupCoefficients) -> NDArray[np.int64]:
    """Return up to 16 groups, evenly spaced from the fewest rows to the most."""
    counts = found.block.grouping.counts
    order = np.argsort(counts, kind="stable")
    if len(order) <= PANELS:
        return np.arange(len(order))
    return np.asarray(order[np.linspace(0, len(order) - 1, PANELS).round().astype(int)])


def outcome_label(design: Design) -> str:
    """Return the label of the response, a proportion where there are trials."""
    column = design.spec.response.column
    if design.family.has_scale:
        return predictor_unit(design)
    return f"proportion of {column}" if "trials" in design.outcome.rows else column


def observed(design: Design) -> Array:
    """Return the response as it is drawn, a lognormal one's logarithm; shape (N,)."""
    trials = design.outcome.rows.get("trials")
    return response_values(design) if trials is None else design.y / trials


def draw_group(
    panel: Panel,
    design: Design,
    found: GroupCoefficients,
    chosen: Abscissa,
    j: int,
    beta: Array,
) -> None:
    """Draw one group's rows and lines."""
    rows = found.block.grouping.codes == j
    values = chosen.values[rows]
    low, high = np.quantile(chosen.values, [0.005, 0.995])
    grid = np.linspace(min(low, values.min()), max(high, values.max()), POINTS)
    panel.points(values, observed(design)[rows], size=3.2, color=PALE)
    curves = ((found.population, INK, True), (found.separate, GREY, False))
    for coefficients, colour, dashed in (*curves, (found.pooled, BLUE, False)):
        if np.isfinite(coefficients[j]).all():
            eta = line_of(found, chosen, rows, coefficients[j], beta, grid)
            mean = design.family.link.inverse(eta)
            panel.line(grid, mean, color=colour, dashed=dashed, width=1.0 if dashed else 1.5)


def line_of(
    found: GroupCoefficients,
    chosen: Abscissa,
    rows: NDArray[np.bool_],
    b: Array,
    beta: Array,
    grid: Array,
) -> Array:
    """Return a group's linear predictor along x, other predictors at the group's means."""
    at_means = float(found.block.Z[rows].mean(axis=0) @ b + found.rest[rows].mean())
    slope = b[chosen.effect] if chosen.effect is not None else beta[chosen.fixed or 0]
    return np.asarray(at_means + slope * (grid - chosen.values[rows].mean()))
