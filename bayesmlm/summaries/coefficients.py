"""Fixed effects, group deviations, group coefficients and correlations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmlm import names
from bayesmlm.design import RandomBlock
from bayesmlm.errors import StatisticError, message
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import PROBABILITY, describe, flatten, table
from bayesmlm.summaries.maximum import ERRORS, wald

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


def fixef(result: FitResult, probability: float = PROBABILITY) -> pd.DataFrame:
    """Return one row a fixed coefficient; of a maximum, with standard errors.

    Raises
    ------
    StatisticError
        If the model has no fixed coefficients.
    """
    if not result.design.coef:
        raise StatisticError(
            message("a model without fixed effects", "one or more", "use ranef() or summary()")
        )
    if ERRORS in result.tree.children:
        return wald(result, probability)
    return table(result.posterior[names.BETA], probability)


def ranef(result: FitResult, group: str, probability: float = PROBABILITY) -> pd.DataFrame:
    """Return one row a group and effect: its deviation from the fixed part."""
    block = result.design.block(group)
    return by_group(result.posterior[names.effects(block.name)], block, probability)


def coef(result: FitResult, group: str, probability: float = PROBABILITY) -> pd.DataFrame:
    """Return one row a group and effect: fixed coefficient plus deviation.

    An effect without a fixed coefficient is its deviation. Group-level predictors are not
    added: with ``y ~ x * w + (x | g)`` the coefficient of x is the one at w = 0.
    """
    block = result.design.block(group)
    return by_group(coef_draws(result, block), block, probability)


def coef_draws(result: FitResult, block: RandomBlock) -> xr.DataArray:
    """Return the draws behind `coef`, dims (chain, draw, group, effect)."""
    posterior = result.posterior
    deviations = posterior[names.effects(block.name)]
    total = deviations.copy()
    dim = names.effect_dim(block.name)
    for effect in block.effects:
        if effect in result.design.coef:
            fixed = posterior[names.BETA].sel({names.COEF: effect}, drop=True)
            total.loc[{dim: effect}] = deviations.sel({dim: effect}) + fixed
    return total


def by_group(array: xr.DataArray, block: RandomBlock, probability: float) -> pd.DataFrame:
    """Return one row a group and effect, indexed by both."""
    import pandas as pd

    ordered = array.transpose("chain", "draw", names.safe(block.name), names.effect_dim(block.name))
    draws, _ = flatten(ordered)
    index = pd.MultiIndex.from_product(
        [list(block.grouping.labels), list(block.effects)], names=[block.name, "effect"]
    )
    return pd.DataFrame(describe(draws, probability), index=index)


def corr(result: FitResult, group: str) -> pd.DataFrame:
    """Return the posterior mean correlation matrix of a grouping's effects.

    Effects that the model makes independent have correlation zero.
    """
    import pandas as pd

    block = result.design.block(group)
    matrix = np.eye(len(block.effects))
    if block.pairs:
        means = result.posterior[names.corr(block.name)].mean(("chain", "draw")).to_numpy()
        for (i, j), value in zip(block.pairs, means, strict=True):
            matrix[i, j] = matrix[j, i] = value
    return pd.DataFrame(matrix, index=list(block.effects), columns=list(block.effects))
