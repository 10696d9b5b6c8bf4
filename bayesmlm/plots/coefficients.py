"""The coefficients of every group as pictures show them: not pooled, pooled, and of the population.

A coefficient of group j is b_j = W_j gamma + u_j, W_j gamma being what the fixed part says of
the group: with ``y ~ x*w + (x | g)`` the slope of x is gamma_x + gamma_xw w_j + u_j.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import Design, RandomBlock
from bayesmlm.design.grouping import Grouping, constant_within
from bayesmlm.result import FitResult
from bayesmlm.summaries import ranef
from bayesmlm.summaries.rows import check_observed

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
    """Return the effect that each fixed column belongs to, and W.

    A fixed column belongs to an effect if it is the effect's column times a number of the
    group: the column of x:w to that of x, a predictor of level 2 to the intercept.

    Returns
    -------
    of_effect, weights
        Shapes (p,) and (J, q, p).
    """
    q, p = len(block.effects), design.X.shape[1]
    order = sorted(range(q), key=lambda k: block.effects[k] != names.INTERCEPT)
    of_effect = np.full(p, -1, dtype=np.int64)
    weights = np.zeros((block.grouping.size, q, p))
    for column in range(p):
        for effect in order:
            ratio = group_ratio(design.X[:, column], block.Z[:, effect], block.grouping)
            if ratio is not None:
                of_effect[column] = effect
                weights[:, effect, column] = ratio
                break
    return of_effect, weights


def group_ratio(x: Array, z: Array, grouping: Grouping) -> Array | None:
    """Return w, shape (J,), with x = z w_j in every row; None if there is none.

    NaN for a group in whose rows z is 0 throughout, unless w is the same for all others.
    """
    used = z != 0
    if x[~used].any() or not used.any():
        return None
    ratio = np.where(used, x / np.where(used, z, 1.0), 0.0)
    present = np.unique(grouping.codes[used])
    within = Grouping(
        grouping.columns,
        tuple(present),
        np.searchsorted(present, grouping.codes[used]),
    )
    if not constant_within(within, ratio[used]):
        return None
    found = np.full(grouping.size, np.nan)
    found[grouping.codes[used]] = ratio[used]
    first = found[present[0]]
    return np.full(grouping.size, first) if np.allclose(found[present], first) else found


def separate_fits(design: Design, block: RandomBlock, rest: Array) -> Array:
    """Return least squares estimates in each group, shape (J, q)."""
    J, q = block.grouping.size, len(block.effects)
    found = np.full((J, q), np.nan)
    if design.family.link.name != "identity":
        return found
    rows = design.outcome.rows
    weight = rows.get("precision", np.ones(len(design.y))) / rows.get("se", 1.0) ** 2
    root = np.sqrt(weight * rows.get("weights", 1.0))
    Z, y = block.Z * root[:, None], (design.y - rest) * root
    order = np.argsort(block.grouping.codes, kind="stable")
    ends = np.cumsum(block.grouping.counts)
    for j, (stop, count) in enumerate(zip(ends, block.grouping.counts, strict=True)):
        at = order[stop - count : stop]
        estimate, _, rank, _ = np.linalg.lstsq(Z[at], y[at], rcond=1e-9)
        if rank == q:
            found[j] = estimate
    return found
