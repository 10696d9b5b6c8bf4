"""Within and between: one predictor inside groups and between their means.

References
----------
Raudenbush & Bryk (2002), Hierarchical Linear Models, 2nd ed., section 5.6; Snijders & Bosker
(2012), Multilevel Analysis, 2nd ed., section 4.6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import Design, RandomBlock
from bayesmlm.design.grouping import Grouping, constant_within
from bayesmlm.errors import StatisticError, message
from bayesmlm.plots.canvas import BLUE, INK, PALE, Panel, Picture, canvas, key
from bayesmlm.plots.lines import observed, outcome_label
from bayesmlm.result import FitResult
from bayesmlm.spec.latent_means import arguments
from bayesmlm.summaries.draws import PROBABILITY, flatten

Array = NDArray[np.float64]

SHOWN = 4000
POINTS = 50


@dataclass(frozen=True)
class Sides:
    """A predictor inside groups and between them.

    Parameters
    ----------
    inside, between
        The fixed columns that carry it; the second None where one slope serves both.
    x
        The predictor inside groups, shape (N,).
    means
        The predictor of each group, shape (J,).
    adds
        Whether the coefficient of `between` adds to that of `inside` (a contextual effect).
    """

    inside: str
    between: str | None
    x: Array
    means: Array
    adds: bool


def within_between(
    result: FitResult,
    group: str,
    x: str | None = None,
    between: str | None = None,
    probability: float = PROBABILITY,
    *,
    backend: str = "matplotlib",
) -> Picture:
    """Draw the rows around their group means, and the group means, each with its slope.

    Parameters
    ----------
    result
        The fit.
    group
        The grouping.
    x
        The fixed column inside groups, such as ``"within(ses, school)"``; None takes the
        first that varies within groups.
    between
        The column of the group means, such as ``"between(ses, school)"`` or ``"meanses"``.
        None takes the first of the grouping's columns that is the mean of x, and where there
        is none, one slope serves within and between.
    probability
        Of the bands.
    backend
        ``"matplotlib"``, ``"plotly"`` or ``"bokeh"``.

    Raises
    ------
    StatisticError
        For a link other than the identity, or columns that the model does not have.

    Notes
    -----
    Lines go through the means of what is drawn; other predictors are not accounted for in
    the points. With x as it is beside its group mean, the slope between is the sum of both
    coefficients. Latent group means are drawn at their posterior means, which lie closer
    together than the observed ones.
    """
    design = result.design
    block = design.block(group)
    sides = both_sides(result, block, x, between)
    slopes = both_slopes(result, sides)
    picture, panels = canvas(2, (10, 4.8), backend=backend)
    draw_rows(panels[0], design, block, sides, slopes[0], probability)
    draw_means(panels[1], design, block, sides, slopes[1], probability)
    key(picture, [("slope of the model", BLUE), ("data", PALE)])
    return picture


def both_slopes(result: FitResult, sides: Sides) -> tuple[Array, Array]:
    """Return draws of the slopes within and between groups, each of shape (S,).

    Raises
    ------
    StatisticError
        For a link other than the identity.
    """
    design = result.design
    if design.family.link.name != "identity":
        raise StatisticError(
            message(
                f"means of groups with the {design.family.link.name} link",
                "identity links, whose means are on the scale of the coefficients",
                "draw fit.plot.lines()",
            )
        )
    beta = flatten(result.posterior[names.BETA])[0]
    inside = beta[:, design.coef.index(sides.inside)]
    if sides.between is None:
        return inside, inside
    return inside, beta[:, design.coef.index(sides.between)] + sides.adds * inside


def draw_rows(
    panel: Panel, design: Design, block: RandomBlock, sides: Sides, slope: Array, probability: float
) -> None:
    """Draw the rows as deviations from their groups' means."""
    y, grouping = observed(design), block.grouping
    x, y = (values - group_mean(values, grouping)[grouping.codes] for values in (sides.x, y))
    some = np.linspace(0, len(y) - 1, min(SHOWN, len(y))).astype(int)
    panel.points(x[some], y[some], size=2.0, color=PALE)
    slope_line(panel, x, 0.0, slope, probability)
    panel.label(
        f"Within {block.name}: slope {slope.mean():.3g}",
        sides.inside if not sides.adds else f"{sides.inside}, less its mean in the {block.name}",
        f"{outcome_label(design)}, less its mean in the {block.name}",
    )


def draw_means(
    panel: Panel, design: Design, block: RandomBlock, sides: Sides, slope: Array, probability: float
) -> None:
    """Draw the means of the groups."""
    y = group_mean(observed(design), block.grouping)
    panel.points(sides.means, y, size=4.0, color=PALE)
    slope_line(panel, sides.means, float(y.mean()), slope, probability)
    shown = sides.between or f"mean of {sides.inside} in the {block.name}"
    panel.label(
        f"Between {block.name}: slope {slope.mean():.3g}",
        f"{shown}, posterior means" if arguments(shown, "latent") else shown,
        f"mean of {outcome_label(design)} in the {block.name}",
    )


def both_sides(result: FitResult, block: RandomBlock, x: str | None, between: str | None) -> Sides:
    """Return the columns of a predictor within and between groups."""
    design, grouping = result.design, block.grouping
    constant = {
        name: constant_within(grouping, column)
        for name, column in zip(design.coef, design.X.T, strict=True)
    }
    inner = [name for name in design.coef if not constant[name]]
    outer = [name for name in design.coef if constant[name] and name != names.INTERCEPT]
    inside = known(x or next(iter(inner), None), inner, f"varies within {block.name}")
    column = design.X[:, design.coef.index(inside)]
    own = group_mean(column, grouping)
    centred = bool(np.allclose(own, 0, atol=1e-8 * (np.abs(column).max() + 1)))
    first = np.unique(grouping.codes, return_index=True)[1]
    values = {name: design.X[first, design.coef.index(name)] for name in outer}
    if between is None:
        base = inside.removeprefix("within(").partition(",")[0] if centred else inside
        wanted = (f"between({base}, {block.name})", f"latent({base}, {block.name})")
        same = [n for n in outer if n in wanted or (not centred and np.allclose(values[n], own))]
        between = next(iter(same), None)
    else:
        known(between, outer, f"is constant within {block.name}")
    if between is None and centred:
        raise StatisticError(
            message(
                f"{inside!r}, centred within {block.name}, without a column of its group means",
                ", ".join(outer) or "models with between(x, group)",
                "name the column by between=",
            )
        )
    means = own if between is None else values[between]
    latent = arguments(between or "", "latent")
    if latent is not None:
        means = flatten(result.posterior[names.latent(latent[0])])[0].mean(axis=0)
    return Sides(inside, between, column, means, adds=not centred)


def known(name: str | None, allowed: list[str], what: str) -> str:
    """Return a name that is allowed, or raise `StatisticError`."""
    if name is None or name not in allowed:
        raise StatisticError(
            message(
                f"no fixed column {name!r} that {what}" if name else f"no fixed column {what}",
                ", ".join(allowed) or "none: the model has no such column",
                "name one of these columns" if allowed else "add such a predictor",
            )
        )
    return name


def group_mean(values: Array, grouping: Grouping) -> Array:
    """Return the means of values in the groups, shape (J,)."""
    sums = np.bincount(grouping.codes, weights=values, minlength=grouping.size)
    return np.asarray(sums / grouping.counts)


def slope_line(panel: Panel, x: Array, height: float, slope: Array, probability: float) -> None:
    """Draw lines of a slope through the mean of x."""
    grid = np.linspace(x.min(), x.max(), POINTS)
    curves = height + slope[:, None] * (grid - x.mean())
    if len(slope) > 1:
        tail = (1 - probability) / 2
        panel.band(grid, *np.quantile(curves, [tail, 1 - tail], axis=0), color=INK, alpha=0.25)
    panel.line(grid, curves.mean(axis=0), color=BLUE, width=2.0)
