"""The coefficients of every group as pictures show them: not pooled, pooled, and of the population.

A coefficient of group j is b_j = W_j gamma + u_j, W_j gamma being what the fixed part says of
the group: with ``y ~ x*w + (x | g)`` the slope of x is gamma_x + gamma_xw w_j + u_j.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.density.crossproducts import by_group
from bayesmlm.design import Design, RandomBlock
from bayesmlm.result import FitResult
from bayesmlm.summaries import ranef
from bayesmlm.summaries.coefficients_by_group import split
from bayesmlm.summaries.rows import (
    check_observed,
    full_rank,
    generalised_inverse,
    group_products,
    response_values,
    row_weights,
)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class GroupCoefficients:
    """Coefficients of the J groups of a grouping.

    Parameters
    ----------
    block
        The grouping and its q effects.
    weights
        W, shape (J, q, p); NaN where a group's rows do not say.
    of_effect
        The effect that each fixed column belongs to, -1 for the columns that belong to none,
        shape (p,).
    population
        W_j gamma at the posterior mean, shape (J, q).
    pooled
        Posterior means of b_j, shape (J, q).
    separate
        Least squares in each group alone, shape (J, q); NaN where its rows do not determine
        it, or everywhere where there is no least squares: links other than the identity.
    rest
        Per row, the posterior mean of what is no part of b_j: other fixed predictors, other
        groupings, offset; shape (N,).
    """

    block: RandomBlock
    weights: Array
    of_effect: NDArray[np.int64]
    population: Array
    pooled: Array
    separate: Array
    rest: Array

    @property
    def undetermined(self) -> int:
        """Number of groups without a least squares estimate."""
        return int(np.isnan(self.separate).any(axis=1).sum())


def group_coefficients(result: FitResult, group: str) -> GroupCoefficients:
    """Return the coefficients of every group."""
    design = result.design
    check_observed(design, "lines of groups")
    block = design.block(group)
    beta = fixed_means(result)
    of_effect, weights = attribution(design, block)
    population = np.einsum("jqp,p->jq", weights, beta)
    own = of_effect >= 0
    rest = design.X[:, ~own] @ beta[~own] + design.offset
    for other in design.random:
        if other.name != block.name:
            rest = rest + (other.Z * effect_means(result, other)[other.grouping.codes]).sum(axis=1)
    return GroupCoefficients(
        block=block,
        weights=weights,
        of_effect=of_effect,
        population=population,
        pooled=population + effect_means(result, block),
        separate=separate_fits(design, block, rest),
        rest=rest,
    )


def fixed_means(result: FitResult) -> Array:
    """Return the posterior means of the fixed coefficients, shape (p,)."""
    if not result.design.coef:
        return np.empty(0)
    return np.asarray(result.posterior[names.BETA].mean(("chain", "draw")).to_numpy(), dtype=float)


def effect_means(result: FitResult, block: RandomBlock) -> Array:
    """Return the posterior means of a grouping's effects, shape (J, q)."""
    means = ranef(result, block.name)["mean"].to_numpy()
    return means.reshape(block.grouping.size, len(block.effects))


def attribution(design: Design, block: RandomBlock) -> tuple[NDArray[np.int64], Array]:
    """Return the effect that each fixed column belongs to, and W; see `split`.

    A column in the span of several effects belongs to the one that it loads on most.

    Returns
    -------
    of_effect, weights
        Shapes (p,) and (J, q, p).
    """
    parts, p = split(design.X, block), design.X.shape[1]
    own = list(parts.own)
    of_effect = np.full(p, -1, dtype=np.int64)
    weights = np.zeros((block.grouping.size, len(block.effects), p))
    if own:
        of_effect[own] = np.nansum(np.abs(parts.loadings), axis=0).argmax(axis=0)
        weights[:, :, own] = parts.loadings
    return of_effect, weights


def separate_fits(design: Design, block: RandomBlock, rest: Array) -> Array:
    """Return least squares estimates in each group, shape (J, q)."""
    if design.family.link.name != "identity":
        return np.full((block.grouping.size, len(block.effects)), np.nan)
    weights = row_weights(design)
    products = group_products(block, weights)
    y = (weights * (response_values(design) - rest))[:, None]
    cross = by_group(block.Z, y, block.grouping.codes, block.grouping.size)
    found = (generalised_inverse(products) @ cross)[..., 0]
    return np.where(full_rank(products)[:, None], found, np.nan)
