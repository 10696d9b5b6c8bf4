"""The parameters of every draw, as plain arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import RandomBlock
from bayesmlm.result import FitResult

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Parameters:
    """Draws of what all rows share.

    Parameters
    ----------
    result
        The fit.
    chosen
        Which of its draws, in order; a draw may repeat; shape (S,).
    beta
        Fixed effects, shape (S, p).
    others
        Further parameters of the family, each of shape (S,), thresholds of shape (S, K).
    """

    result: FitResult
    chosen: Integers
    beta: Array
    others: Mapping[str, Array]

    @property
    def draws(self) -> int:
        """Number of draws, S."""
        return len(self.chosen)

    def of(self, name: str) -> Array:
        """Return the draws of a variable of the posterior, shape (S, …)."""
        return flat(self.result.posterior[name])[self.chosen]

    def covariance(self, block: RandomBlock) -> Array:
        """Return draws of the covariance matrix of a grouping's effects, shape (S, q, q)."""
        sds = self.of(names.sd(block.name))
        T = np.zeros((*sds.shape, sds.shape[1]))
        each = np.arange(sds.shape[1])
        T[:, each, each] = sds**2
        if block.pairs:
            correlations = self.of(names.corr(block.name))
            for k, (i, j) in enumerate(block.pairs):
                T[:, i, j] = T[:, j, i] = correlations[:, k] * sds[:, i] * sds[:, j]
        return T


def flat(array: xr.DataArray) -> Array:
    """Return draws chain after chain, shape (S, …)."""
    values = array.transpose("chain", "draw", ...).to_numpy()
    return np.asarray(values.reshape(-1, *values.shape[2:]))


def parameters(result: FitResult, repeats: int) -> Parameters:
    """Return the parameters of every draw of a fit, each `repeats` times."""
    design, posterior = result.design, result.posterior
    S = posterior.sizes["chain"] * posterior.sizes["draw"]
    chosen = np.repeat(np.arange(S), repeats)
    beta = flat(posterior[names.BETA])[chosen] if design.coef else np.empty((len(chosen), 0))
    others = {p.name: flat(posterior[p.name])[chosen] for p in design.parameters}
    return Parameters(result, chosen, beta, others)
