"""Reliability of the groups' coefficients, as HLM prints it.

    lambda_qj = tau_qq / (tau_qq + V_qqj),  V_j = sigma² (Z_j' W Z_j)⁻¹,

the part of the variance of group j's own estimate of coefficient q that is between groups.
Groups whose rows do not identify their effects are left out and counted. Where groupings nest
within this one their effects are noise of the estimate: V_j = (Z_j' Omega_j⁻¹ Z_j)⁻¹,
Omega_j = sigma² W⁻¹ + sum of Z_k T_k Z_k'. With random intercepts only, at the middle of three
levels of n rows each that is tau / (tau + sigma² / n), and at the top, of m inner groups each,
tau / (tau + (tau_inner + sigma² / n) / m).

References
----------
Raudenbush & Bryk (2002), Hierarchical Linear Models, 2nd ed., chapters 3 and 8.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import RandomBlock
from bayesmlm.errors import StatisticError, message
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import PROBABILITY, describe, flatten
from bayesmlm.summaries.inner import check_separate, inner_chain, precision_blocks
from bayesmlm.summaries.rows import (
    CHUNK,
    full_rank,
    group_products,
    row_weights,
    scale_variance,
)

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


def reliability_of(tau: Array, sampling: Array) -> Array:
    """Return tau / (tau + sampling), 0 where both are zero, elementwise.

    Parameters
    ----------
    tau
        Variance of the coefficient between groups.
    sampling
        Sampling variance of a group's own estimate.
    """
    total = tau + sampling
    return np.where(total > 0, tau / np.where(total > 0, total, 1.0), 0.0)


def sampling_variances(result: FitResult, block: RandomBlock) -> tuple[Flags, Iterator[Array]]:
    """Return which groups identify their effects, and the variance of their own estimates.

    Returns
    -------
    identified, variances
        Shape (J,), and blocks of the groups identified, in order, of shape (groups, q, S).

    Raises
    ------
    StatisticError
        For a response that is not gaussian, or a grouping crossed with another.
    """
    sigma2 = scale_variance(result, "reliability")
    check_separate(result.design, block, "the reliability of a group's own estimate")
    weights = row_weights(result.design)
    products = group_products(block, weights)
    identified = full_rank(products)
    chain = inner_chain(result.design, block)
    if chain:
        return identified, (
            inverse_diagonal(precision)
            for precision in precision_blocks(
                result, block, chain, weights, sigma2, np.flatnonzero(identified)
            )
        )
    spread = np.einsum("jqq->jq", np.linalg.inv(products[identified]))
    step = max(1, CHUNK // (len(sigma2) * spread.shape[1]))
    return identified, (
        spread[start : start + step, :, None] * sigma2 for start in range(0, len(spread), step)
    )


def inverse_diagonal(precision: Array) -> Array:
    """Return the diagonal of the inverse of matrices of shape (S, groups, q, q), draws last."""
    return np.einsum("sjqq->jqs", np.linalg.inv(precision))


def reliability(
    result: FitResult, group: str, probability: float = PROBABILITY, by_group: bool = False
) -> pd.DataFrame:
    """Return the reliability of each coefficient that varies over a grouping.

    Parameters
    ----------
    result
        The fit.
    group
        The grouping.
    probability
        Of the intervals.
    by_group
        One row a group and effect, and not the average over groups.

    Returns
    -------
    DataFrame
        ``mean``, ``sd``, ``lower``, ``upper``; of averages ``groups``, how many they are
        over, and ``excluded``, how many do not identify their effects.

    Raises
    ------
    StatisticError
        For a response that is not gaussian, a grouping crossed with another, or one of
        which no group identifies its effects.
    """
    import pandas as pd

    block = result.design.block(group)
    tau = flatten(result.posterior[names.sd(block.name)])[0].T ** 2
    identified, blocks = sampling_variances(result, block)
    if not identified.any():
        raise StatisticError(
            message(
                f"no group of {block.name!r} has the rows to estimate "
                f"{', '.join(block.effects)} alone",
                "groups with more rows than effects, in which the predictors vary",
                "read the posterior SDs: fit.standard_errors()",
            )
        )
    parts, average = [], np.zeros_like(tau)
    for variances in blocks:
        values = reliability_of(tau, variances)
        average += values.sum(axis=0) / identified.sum()
        if by_group:
            parts.append(describe(values.reshape(-1, tau.shape[1]).T, probability))
    if by_group:
        labels = [block.grouping.labels[j] for j in np.flatnonzero(identified)]
        product = [labels, list(block.effects)]
        rows = pd.MultiIndex.from_product(product, names=[block.name, "effect"])
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        return pd.DataFrame(columns, index=rows)
    index = pd.Index(block.effects, name="effect")
    counts = {"groups": int(identified.sum()), "excluded": int((~identified).sum())}
    return pd.DataFrame(describe(average.T, probability), index=index).assign(**counts)
