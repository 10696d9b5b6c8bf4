"""The bar plot of Rights & Sterba (2019): where the outcome variance comes from.

One bar for the total and one for each level, divided into the shares of fixed predictors,
slopes that vary, intercepts that vary, and the residual; see
`bayesmlm.summaries.r2_rights_sterba`.

References
----------
Rights & Sterba (2019), doi:10.1037/met0000184, figure 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesmlm.errors import StatisticError
from bayesmlm.plots.canvas import Panel, Picture, canvas, key
from bayesmlm.result import FitResult
from bayesmlm.summaries.r2_rights_sterba import TOTAL, r2_rights_sterba
from bayesmlm.summaries.variance_components import RESIDUAL

if TYPE_CHECKING:
    import pandas as pd

FIXED = ("#2b6a99", "#7fb2d6", "#bcd7ea", "#dfecf5")
SLOPES = ("#c1440e", "#e58a5f", "#f4c3a8")
INTERCEPTS = ("#b08900", "#dcc04e", "#efe1a3")
LEFT_OVER = "#c9d0d6"
"""Colours: of fixed parts by level, of slopes and of intercepts by grouping, of the rest."""

WIDE, READABLE = 0.36, 0.035
"""Half of a bar's width; the share from which its number stands in it."""


def rights_sterba(
    result: FitResult, by_level: bool | None = None, *, backend: str = "matplotlib"
) -> Picture:
    """Draw the shares of the outcome variance, at their posterior means.

    Parameters
    ----------
    result
        The fit.
    by_level
        True draws the levels' own shares beside those of the total, False the total alone;
        None by level where the predictors allow it, and says so in the title where not.
    backend
        ``"matplotlib"``, ``"plotly"`` or ``"bokeh"``.

    Raises
    ------
    StatisticError
        Where the decomposition is not defined.
    """
    frame, why = shares(result, by_level)
    bars = list(dict.fromkeys(of for of, _ in frame.index))
    colours = colours_of([str(source) for of, source in frame.index if of == TOTAL])
    picture, panels = canvas(1, (3.4 + 1.7 * len(bars), 5.2), backend=backend)
    for at, of in enumerate(bars):
        draw(panels[0], at, of, frame.loc[of, "mean"], colours)
    panels[0].ticks("x", range(len(bars)), bars)
    panels[0].limits("x", -0.6, len(bars) - 0.4)
    panels[0].limits("y", 0.0, 1.0)
    panels[0].label("Shares of the variance (Rights & Sterba)" + why, "", "share")
    key(picture, list(colours.items()))
    return picture


def shares(result: FitResult, by_level: bool | None) -> tuple[pd.DataFrame, str]:
    """Return the shares, and why they are of the total alone where nobody asked for that."""
    if by_level is not None:
        return r2_rights_sterba(result, by_level=by_level), ""
    try:
        return r2_rights_sterba(result), ""
    except StatisticError as error:
        why = str(error).splitlines()[0]
    return r2_rights_sterba(result, by_level=False), f"\nno {why}"


def colours_of(sources: list[str]) -> dict[str, str]:
    """Return a colour for each source of the total, of one hue for one kind."""
    found: dict[str, str] = {}
    for prefix, hues in (("fixed", FIXED), ("slopes", SLOPES), ("intercepts", INTERCEPTS)):
        own = [source for source in sources if source.startswith(prefix)]
        found |= {source: hues[k % len(hues)] for k, source in enumerate(dict.fromkeys(own))}
    return found | {RESIDUAL: LEFT_OVER}


def draw(panel: Panel, at: int, of: str, parts: pd.Series[float], colours: dict[str, str]) -> None:
    """Draw one bar, from the bottom in the order of the colours."""
    shared = {source: f"{source}, {of}" for source in parts.index if f"{source}, {of}" in colours}
    named = {shared.get(source, source): float(value) for source, value in parts.items()}
    bottom = 0.0
    for source, colour in colours.items():
        if source not in named:
            continue
        top = bottom + named[source]
        panel.band([at - WIDE, at + WIDE], [bottom] * 2, [top] * 2, color=colour, alpha=1.0)
        if top - bottom >= READABLE:
            panel.text(at, (bottom + top) / 2, f"{top - bottom:.2f}")
        bottom = top
