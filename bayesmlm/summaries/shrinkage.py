"""No pooling, partial pooling and complete pooling side by side.

*No pooling*: least squares with coefficients of its own for every group, and common ones for
the fixed columns that the groups' effects do not take up. *Complete pooling*: least squares
without groups. *Partial pooling*: the model's coefficient of the group, fixed part plus
deviation. Group-level predictors and their cross-level products are part of all three, so
that with ``y ~ x * w + (x | g)`` the slope of x is the one at the group's own w.

References
----------
Gelman & Hill (2007), Data Analysis Using Regression and Multilevel/Hierarchical Models,
doi:10.1017/CBO9780511790942, section 12.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design import RandomBlock
from bayesmlm.effects import effect_blocks
from bayesmlm.result import FitResult
from bayesmlm.summaries.coefficients_by_group import Split, split
from bayesmlm.summaries.draws import PROBABILITY, check_probability, describe
from bayesmlm.summaries.rows import (
    fixed_columns,
    generalised_inverse,
    group_products,
    ranks_of_products,
    response_values,
    row_weights,
    scale_variance,
)

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


def no_pooling(
    y: Array, X: Array, block: RandomBlock, weights: Array, known_scale: bool
) -> tuple[Array, Array]:
    """Return every group's own coefficients and their standard errors, shapes (J, q).

    Parameters
    ----------
    y
        Response less its offset, shape (N,).
    X
        Fixed columns with coefficients common to all groups, shape (N, k).
    block
        The grouping and its effect columns.
    weights
        Of the rows, shape (N,).
    known_scale
        Whether the variance of a row is 1 / weight, and not to be estimated.

    Notes
    -----
    Not a number for groups whose rows do not identify their coefficients.
    """
    codes, J, q = block.grouping.codes, block.grouping.size, block.Z.shape[1]
    products = group_products(block, weights)
    ranks = ranks_of_products(products)
    generalised = generalised_inverse(products)

    def own(column: Array) -> Array:
        cross = [np.bincount(codes, z * column * weights, J) for z in block.Z.T]
        return np.einsum("jab,jb->ja", generalised, np.stack(cross, axis=-1))

    def left(column: Array) -> Array:
        return np.asarray(column - (block.Z * own(column)[codes]).sum(axis=1))

    taken = np.array([own(column) for column in X.T]).reshape(X.shape[1], J, q)
    within = np.array([left(column) for column in X.T]).reshape(X.shape[1], len(y)).T
    beta, rank = least_squares(within, left(y), weights)
    rest = y - X @ beta
    freedom = len(y) - rank - int(ranks.sum())
    residual = float((weights * left(rest) ** 2).sum())
    scale = 1.0 if known_scale else residual / freedom if freedom > 0 else np.nan
    common = generalised_inverse((within.T @ (within * weights[:, None]))[None])[0]
    variance = np.einsum("jqq->jq", generalised)
    variance = variance + np.einsum("ajq,ab,bjq->jq", taken, common, taken)
    unknown = np.where(ranks == q, 0.0, np.nan)[:, None] * np.ones(q)
    return own(rest) + unknown, np.sqrt(scale * variance) + unknown


def least_squares(X: Array, y: Array, weights: Array) -> tuple[Array, int]:
    """Return weighted least-squares coefficients, and the rank, whatever the units."""
    root = np.sqrt(weights)
    length = np.linalg.norm(X * root[:, None], axis=0)
    length = np.where(length > 0, length, 1.0)
    found = np.linalg.lstsq(X * root[:, None] / length, y * root, rcond=1e-9)
    return found[0] / length, int(found[2])


def complete_pooling(y: Array, X: Array, parts: Split, weights: Array) -> Array:
    """Return the groups' coefficients by least squares without groups, shape (J, q)."""
    beta = least_squares(X, y, weights)[0]
    return np.asarray(parts.totals(beta[None])[..., 0])


def shrinkage(result: FitResult, group: str, probability: float = PROBABILITY) -> pd.DataFrame:
    """Return the groups' coefficients without, with partial and with complete pooling.

    Parameters
    ----------
    result
        The fit.
    group
        The grouping.
    probability
        Of the intervals.

    Returns
    -------
    DataFrame
        One row a group and effect: ``rows``, ``no pooling`` with its ``SE``; ``mean``,
        ``sd``, ``lower``, ``upper`` of the model's; ``complete pooling``. Effects of other
        groupings are left out of the first and the last.

    Raises
    ------
    StatisticError
        For a response that is not gaussian, whose groups may have no finite estimate.
    """
    import pandas as pd

    check_probability(probability)
    design = result.design
    block = design.block(group)
    scale_variance(result, "estimates without pooling")
    weights = row_weights(design)
    y = response_values(design) - design.offset
    beta = fixed_columns(result)[1][:, : len(design.coef)]
    parts = split(design.X, block)
    known = not design.estimates_scale
    own, se = no_pooling(y, design.X[:, list(parts.common)], block, weights, known)
    described = []
    for groups, draws in effect_blocks(result, block.name):
        values = parts.totals(beta, groups) + draws
        described.append(describe(values.reshape(-1, values.shape[-1]).T, probability))
    index = pd.MultiIndex.from_product(
        [list(block.grouping.labels), list(block.effects)], names=[block.name, "effect"]
    )
    columns = {
        "rows": np.repeat(block.grouping.counts, len(block.effects)),
        "no pooling": own.ravel(),
        "SE": se.ravel(),
    }
    columns |= {name: np.concatenate([part[name] for part in described]) for name in described[0]}
    columns["complete pooling"] = complete_pooling(y, design.X, parts, weights).ravel()
    return pd.DataFrame(columns, index=index)
