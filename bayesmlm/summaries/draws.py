"""Summaries of posterior draws: one row a parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmlm.errors import StatisticError, message

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

PROBABILITY = 0.95
"""Probability of the intervals of every table."""


def check_probability(probability: float) -> None:
    """Refuse an interval probability outside (0, 1)."""
    number = isinstance(probability, int | float | np.number)
    if not number or not 0 < probability < 1:
        raise StatisticError(
            message(
                f"probability={probability!r}", "a number between 0 and 1", "0.95 is the default"
            )
        )


def flatten(array: xr.DataArray) -> tuple[np.ndarray, list[tuple[str, ...]]]:
    """Return draws of shape (S, K) and the K coordinates of their parameters."""
    dims = [str(dim) for dim in array.dims if dim not in ("chain", "draw")]
    ordered = array.transpose("chain", "draw", *dims)
    shape = ordered.shape
    draws = ordered.to_numpy().reshape(shape[0] * shape[1], -1)
    labels = [[str(value) for value in array[dim].to_numpy()] for dim in dims]
    index = [tuple(labels[d][i] for d, i in enumerate(at)) for at in np.ndindex(*shape[2:])]
    return draws, index


def describe(draws: np.ndarray, probability: float = PROBABILITY) -> dict[str, np.ndarray]:
    """Return mean, SD and the central interval of draws of shape (S, K)."""
    check_probability(probability)
    tail = (1 - probability) / 2
    if len(draws) == 1:  # a point has no interval
        unknown = np.full(draws.shape[1], np.nan)
        return {"mean": draws[0], "sd": unknown, "lower": unknown, "upper": unknown}
    low, high = np.quantile(draws, [tail, 1 - tail], axis=0)
    spread = draws.std(axis=0, ddof=1)
    return {"mean": draws.mean(axis=0), "sd": spread, "lower": low, "upper": high}


def diagnostics(array: xr.DataArray) -> dict[str, np.ndarray]:
    """Return R-hat and the bulk and tail effective sample sizes, flat.

    Of importance draws the effective sample size is that of their weights, which the array
    carries as its attribute ``ess``.
    """
    import arviz_stats

    dataset = array.to_dataset(name="x")
    chains = array.sizes["chain"]
    if "ess" in array.attrs:
        return {"ess": np.full(array[0, 0].size, array.attrs["ess"])}
    flat = {
        "ess_bulk": arviz_stats.ess(dataset, method="bulk")["x"].to_numpy().ravel(),
        "ess_tail": arviz_stats.ess(dataset, method="tail")["x"].to_numpy().ravel(),
    }
    if chains > 1:
        flat["r_hat"] = arviz_stats.rhat(dataset)["x"].to_numpy().ravel()
    return flat


def table(array: xr.DataArray, probability: float = PROBABILITY) -> pd.DataFrame:
    """Return a frame of one row a parameter: mean, SD, interval, ESS, R-hat."""
    import pandas as pd

    draws, index = flatten(array)
    labels = [" ".join(at) if at else str(array.name) for at in index]
    return pd.DataFrame(describe(draws, probability) | diagnostics(array), index=labels)
