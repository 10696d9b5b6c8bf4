"""Estimates and intervals of several engines, parameter by parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

COLUMNS = 3
"""Parameters side by side."""

POINT, REFERENCE = "#34536b", "#c1440e"
"""Colours of the engines, and of the one that is the reference."""


def engine_intervals(frame: pd.DataFrame, reference: str | None, probability: float) -> Figure:
    """Draw one panel a parameter, one line an engine.

    Parameters
    ----------
    frame
        Index (part, parameter, engine), columns ``estimate``, ``lower`` and ``upper``.
    reference
        The engine whose interval is a band behind the others.
    probability
        Of the intervals, for the title.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    engines = list(dict.fromkeys(frame.index.get_level_values("engine")))
    by_parameter = list(frame.groupby(level=["part", "parameter"], sort=False))
    columns = min(COLUMNS, len(by_parameter))
    rows = -(-len(by_parameter) // columns)
    size = (3.4 * columns + 1.2, rows * (0.24 * len(engines) + 0.85) + 0.6)
    figure = Figure(figsize=size, layout="constrained")
    axes = np.atleast_1d(figure.subplots(rows, columns, sharey=True)).ravel()
    for axis, ((_, parameter), own) in zip(axes, by_parameter, strict=False):
        draw_parameter(axis, own.droplevel(["part", "parameter"]), engines, reference)
        axis.set_title(shortened(str(parameter)), fontsize=9, loc="left")
    for axis in axes[len(by_parameter) :]:
        axis.set_axis_off()
    axes[0].set_ylim(len(engines) - 0.5, -0.5)
    band = f"; the band is that of {reference}" if reference else ""
    title = f"Estimates with {100 * probability:g} % intervals{band}"
    figure.suptitle(title, fontsize=10, x=0.01, ha="left")
    return figure


def draw_parameter(axis: Any, rows: pd.DataFrame, engines: list[str], reference: Any) -> None:
    """Draw one parameter on an axis."""
    if reference in rows.index and np.isfinite(rows.loc[reference, "lower"]):
        low, high = rows.loc[reference, ["lower", "upper"]]
        axis.axvspan(low, high, color=REFERENCE, alpha=0.1, linewidth=0)
        axis.axvline(rows.loc[reference, "estimate"], color=REFERENCE, alpha=0.5, linewidth=0.8)
    for engine, row in rows.iterrows():
        at, colour = engines.index(str(engine)), REFERENCE if engine == reference else POINT
        if np.isfinite(row["lower"]):
            axis.plot([row["lower"], row["upper"]], [at, at], color=colour, linewidth=1.3)
        axis.plot(row["estimate"], at, "o", color=colour, markersize=4)
    axis.set_yticks(np.arange(len(engines)), [shortened(engine) for engine in engines])
    axis.tick_params(labelsize=8)
    axis.locator_params(axis="x", nbins=5)
    axis.margins(x=0.06)
    axis.grid(axis="x", linewidth=0.4, alpha=0.4)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def shortened(label: str, width: int = 44) -> str:
    """Return a label of at most `width` characters."""
    return label if len(label) <= width else f"{label[: width - 1]}…"
