"""Power and precision of planned studies along the number of groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmlm import names
from bayesmlm.plots.canvas import BLUE, GREY, INK, RUST, Picture, canvas, key

if TYPE_CHECKING:
    import pandas as pd

COLOURS = (BLUE, RUST, "#4b8b3b", "#8a5a9e", "#b8860b", INK, GREY)
"""One a group size, again from the start where they run out."""

ENOUGH = 0.8
"""Power that a line marks."""


def study_curves(frame: pd.DataFrame, *, backend: str = "matplotlib") -> Picture:
    """Draw two panels a coefficient: power, and the mean width of the intervals.

    Parameters
    ----------
    frame
        Index (groups, size, parameter); the first column is the power or assurance, with its
        Monte Carlo error ``mcse``, and ``width``.
    backend
        ``"matplotlib"``, ``"plotly"`` or ``"bokeh"``.
    """
    measure = str(frame.columns[0])
    rows = frame[frame[measure].notna()]
    labels = [
        name
        for name in dict.fromkeys(rows.index.get_level_values("parameter"))
        if name != names.INTERCEPT
    ] or [names.INTERCEPT]
    sizes = sorted(set(rows.index.get_level_values("size")))
    count = len(labels)
    picture, panels = canvas(2 * count, (4.4 * count, 6.6), count, backend=backend)
    for k, label in enumerate(labels):
        own = rows.xs(label, level="parameter")
        above, below = panels[k], panels[count + k]
        for number, size in enumerate(sizes):
            colour = COLOURS[number % len(COLOURS)]
            line = own.xs(size, level="size").sort_index()
            at = line.index.to_numpy(dtype=float)
            value, error = line[measure].to_numpy(), line["mcse"].to_numpy()
            above.band(at, value - 2 * error, value + 2 * error, color=colour, alpha=0.15)
            for panel, column in ((above, measure), (below, "width")):
                panel.line(at, line[column], color=colour)
                panel.points(at, line[column], size=4, color=colour)
        above.horizontal(ENOUGH, color=GREY, width=0.8)
        above.limits("y", -0.02, 1.02)
        above.label(label, "groups", f"{measure} (± 2 MCSE)")
        below.limits("y", 0.0, 1.08 * float(np.nanmax(own["width"])))
        below.label("", "groups", "mean width of the interval")
    entries = [(f"{size} a group", COLOURS[k % len(COLOURS)]) for k, size in enumerate(sizes)]
    key(picture, entries)
    return picture
