"""Variance components: the SD of every effect, and the share of every grouping."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.errors import StatisticError, message
from bayesmlm.plots.canvas import BLUE, Panel, Picture, canvas
from bayesmlm.plots.units import unit
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import PROBABILITY, check_probability, flatten
from bayesmlm.summaries.variance_components import RESIDUAL, group_variances, level1_variance

Array = NDArray[np.float64]


def variance_components(
    result: FitResult, probability: float = PROBABILITY, *, backend: str = "matplotlib"
) -> Picture:
    """Draw SDs with their intervals, and the shares of the variance.

    Parameters
    ----------
    result
        The fit.
    probability
        Of the thin intervals; the thick ones hold 50 %.
    backend
        ``"matplotlib"``, ``"plotly"`` or ``"bokeh"``.

    Raises
    ------
    StatisticError
        For a model without variance components.
    """
    check_probability(probability)
    sds, shares = sd_draws(result), share_draws(result)
    if not sds:
        raise StatisticError(
            message(
                "variance components of a model without random effects or a residual SD",
                "models with one or the other",
                "draw fit.plot.prior_posterior()",
            )
        )
    rows = max(len(sds), len(shares))
    picture, panels = canvas(2 if shares else 1, (10.5, 0.42 * rows + 1.7), backend=backend)
    draw_rows(panels[0], sds, probability)
    intervals = f"posterior mean, 50 % and {100 * probability:g} % intervals"
    point = all(len(draws) == 1 for draws in sds.values())
    panels[0].label("Standard deviations", "estimates at the maximum" if point else intervals)
    panels[0].limits("x", 0.0, upper(sds, probability))
    if shares:
        draw_rows(panels[1], shares, probability)
        panels[1].label("Shares of the variance", "share, averaged over the rows of the data")
        panels[1].limits("x", 0.0, 1.0)
    return picture


def sd_draws(result: FitResult) -> dict[str, Array]:
    """Return draws of every SD by its label, shape (S,)."""
    design = result.design
    found: dict[str, Array] = {}
    for block in design.random:
        draws = flatten(result.posterior[names.sd(block.name)])[0]
        for effect, values in zip(block.effects, draws.T, strict=True):
            found[f"{block.name}: {effect}\n({unit(design, effect)})"] = values
    if design.estimates_scale:
        values = flatten(result.posterior[names.SIGMA])[0][:, 0]
        found[f"{RESIDUAL}\n({unit(design, names.INTERCEPT)})"] = values
    return found


def share_draws(result: FitResult) -> dict[str, Array]:
    """Return draws of every grouping's share, none where there is no level-1 variance."""
    if not result.design.random:
        return {}
    try:
        level1 = level1_variance(result)
    except StatisticError:
        return {}
    groups = group_variances(result)
    total = sum(groups.values(), level1)
    label = RESIDUAL if result.design.estimates_scale else "level 1 (latent)"
    return {name: values / total for name, values in groups.items()} | {label: level1 / total}


def upper(rows: dict[str, Array], probability: float) -> float:
    """Return the end of the axis that holds every interval."""
    tail = 1 - (1 - probability) / 2
    return 1.08 * max(float(np.quantile(draws, tail)) for draws in rows.values())


def draw_rows(panel: Panel, rows: dict[str, Array], probability: float) -> None:
    """Draw a mean and two intervals a row, the first on top."""
    for at, draws in enumerate(reversed(rows.values())):
        if len(draws) > 1:
            for inside, width in ((probability, 1.2), (0.5, 4.0)):
                tail = (1 - inside) / 2
                panel.line(np.quantile(draws, [tail, 1 - tail]), [at, at], color=BLUE, width=width)
        panel.points([draws.mean()], [at], size=6, color=BLUE)
    panel.ticks("y", range(len(rows)), list(reversed(rows)))
    panel.limits("y", -0.6, len(rows) - 0.4)
