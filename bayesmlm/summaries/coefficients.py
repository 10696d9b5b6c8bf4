"""Fixed effects, group deviations, group coefficients and correlations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import ParameterDesign, RandomBlock
from bayesmlm.effects import effect_blocks
from bayesmlm.errors import StatisticError, message
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import PROBABILITY, check_probability, describe, flatten, table
from bayesmlm.summaries.maximum import ERRORS, wald

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


def fixef(result: FitResult, probability: float = PROBABILITY) -> pd.DataFrame:
    """Return one row a fixed coefficient; of a maximum, with standard errors.

    Of a categorical response they are ``mu<category>_<coefficient>``, of every category.

    Raises
    ------
    StatisticError
        If the model has no fixed coefficients.
    """
    import pandas as pd

    if result.design.family.unordered:
        parts = [part for part in result.design.further if part.coef]
        return pd.concat([coefficient_table(result, part, probability) for part in parts])
    if not result.design.coef:
        raise StatisticError(
            message("a model without fixed effects", "one or more", "use ranef() or summary()")
        )
    if ERRORS in result.tree.children:
        return wald(result, probability)
    return table(result.posterior[names.BETA], probability)


def coefficient_table(
    result: FitResult, part: ParameterDesign, probability: float = PROBABILITY
) -> pd.DataFrame:
    """Return one row a coefficient of a further parameter's formula, by its prior's name."""
    frame = table(result.posterior[names.of_parameter(names.BETA, part.target)], probability)
    return frame.set_axis([names.parameter_coef(part.target, name) for name in frame.index])


def ranef(result: FitResult, group: str, probability: float = PROBABILITY) -> pd.DataFrame:
    """Return one row a group and effect: its deviation from the fixed part."""
    block = result.design.any_block(group)
    return by_group((draws for _, draws in effect_blocks(result, block.name)), block, probability)


def coef(result: FitResult, group: str, probability: float = PROBABILITY) -> pd.DataFrame:
    """Return one row a group and effect: fixed coefficient plus deviation.

    An effect without a fixed coefficient is its deviation. Group-level predictors are not
    added: with ``y ~ x * w + (x | g)`` the coefficient of x is the one at w = 0.
    """
    block = result.design.any_block(group)
    return by_group(coef_blocks(result, block), block, probability)


def coef_blocks(result: FitResult, block: RandomBlock) -> Iterator[Array]:
    """Return the draws behind `coef`, some groups at a time, shape (groups, q, S)."""
    parts = result.design.parts
    coef = next(part.coef for part in parts if part.target == block.parameter)
    shared = [(at, coef.index(name)) for at, name in enumerate(block.effects) if name in coef]
    beta = names.of_parameter(names.BETA, block.parameter)
    fixed = flatten(result.posterior[beta])[0] if shared else np.empty((0, 0))
    for _, draws in effect_blocks(result, block.name):
        for at, own in shared:
            draws[:, at] += fixed[:, own]
        yield draws


def by_group(blocks: Iterator[Array], block: RandomBlock, probability: float) -> pd.DataFrame:
    """Return one row a group and effect, indexed by both, from draws of shape (groups, q, S)."""
    import pandas as pd

    check_probability(probability)
    parts = [describe(draws.reshape(-1, draws.shape[-1]).T, probability) for draws in blocks]
    index = pd.MultiIndex.from_product(
        [list(block.grouping.labels), list(block.effects)], names=[block.name, "effect"]
    )
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return pd.DataFrame(columns, index=index)


def corr(result: FitResult, group: str) -> pd.DataFrame:
    """Return the posterior mean correlation matrix of a grouping's effects.

    Effects that the model makes independent have correlation zero.
    """
    import pandas as pd

    block = result.design.any_block(group)
    matrix = np.eye(len(block.effects))
    if block.pairs:
        means = result.posterior[names.corr(block.name)].mean(("chain", "draw")).to_numpy()
        for (i, j), value in zip(block.pairs, means, strict=True):
            matrix[i, j] = matrix[j, i] = value
    return pd.DataFrame(matrix, index=list(block.effects), columns=list(block.effects))
