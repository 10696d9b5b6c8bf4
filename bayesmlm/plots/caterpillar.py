"""Caterpillar plot: the effects of all groups in order, with their intervals.

References
----------
Goldstein & Healy (1995), Journal of the Royal Statistical Society A 158, 175–177,
doi:10.2307/2983411: intervals of 1.39 standard errors, of which two do not overlap where two
groups of equal precision differ at the 5 % level.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmlm.plots.canvas import GREY, INK, RUST, Panel, Picture, canvas, thinned
from bayesmlm.plots.units import unit
from bayesmlm.result import FitResult
from bayesmlm.summaries import ranef
from bayesmlm.summaries.draws import PROBABILITY

if TYPE_CHECKING:
    import pandas as pd

LABELLED = 45
"""Up to how many groups each group is labelled; of more, evenly spaced ones are."""

PAIRWISE = 1.39
"""Half width in SDs of an interval for comparing two groups."""


def caterpillar(
    result: FitResult,
    group: str,
    effect: str | None = None,
    probability: float = PROBABILITY,
    *,
    pairwise: bool = False,
    backend: str = "matplotlib",
) -> Picture:
    """Draw the deviations of every group, ordered by their posterior means.

    Parameters
    ----------
    result
        The fit.
    group
        The grouping.
    effect
        One of its effects; None draws all, side by side.
    probability
        Of the intervals.
    pairwise
        Whether to draw mean ± 1.39 SD instead: two groups whose intervals do not overlap
        differ at about the 5 % level. Intervals of 95 % are for comparison with zero.
    backend
        ``"matplotlib"``, ``"plotly"`` or ``"bokeh"``.
    """
    block = result.design.any_block(group)
    frame = ranef(result, group, probability)
    effects = list(block.effects) if effect is None else [block.effect(effect)]
    count = block.grouping.size
    height = float(np.clip(0.19 * count + 1.4, 2.5, 10.5))
    picture, panels = canvas(len(effects), (4.8 * len(effects) + 0.4, height), backend=backend)
    for panel, name in zip(panels, effects, strict=True):
        rows = frame.loc[frame.index.get_level_values("effect") == name].droplevel("effect")
        rows = bounded(rows.sort_values("mean"), pairwise)
        draw_effect(panel, rows, pairwise)
        what = f"deviation of {name}, {described(rows, probability, pairwise)}"
        label = f"{what}\n({unit(result.design, name)})"
        panel.label(heading(rows, name, group, pairwise), label, group)
    return picture


def bounded(rows: pd.DataFrame, pairwise: bool) -> pd.DataFrame:
    """Return the rows, their bounds for comparing pairs where that is asked."""
    if not pairwise:
        return rows
    half = PAIRWISE * rows["sd"]
    return rows.assign(lower=rows["mean"] - half, upper=rows["mean"] + half)


def described(rows: pd.DataFrame, probability: float, pairwise: bool) -> str:
    """Return what the intervals are; a maximum has none."""
    if rows["lower"].isna().all():
        return "estimates at the maximum"
    return f"± {PAIRWISE} SD" if pairwise else f"with {100 * probability:g} % intervals"


def apart_from_zero(rows: pd.DataFrame) -> np.ndarray:
    """Return whether each interval excludes zero, shape (J,)."""
    return ((rows["lower"] > 0) | (rows["upper"] < 0)).to_numpy()


def heading(rows: pd.DataFrame, effect: str, group: str, pairwise: bool) -> str:
    """Return the title: how many of the intervals exclude zero, or what overlap means."""
    if rows["lower"].isna().all():
        return f"{effect} by {group}"
    if pairwise:
        return f"{effect} by {group}: groups whose intervals\ndo not overlap differ (5 %)"
    return f"{effect} by {group}: {apart_from_zero(rows).sum()} of {len(rows)} intervals exclude 0"


def draw_effect(panel: Panel, rows: pd.DataFrame, pairwise: bool) -> None:
    """Draw one effect on a panel."""
    position = np.arange(len(rows))
    apart = apart_from_zero(rows) & (not pairwise)  # zero is of no account between pairs
    size = 4.0 if len(rows) <= LABELLED else 2.6
    panel.vertical(0.0, color=INK, width=0.8)
    for mask, colour in ((~apart, GREY), (apart, RUST)):
        if not mask.any():
            continue
        chosen, at = rows[mask], position[mask]
        if chosen["lower"].notna().all():
            bounds = chosen[["lower", "upper"]].to_numpy()
            panel.segments(bounds, np.column_stack([at, at]), color=colour, width=1.0)
        panel.points(chosen["mean"], at, size=size, color=colour)
    places = thinned(len(rows), LABELLED)
    panel.ticks("y", places, [str(rows.index[k]) for k in places])
    panel.limits("y", -1.0, float(len(rows)))
