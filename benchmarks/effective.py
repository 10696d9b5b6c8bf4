"""Effective sample sizes: one rule for all, ArviZ's bulk ESS of every parameter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def of_file(path: Path, shape: list[int], names: list[str]) -> dict[str, Any]:
    """Return the figures of a file of draws, float64, of shape (chain, draw, parameter)."""
    draws = np.fromfile(path, "<f8").reshape(shape)
    return of_draws(draws, names)


def of_draws(draws: NDArray[np.float64], names: list[str]) -> dict[str, Any]:
    """Return the smallest bulk ESS and the largest R-hat over all parameters that vary.

    Parameters
    ----------
    draws
        Shape (chain, draw, parameter).
    names
        Of the parameters.
    """
    from arviz_stats.base import array_stats

    ess, r_hat = [], []
    for k in range(draws.shape[2]):
        one = np.ascontiguousarray(draws[:, :, k])
        varies = np.ptp(one) > 0
        ess.append(float(array_stats.ess(one, 0, 1)) if varies else np.inf)
        r_hat.append(float(array_stats.rhat(one, 0, 1)) if varies else 0.0)
    least, worst = int(np.argmin(ess)), int(np.argmax(r_hat))
    return {
        "min_ess": ess[least],
        "min_ess_of": names[least],
        "max_r_hat": r_hat[worst],
        "max_r_hat_of": names[worst],
        "parameters": draws.shape[2],
        "chains": draws.shape[0],
        "draws": draws.shape[1],
        "ess_rule": "bulk",
    }
