"""Estimates and intervals of several engines, parameter by parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmlm.plots.canvas import BLUE, RUST, Panel, Picture, canvas, key

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = 3
"""Parameters side by side."""


def engine_intervals(
    frame: pd.DataFrame,
    reference: str | None,
    probability: float,
    *,
    backend: str = "matplotlib",
) -> Picture:
    """Draw one panel a parameter, one line an engine.

    Parameters
    ----------
    frame
        Index (part, parameter, engine), columns ``estimate``, ``lower`` and ``upper``.
    reference
        The engine whose interval is a band behind the others.
    probability
        Of the intervals, for the key.
    backend
        ``"matplotlib"``, ``"plotly"`` or ``"bokeh"``.
    """
    engines = list(dict.fromkeys(frame.index.get_level_values("engine")))
    by_parameter = list(frame.groupby(level=["part", "parameter"], sort=False))
    columns = min(COLUMNS, len(by_parameter))
    rows = -(-len(by_parameter) // columns)
    size = (3.4 * columns + 1.2, rows * (0.24 * len(engines) + 0.85) + 0.6)
    picture, panels = canvas(len(by_parameter), size, columns, backend, sharey=True)
    for panel, ((_, parameter), own) in zip(panels, by_parameter, strict=True):
        draw_parameter(panel, own.droplevel(["part", "parameter"]), engines, reference)
        panel.label(shortened(str(parameter)))
    entries = [(f"estimate and {100 * probability:g} % interval", BLUE)]
    key(picture, [*entries, (f"{reference}, and its band", RUST)] if reference else entries)
    return picture


def draw_parameter(
    panel: Panel, rows: pd.DataFrame, engines: list[str], reference: str | None
) -> None:
    """Draw one parameter, the first engine on top."""
    top = len(engines) - 1
    for engine, row in rows.iterrows():
        at, bounds = top - engines.index(str(engine)), [row["lower"], row["upper"]]
        colour = RUST if engine == reference else BLUE
        if np.isfinite(bounds[0]):
            panel.line(bounds, [at, at], color=colour, width=1.3)
            if engine == reference:
                panel.band(bounds, [-0.5] * 2, [top + 0.5] * 2, color=RUST, alpha=0.1)
                panel.vertical(row["estimate"], color=RUST, width=0.8, alpha=0.5)
        panel.points([row["estimate"]], [at], size=4, color=colour)
    panel.ticks("y", range(top, -1, -1), [shortened(engine) for engine in engines])
    panel.limits("y", -0.5, top + 0.5)


def shortened(label: str, width: int = 44) -> str:
    """Return a label of at most `width` characters."""
    return label if len(label) <= width else f"{label[: width - 1]}…"
