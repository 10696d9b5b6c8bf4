"""Caterpillar plot: the effects of all groups in order, with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmlm.result import FitResult
from bayesmlm.summaries import ranef
from bayesmlm.summaries.draws import PROBABILITY

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LABELLED = 40
"""Up to how many groups each group is labelled."""

APART, NEAR = "#c1440e", "#7a8b99"
"""Colours of intervals that exclude and that include zero."""


def caterpillar(
    result: FitResult, group: str, effect: str | None = None, probability: float = PROBABILITY
) -> Figure:
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

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    block = result.design.block(group)
    frame = ranef(result, group, probability)
    effects = list(block.effects) if effect is None else [block.effect(effect)]
    labelled = block.grouping.size <= LABELLED
    height = 0.22 * block.grouping.size + 1.5 if labelled else 5.5
    figure = Figure(figsize=(5.2 * len(effects), height), layout="constrained")
    for axis, name in zip(np.atleast_1d(figure.subplots(1, len(effects))), effects, strict=True):
        rows = frame.loc[frame.index.get_level_values("effect") == name]
        rows = rows.droplevel("effect").sort_values("mean")
        draw_effect(axis, rows, name, group, labelled, probability)
    return figure


def draw_effect(
    axis: Any, rows: Any, effect: str, group: str, labelled: bool, probability: float
) -> None:
    """Draw one effect on an axis."""
    position = np.arange(len(rows))
    apart = (rows["lower"] > 0) | (rows["upper"] < 0)
    for mask, colour in ((~apart, NEAR), (apart, APART)):
        chosen = rows[mask]
        at = position[mask.to_numpy()]
        bounds = np.abs(chosen[["lower", "upper"]].to_numpy() - chosen[["mean"]].to_numpy()).T
        axis.errorbar(
            chosen["mean"], at, xerr=bounds, fmt="o", markersize=3, linewidth=0.9, color=colour
        )
    axis.axvline(0, color="black", linewidth=0.8)
    if labelled:
        axis.set_yticks(position, [str(label) for label in rows.index])
    else:
        axis.set_yticks([])
    axis.set_ylabel(f"{group} ({len(rows)} groups, in order)")
    axis.set_xlabel(f"deviation of {effect}, with {100 * probability:g} % intervals")
    axis.set_title(
        f"{effect} by {group}: {int(apart.sum())} of {len(rows)} intervals exclude 0", fontsize=10
    )
    axis.margins(y=0.02)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
