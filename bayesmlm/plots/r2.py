"""R² bars: explained variance by every definition that the fit has, side by side.

The definitions and their sources are those of `bayesmlm.summaries.r2`; the decomposition of
Rights & Sterba has a picture of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from bayesmlm.errors import StatisticError, message
from bayesmlm.plots.canvas import BLUE, GREY, INK, Panel, Picture, canvas, key
from bayesmlm.result import FitResult
from bayesmlm.summaries import r2 as explained
from bayesmlm.summaries.draws import PROBABILITY, check_probability
from bayesmlm.summaries.r2 import DEFINITIONS

KINDS = tuple(kind for kind in DEFINITIONS if kind != "rights-sterba")

HALF = 0.32
"""Half of a bar's width; rows are one apart."""


@dataclass(frozen=True)
class Bar:
    """One R².

    Parameters
    ----------
    label
        What it is called.
    value, lower, upper
        Posterior mean and interval; without draws the bounds are NaN. The value is NaN where
        the definition does not apply.
    """

    label: str
    value: float = float("nan")
    lower: float = float("nan")
    upper: float = float("nan")

    @property
    def is_defined(self) -> bool:
        """Whether there is anything to draw."""
        return self.value == self.value


def r2(
    result: FitResult, probability: float = PROBABILITY, *, backend: str = "matplotlib"
) -> Picture:
    """Draw explained variance by each definition, with intervals.

    Parameters
    ----------
    result
        The fit.
    probability
        Of the intervals.
    backend
        ``"matplotlib"``, ``"plotly"`` or ``"bokeh"``.

    Raises
    ------
    StatisticError
        If no definition applies; one that does not is said not to be defined in its row.
    """
    check_probability(probability)
    found = [bar for kind in KINDS for bar in bars(result, kind, probability)]
    if not any(bar.is_defined for bar in found):
        raise StatisticError(
            message(
                "R² bars of a fit to which no definition of R² applies",
                ", ".join(map(repr, KINDS)),
                "fit.r2(kind) says why for each",
            )
        )
    picture, panels = canvas(1, (8.5, 0.42 * len(found) + 1.6), backend=backend)
    draw(panels[0], found)
    drawn = any(bar.lower == bar.lower for bar in found)
    how = f"posterior mean and {100 * probability:g} % interval" if drawn else "at the maximum"
    panels[0].label("Explained variance", f"R², {how}")
    key(picture, [("R²", BLUE), *([("interval", INK)] if drawn else [])])
    return picture


def bars(result: FitResult, kind: str, probability: float) -> list[Bar]:
    """Return the bars of one definition; one without a value where it is not defined."""
    title = DEFINITIONS[kind][0].removeprefix("R² ").removesuffix("by level (Gelman & Pardoe)")
    title = title.strip("()") or "Gelman & Pardoe"
    try:
        frame = explained(result, kind, probability)
    except StatisticError:
        return [Bar(f"{title}: not defined here")]
    value = "R²" if "R²" in frame else "mean"
    names = [
        " ".join(filter(None, map(str, at if isinstance(at, tuple) else (at,))))
        for at in frame.index
    ]
    numbers = frame[[value, "lower", "upper"]].to_numpy(dtype=float)
    return [Bar(f"{title}: {name}", *row) for name, row in zip(names, numbers, strict=True)]


def draw(panel: Panel, found: list[Bar]) -> None:
    """Draw a bar a row, the first on top."""
    places = range(len(found) - 1, -1, -1)
    for at, bar in zip(places, found, strict=True):
        if not bar.is_defined:
            continue
        panel.band([0.0, bar.value], [at - HALF] * 2, [at + HALF] * 2, color=BLUE, alpha=0.75)
        if bar.lower == bar.lower:
            panel.line([bar.lower, bar.upper], [at, at], color=INK, width=1.5)
    panel.vertical(0.0, color=GREY, width=0.8)
    panel.ticks("y", places, [bar.label for bar in found])
    panel.limits("y", -0.6, len(found) - 0.4)
    lowest = min(min(bar.value, bar.lower) for bar in found if bar.is_defined)
    panel.limits("x", min(0.0, 1.05 * lowest) if lowest == lowest else 0.0, 1.0)
