"""Shrinkage: every group from its own least squares estimate to its pooled one.

References
----------
Gelman & Hill (2007), Data Analysis Using Regression and Multilevel/Hierarchical Models,
section 12.2; Bates, Mächler, Bolker & Walker (2015), doi:10.18637/jss.v067.i01.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmlm.errors import StatisticError, message
from bayesmlm.plots.canvas import BLUE, GREY, INK, RUST, Panel, Picture, canvas, key, thinned
from bayesmlm.plots.coefficients import GroupCoefficients, group_coefficients
from bayesmlm.plots.units import unit
from bayesmlm.result import FitResult
from bayesmlm.summaries.coefficients_by_group import CLOSE
from bayesmlm.summaries.variance_components import covariance_draws

Array = NDArray[np.float64]

LABELLED = 45
MARGIN = 0.06
ELLIPSES = (0.5, 0.95)
"""Probabilities of the ellipses."""


def shrinkage(
    result: FitResult,
    group: str,
    effects: tuple[str, str] | None = None,
    *,
    backend: str = "matplotlib",
) -> Picture:
    """Draw an arrow a group, from no pooling to partial pooling.

    Two effects are drawn in their plane, with the ellipses that the estimated covariance
    puts around the population's mean, where effects are normal; an effect alone is drawn
    group by group, the groups with most rows on top.

    Parameters
    ----------
    result
        The fit.
    group
        The grouping.
    effects
        Two of its effects; None takes the first two.
    backend
        ``"matplotlib"``, ``"plotly"`` or ``"bokeh"``.

    Raises
    ------
    StatisticError
        For a link other than the identity, or where no group has an estimate of its own.

    Notes
    -----
    Group-level predictors are part of a group's coefficients, W_j gamma + u_j. What other
    predictors and groupings contribute is subtracted at its posterior mean before least
    squares.
    """
    found = group_coefficients(result, group)
    refuse(result, found)
    if len(found.block.effects) == 1:
        return by_group(result, found, backend)
    chosen = effects or found.block.effects[:2]
    first, second = (found.block.effects.index(found.block.effect(name)) for name in chosen)
    return plane(result, found, (first, second), backend)


def refuse(result: FitResult, found: GroupCoefficients) -> None:
    """Raise `StatisticError` where no group has an estimate of its own."""
    if np.isfinite(found.separate).all(axis=1).any():
        return
    link = result.design.family.link.name
    reason = f"the {link} link" if link != "identity" else "fewer rows than effects in every group"
    raise StatisticError(
        message(
            f"shrinkage from separate estimates with {reason}",
            "identity links and groups with more rows than effects",
            "draw fit.plot.caterpillar(), which shows the pooled effects",
        )
    )


def undetermined(found: GroupCoefficients) -> str:
    """Return how many groups have no estimate of their own, as the end of a title."""
    count = found.undetermined
    return f"\n{count} groups without an estimate of their own" if count else ""


def by_group(result: FitResult, found: GroupCoefficients, backend: str) -> Picture:
    """Draw the arrows of one effect, the groups ordered by their numbers of rows."""
    counts = found.block.grouping.counts
    own = np.flatnonzero(np.isfinite(found.separate[:, 0]))
    order = own[np.argsort(counts[own], kind="stable")]
    height = float(np.clip(0.17 * len(order) + 1.6, 3, 9.5))
    picture, (panel,) = canvas(1, (6.2, height), backend=backend)
    at = np.arange(len(order))
    separate, pooled = found.separate[order, 0], found.pooled[order, 0]
    panel.vertical(float(np.mean(found.population[:, 0])), color=INK, width=0.8)
    panel.segments(
        np.column_stack([separate, pooled]), np.column_stack([at, at]), color=GREY, width=0.8
    )
    panel.points(separate, at, size=3.2, color=GREY)
    panel.points(pooled, at, size=3.6, color=BLUE)
    places = thinned(len(order), LABELLED)
    labels = found.block.grouping.labels
    panel.ticks("y", places, [f"{labels[order[k]]} ({counts[order[k]]})" for k in places])
    panel.limits("y", -1.0, float(len(order)))
    effect, group = found.block.effects[0], found.block.name
    panel.label(
        f"Shrinkage of {effect} by {group}{undetermined(found)}",
        f"{effect} ({unit(result.design, effect)})",
        f"{group} (rows)",
    )
    key(picture, [("no pooling", GREY), ("partial pooling", BLUE), ("population mean", INK)])
    return picture


def plane(
    result: FitResult, found: GroupCoefficients, pair: tuple[int, int], backend: str
) -> Picture:
    """Draw the arrows in the plane of two effects."""
    picture, (panel,) = canvas(1, (6.4, 5.8), backend=backend)
    own = np.isfinite(found.separate).all(axis=1)
    separate, pooled = found.separate[own][:, pair], found.pooled[own][:, pair]
    T = covariance_draws(result, found.block).mean(axis=0)[np.ix_(pair, pair)]
    centre = np.nanmean(found.population[:, pair], axis=0)
    for probability in ELLIPSES if found.block.is_normal else ():
        outline = ellipse(centre, T, probability)
        panel.line(*outline.T, color=RUST, width=1.2, dashed=probability > ELLIPSES[0])
    many = len(separate) > LABELLED
    arrows = np.stack([separate, pooled], axis=1)
    panel.segments(
        arrows[..., 0], arrows[..., 1], color=GREY, width=0.7, alpha=0.45 if many else 0.9
    )
    panel.points(*separate.T, size=2.8 if many else 4, color=GREY)
    panel.points(*pooled.T, size=3.2 if many else 4.5, color=BLUE)
    panel.points(centre[:1], centre[1:], size=7, color=RUST)
    outside = clip(panel, separate, np.vstack([pooled, ellipse(centre, T, ELLIPSES[-1])]))
    names = [found.block.effects[k] for k in pair]
    population = found.population[:, pair]
    moved = (np.nanstd(population, axis=0) > CLOSE * np.nanmax(np.abs(population), axis=0)).any()
    about = (
        "\nthe ellipses move with the predictors of a group: drawn at their mean" if moved else ""
    )
    beyond = f"\n{outside} estimates without pooling lie outside the picture" if outside else ""
    panel.label(
        f"Shrinkage by {found.block.name}{about}{undetermined(found)}{beyond}",
        *(f"{name} ({unit(result.design, name)})" for name in names),
    )
    key(
        picture,
        [
            ("no pooling", GREY),
            ("partial pooling", BLUE),
            ("population, 50 % and 95 %" if found.block.is_normal else "population mean", RUST),
        ],
    )
    return picture


def clip(panel: Panel, separate: Array, inside: Array) -> int:
    """Set limits that wild estimates do not stretch; return how many lie outside them."""
    beyond = np.zeros(len(separate), dtype=bool)
    for k, axis in enumerate("xy"):
        bulk = np.quantile(separate[:, k], [0.02, 0.98])
        low = min(bulk[0], inside[:, k].min())
        high = max(bulk[1], inside[:, k].max())
        pad = MARGIN * (high - low)
        panel.limits(axis, low - pad, high + pad)
        beyond |= (separate[:, k] < low - pad) | (separate[:, k] > high + pad)
    return int(beyond.sum())


def ellipse(centre: Array, covariance: Array, probability: float, points: int = 121) -> Array:
    """Return the outline that holds a probability of a bivariate normal, shape (points, 2)."""
    from scipy.stats import chi2

    angle = np.linspace(0, 2 * np.pi, points)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.asarray(centre + np.sqrt(chi2(2).ppf(probability)) * circle @ root.T)
