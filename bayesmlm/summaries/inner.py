"""What the rows of a group say about its effects when groupings nest within it.

The precision of group j's own estimate, Z_j' Omega_j⁻¹ Z_j, is found level by level: with P
the cross-products of all effect columns over one innermost group, eliminating its effects
leaves P_oo - P_oi T (I + P_ii T)⁻¹ P_io, which is summed over the groups of the next level.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.crossproducts import by_group
from bayesmlm.design import Design, RandomBlock
from bayesmlm.errors import StatisticError, message
from bayesmlm.result import FitResult
from bayesmlm.summaries.rows import CHUNK
from bayesmlm.summaries.variance_components import covariance_draws

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


def nested_in(design: Design, name: str) -> tuple[str, ...]:
    """Return the groupings that a grouping nests in."""
    (level,) = (level for level in design.levels.levels if level.grouping.name == name)
    return level.nested_in


def check_separate(design: Design, block: RandomBlock, what: str) -> None:
    """Refuse a grouping that is crossed with another.

    Raises
    ------
    StatisticError
    """
    others = [pair for pair in design.levels.crossed if block.name in pair]
    if others:
        (other,) = (name for name in others[0] if name != block.name)
        raise StatisticError(
            message(
                f"{what} of {block.name!r}, which is crossed with {other!r}: the rows of one group "
                "alone do not tell its effect from theirs",
                "groupings that nest in one another",
                "read fit.standard_errors(), which takes all groupings together",
            )
        )


def inner_chain(design: Design, block: RandomBlock) -> list[RandomBlock]:
    """Return the groupings nested within one, the innermost first.

    Raises
    ------
    StatisticError
        If two of them are crossed.
    """
    inner = [b for b in design.random if block.name in nested_in(design, b.name)]
    for one in inner:
        check_separate(design, one, "the precision")
    return sorted(inner, key=lambda b: len(nested_in(design, b.name)), reverse=True)


def parents(inner: RandomBlock, outer: RandomBlock) -> Integers:
    """Return the group of `outer` that each group of `inner` lies in."""
    found = np.empty(inner.grouping.size, dtype=np.int64)
    found[inner.grouping.codes] = outer.grouping.codes
    return found


def precision_blocks(
    result: FitResult,
    block: RandomBlock,
    chain: list[RandomBlock],
    weights: Array,
    sigma2: Array,
    chosen: Integers,
) -> Iterator[Array]:
    """Return Z_j' Omega_j⁻¹ Z_j of chosen groups, shape (S, groups, q, q), in blocks.

    Parameters
    ----------
    result
        The fit.
    block, chain
        The grouping, and those nested within it, the innermost first.
    weights, sigma2
        Of the rows, shape (N,), and draws of shape (S,).
    chosen
        Positions of the groups, increasing.
    """
    blocks = [*chain, block]
    columns = np.concatenate([b.Z for b in blocks], axis=1)
    first = chain[0].grouping
    products = by_group(columns * weights[:, None], columns, first.codes, first.size)
    T = [covariance_draws(result, b) for b in chain]
    ancestors = [parents(a, b) for a, b in itertools.pairwise(blocks)]
    top = ancestors[0]
    for step in ancestors[1:]:
        top = step[top]
    width = len(sigma2) * columns.shape[1] ** 2 * first.size / block.grouping.size
    size = max(1, int(CHUNK / width))
    for start in range(0, len(chosen), size):
        groups = chosen[start : start + size]
        yield eliminated(products, np.isin(top, groups), T, ancestors, sigma2)


def eliminated(
    products: Array,
    inside: NDArray[np.bool_],
    T: list[Array],
    ancestors: list[Integers],
    sigma2: Array,
) -> Array:
    """Eliminate the inner effects of the innermost groups `inside`; shape (S, groups, q, q)."""
    P = products[inside] / sigma2[:, None, None, None]
    at = np.flatnonzero(inside)
    for covariance, above in zip(T, ancestors, strict=True):
        q = covariance.shape[1]
        own, cross = P[..., :q, :q], P[..., :q, q:]
        inner = np.eye(q) + own @ covariance[:, None]
        P = P[..., q:, q:] - np.swapaxes(cross, -1, -2) @ (
            covariance[:, None] @ np.linalg.solve(inner, cross)
        )
        parent = above[at]
        order = np.argsort(parent, kind="stable")
        at, starts = np.unique(parent[order], return_index=True)
        P = np.add.reduceat(P[:, order], starts, axis=1)
    return P
