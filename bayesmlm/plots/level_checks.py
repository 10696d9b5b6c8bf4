"""Checks by level in pictures: each statistic among its replicates, groups in their envelope."""

from __future__ import annotations

from textwrap import fill

import numpy as np

from bayesmlm.checks.levels import Envelope, LevelReplication
from bayesmlm.plots.canvas import BLUE, INK, PALE, RUST, Panel, Picture, canvas, key

BINS = 30
WIDTH = 3.6
"""Of a panel, inches."""

LETTERS = 38
"""Of a title, in one line."""

MOST = 24
"""Statistics drawn at most, those that stand out most first."""


def level_checks(found: LevelReplication, *, backend: str = "matplotlib") -> Picture:
    """Draw every statistic's replicates with the observed value, then the groups in order.

    Parameters
    ----------
    found
        The check.
    backend
        ``"matplotlib"``, ``"plotly"`` or ``"bokeh"``.

    Notes
    -----
    Groups stand in the order of their standardised means or slopes; the band holds 95 % of
    the replicated ones at each place, of new groups.
    """
    order = np.argsort(found.frame["p adjusted"].to_numpy(), kind="stable")[:MOST]
    shown = np.sort(order)
    count = len(shown) + len(found.envelopes)
    columns = min(4, count)
    rows = -(-count // columns)
    size = (WIDTH * columns, 2.9 * rows + 0.4)
    picture, panels = canvas(count, size, columns, backend=backend)
    for panel, k in zip(panels, shown, strict=False):
        draw_statistic(panel, found, int(k))
    for panel, envelope in zip(panels[len(shown) :], found.envelopes, strict=True):
        draw_envelope(panel, envelope)
    key(picture, [("replicated", PALE), ("observed", BLUE), ("observed, stands out", RUST)])
    return picture


def draw_statistic(panel: Panel, found: LevelReplication, k: int) -> None:
    """Draw the replicates of one statistic, and where the data are among them."""
    statistic, values = found.statistics[k], found.replicated[:, k]
    low, high = np.quantile(values[np.isfinite(values)], [0.005, 0.995])
    heights, edges = np.histogram(values, BINS, (float(low), float(high) + 1e-12))
    x, y = np.repeat(edges, 2), np.concatenate([[0], np.repeat(heights, 2), [0]])
    panel.band(x, np.zeros(len(x)), y, color=PALE, alpha=0.8)
    p = float(found.frame["p adjusted"].iloc[k])
    colour = RUST if p <= found.level else BLUE
    panel.line([found.observed[k]] * 2, [0, max(heights)], color=colour, width=2)
    of = f" of {statistic.of}" if statistic.of else ""
    by = f" by {statistic.group}" if statistic.group else ""
    title = fill(f"level {statistic.level}: {statistic.what}{of}{by}", LETTERS)
    panel.label(title, f"adjusted p {p:.3f}")


def draw_envelope(panel: Panel, envelope: Envelope) -> None:
    """Draw the groups in order within their envelope."""
    place = np.arange(1, len(envelope.observed) + 1, dtype=float)
    panel.band(place, envelope.lower, envelope.upper, color=PALE, alpha=0.8)
    panel.line(place, envelope.middle, color=INK, width=0.8)
    outside = (envelope.observed < envelope.lower) | (envelope.observed > envelope.upper)
    for mask, colour in ((~outside, BLUE), (outside, RUST)):
        if mask.any():
            panel.points(place[mask], envelope.observed[mask], size=3.0, color=colour)
    told = f"{int(outside.sum())} of {len(place)} outside"
    title = fill(f"{envelope.effect} by {envelope.group}: {told}", LETTERS)
    panel.label(title, "groups in order", "in SDs of the replicates")
