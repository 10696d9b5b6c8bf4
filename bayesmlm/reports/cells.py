"""The cells of a table: numbers rounded to what their uncertainty supports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

TINY, HUGE = 1e-5, 1e6
"""Outside these an estimate is shown by its significant digits."""

LOG_LIKELIHOODS = ("elpd", "SE of elpd", "gap", "SE of gap", "criterion")
"""Columns of sums of log densities, shown to one decimal."""

ESTIMATES = ("mean", "estimate", "sd", "se", "lower", "upper")
"""Columns of estimates, rounded by the SD of their row."""


def row_spread(row: Mapping[str, Any]) -> float | None:
    """Return the SD of a row's estimate; without one, a quarter of its 95 % interval."""
    for estimate, spread in (("mean", "sd"), ("estimate", "sd"), ("estimate", "se")):
        if estimate in row and spread in row:
            return row[spread]
    if "mean" in row or "estimate" in row:
        return None
    if "lower" in row and np.isfinite(row["upper"]):
        return float(row["upper"] - row["lower"]) / 4
    return None


def cell(name: str, value: Any, spread: float | None) -> str:
    """Return one cell as text."""
    if isinstance(value, str):
        return value
    if value is None or not np.isfinite(value):
        return ""
    if name in ("ess", "ess_bulk", "ess_tail"):
        return f"{value:,.0f}"
    if name == "r_hat":
        return f"{value:.3f}"
    if name in LOG_LIKELIHOODS:
        return f"{round(value, 1) + 0.0:,.1f}"
    if name == "seconds":
        return f"{value:.1f}"
    if name in ("t", "distance", "largest distance"):
        return f"{round(value, 2) + 0.0:.2f}"  # no minus zero
    if name == "share":
        return f"{100 * value:.1f} %"
    if name.startswith("corr "):
        return f"{value:.2f}"
    if name in ESTIMATES:
        size = abs(value) if spread is None or not spread > 0 else spread
        if size != 0 and not TINY < size < HUGE:
            return f"{value:.4g}"
        return f"{value:,.{decimals(spread)}f}"
    return f"{value:.4g}"


def decimals(spread: float | None) -> int:
    """Return the decimals that show two significant digits of a spread."""
    if spread is None or not np.isfinite(spread) or spread == 0:
        return 3
    return int(np.clip(1 - np.floor(np.log10(abs(spread))), 0, 8))
