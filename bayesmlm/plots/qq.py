"""Normal Q–Q plot of random effects, by realised effects.

In every posterior draw the standardised effects u_j / tau are a sample of a standard normal
where the model holds: realised discrepancies (Gelman, Meng & Stern 1996, Statistica Sinica 6,
733–807). Posterior means of u_j are not: they are shrunken, each by its own factor.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.effects import effect_blocks
from bayesmlm.errors import StatisticError, message
from bayesmlm.plots.canvas import BLUE, GREY, INK, RUST, Picture, canvas, key
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import PROBABILITY, check_probability, flatten

Array = NDArray[np.float64]

DRAWS = 500
"""Posterior draws used at most, evenly spaced."""


def qq(
    result: FitResult,
    group: str,
    effect: str | None = None,
    probability: float = PROBABILITY,
    *,
    backend: str = "matplotlib",
) -> Picture:
    """Draw the ordered effects of the groups against normal quantiles.

    Parameters
    ----------
    result
        The fit.
    group
        The grouping.
    effect
        One of its effects; None draws all, side by side.
    probability
        Of the interval of each point, and of the band in which each lies where the effects
        are normal and known (pointwise).
    backend
        ``"matplotlib"``, ``"plotly"`` or ``"bokeh"``.

    Raises
    ------
    StatisticError
        For a fit without draws of the effects (ML, REML).

    Notes
    -----
    Effects that the data hardly determine follow the model's normal distribution whatever
    is true: their intervals are long, and a straight line proves little.
    """
    check_probability(probability)
    block = result.design.any_block(group)
    effects = list(block.effects) if effect is None else [block.effect(effect)]
    ordered = ordered_effects(result, block.name)
    if ordered.shape[2] == 1:
        raise StatisticError(
            message(
                f"effects of {block.name!r} without their posterior distribution",
                "fits with a posterior",
                'fit with model.fit("laplace") or model.fit("nuts")',
            )
        )
    theory, low, high = normal_order(block.grouping.size, probability)
    picture, panels = canvas(len(effects), (4.9 * len(effects), 4.8), backend=backend)
    tail = (1 - probability) / 2
    for panel, name in zip(panels, effects, strict=True):
        draws = ordered[:, block.effects.index(name)]
        bounds = np.quantile(draws, [tail, 1 - tail], axis=1).T
        panel.band(theory, low, high, color=BLUE, alpha=0.15)
        panel.line(theory, theory, color=INK, width=0.9)
        apart = (bounds[:, 0] > high) | (bounds[:, 1] < low)
        panel.segments(np.column_stack([theory, theory]), bounds, color=GREY, width=0.8)
        for mask, colour in ((~apart, BLUE), (apart, RUST)):
            if mask.any():
                panel.points(theory[mask], draws.mean(axis=1)[mask], size=3.5, color=colour)
        panel.label(
            f"{name} by {block.name}: {apart.sum()} of {len(draws)} apart from the band",
            "quantile of the standard normal",
            "ordered effects / SD",
        )
    percent = f"{100 * probability:g} %"
    key(picture, [("posterior mean", BLUE), (f"{percent} interval", GREY), ("normal", INK)])
    return picture


def ordered_effects(result: FitResult, group: str) -> Array:
    """Return, draw by draw, the groups' standardised effects in order, shape (J, q, S)."""
    sds = flatten(result.posterior[names.sd(group)])[0]
    at = np.unique(np.linspace(0, len(sds) - 1, DRAWS).astype(int))
    parts = [draws[:, :, at] for _, draws in effect_blocks(result, group)]
    scale = np.maximum(sds[at].T, np.finfo(float).tiny)
    return np.sort(np.concatenate(parts) / scale, axis=0)


def normal_order(count: int, probability: float) -> tuple[Array, Array, Array]:
    """Return the medians of normal order statistics, and their interval of a probability.

    The k-th smallest of n uniform values is Beta(k, n + 1 - k).
    """
    from scipy.stats import beta, norm

    k = np.arange(1, count + 1)
    order = beta(k, count + 1 - k)
    tail = (1 - probability) / 2
    low, middle, high = (norm.ppf(order.ppf(p)) for p in (tail, 0.5, 1 - tail))
    return middle, low, high
