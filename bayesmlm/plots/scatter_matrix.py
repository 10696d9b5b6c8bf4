"""Scatter matrix of a grouping's effects, with the ellipses of their estimated covariance."""

from __future__ import annotations

import numpy as np

from bayesmlm.errors import StatisticError, message
from bayesmlm.plots.canvas import BLUE, GREY, RUST, Panel, Picture, canvas, key
from bayesmlm.plots.coefficients import effect_means
from bayesmlm.plots.shrinkage import ELLIPSES, ellipse
from bayesmlm.plots.units import unit
from bayesmlm.result import FitResult
from bayesmlm.summaries.variance_components import covariance_draws


def scatter_matrix(result: FitResult, group: str, *, backend: str = "matplotlib") -> Picture:
    """Draw the posterior means of every pair of effects, and of each its distribution.

    Parameters
    ----------
    result
        The fit.
    group
        The grouping, with two effects or more.
    backend
        ``"matplotlib"``, ``"plotly"`` or ``"bokeh"``.

    Raises
    ------
    StatisticError
        If the grouping has one effect.

    Notes
    -----
    Posterior means are shrunken: they spread less than the ellipses and the curves, which
    are of the population.
    """
    block = result.design.any_block(group)
    q = len(block.effects)
    if q == 1:
        raise StatisticError(
            message(
                f"a scatter matrix of one effect, {block.effects[0]}",
                "groupings with two effects or more",
                "draw fit.plot.qq() or fit.plot.caterpillar()",
            )
        )
    means = effect_means(result, block)
    T = covariance_draws(result, block).mean(axis=0)
    side = 2.7 if q > 2 else 3.4
    picture, panels = canvas(q * q, (side * q + 0.4, side * q + 0.4), q, backend)
    for place, panel in enumerate(panels):
        row, column = divmod(place, q)
        if row == column:
            distribution(panel, means[:, row], float(T[row, row]))
        else:
            pair = [column, row]
            for probability in ELLIPSES:
                outline = ellipse(np.zeros(2), T[np.ix_(pair, pair)], probability)
                panel.line(*outline.T, color=RUST, width=1.0, dashed=probability > ELLIPSES[0])
            panel.points(means[:, column], means[:, row], size=3.0, color=BLUE)
        name = block.effects[column]
        panel.label(
            "",
            f"{name}\n({unit(result.design, name)})" if row == q - 1 else "",
            "groups" if row == column else block.effects[row],
        )
    key(
        picture,
        [(f"posterior means by {block.name}", BLUE), ("population, 50 % and 95 %", RUST)],
    )
    return picture


def distribution(panel: Panel, means: np.ndarray, variance: float) -> None:
    """Draw the histogram of the means, and the population's normal curve on its scale."""
    counts, edges = np.histogram(means, bins="auto")
    x = np.repeat(edges, 2)[1:-1]
    panel.band(x, np.zeros(len(x)), np.repeat(counts, 2), color=GREY, alpha=0.6)
    if variance > 0:
        grid = np.linspace(-3, 3, 121) * np.sqrt(variance)
        density = np.exp(-(grid**2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
        panel.line(grid, density * len(means) * (edges[1] - edges[0]), color=RUST, width=1.4)
