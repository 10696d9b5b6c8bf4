"""Which kernel suits the groupings of a design, and its arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density import crossed, crossed_moments, nested, nested_moments
from bayesmlm.density.crossproducts import Columns, by_group
from bayesmlm.design import RandomBlock
from bayesmlm.design.grouping import is_nested

Array = NDArray[np.float64]

DENSE_LIMIT = 6000
"""Columns that may remain after the leading grouping; a dense factor of more is too slow."""


@dataclass(frozen=True)
class Kernel:
    """Compiled functions of one kind of structure.

    Parameters
    ----------
    evaluate
        Figures of the likelihood of a batch of hyperparameters.
    draw
        Draws of the effects.
    moments
        What the gradient needs.
    """

    evaluate: Callable[..., Any]
    draw: Callable[..., Any]
    moments: Callable[..., Any]


NESTED = Kernel(nested.evaluate, nested.draw, nested_moments.moments)
CROSSED = Kernel(crossed.evaluate, crossed.draw, crossed_moments.moments)


@dataclass(frozen=True)
class Structure:
    """A kernel and what it needs of the data.

    Parameters
    ----------
    kernel
        `NESTED` or `CROSSED`.
    arguments
        The arrays that come before G, sigma and prior in each function of the kernel.
    order
        Index, in the design, of each grouping in the kernel's order.
    sizes, widths
        Numbers of groups and effects, in the kernel's order.
    """

    kernel: Kernel
    arguments: tuple[Any, ...]
    order: tuple[int, ...]
    sizes: tuple[int, ...]
    widths: tuple[int, ...]

    @property
    def work(self) -> float:
        """Rough number of multiplications of one evaluation."""
        fixed = self.arguments[6].shape[0] if self.is_nested else self.arguments[5].shape[0]
        if not self.is_nested:
            return fixed**3 / 3 + 10.0 * self.arguments[4].size * self.widths[0]
        width = sum(self.widths) + fixed
        return float(sum(J * q * width**2 for J, q in zip(self.sizes, self.widths, strict=True)))

    @property
    def is_nested(self) -> bool:
        """Whether the nested kernel is used."""
        return self.kernel is NESTED

    @property
    def n_effects(self) -> int:
        """Number of random effects over all groupings."""
        return sum(J * q for J, q in zip(self.sizes, self.widths, strict=True))


def nesting_order(blocks: tuple[RandomBlock, ...]) -> tuple[int, ...] | None:
    """Return the groupings from the innermost out where they nest, else None."""
    order = tuple(sorted(range(len(blocks)), key=lambda k: -blocks[k].grouping.size))
    for inner, outer in pairwise(order):
        if not is_nested(blocks[inner].grouping, blocks[outer].grouping):
            return None
    return order


def structure(blocks: tuple[RandomBlock, ...], data: Columns) -> Structure | None:
    """Return the structure of a design, or None where a dense remainder is too large."""
    order = nesting_order(blocks)
    if order is not None:
        return nested_structure(blocks, data, order)
    order = tuple(
        sorted(range(len(blocks)), key=lambda k: -blocks[k].grouping.size * len(blocks[k].effects))
    )
    remaining = sum(blocks[k].grouping.size * len(blocks[k].effects) for k in order[1:])
    return crossed_structure(blocks, data, order) if remaining <= DENSE_LIMIT else None


def shapes(
    blocks: tuple[RandomBlock, ...], order: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the numbers of groups and of effects in an order."""
    return (
        tuple(blocks[k].grouping.size for k in order),
        tuple(len(blocks[k].effects) for k in order),
    )


def nested_structure(
    blocks: tuple[RandomBlock, ...], data: Columns, order: tuple[int, ...]
) -> Structure:
    """Return the arrays of the nested kernel."""
    rest = np.column_stack([data.X, data.y])
    sizes, widths = shapes(blocks, order)
    own, parents = [], []
    for depth, k in enumerate(order):
        right = np.column_stack([*(data.Z[m] for m in order[depth:]), rest])
        grouping = blocks[k].grouping
        own.append(by_group(data.Z[k], right, grouping.codes, grouping.size).ravel())
        if depth + 1 < len(order):
            above = np.empty(grouping.size, dtype=np.int64)
            above[grouping.codes] = blocks[order[depth + 1]].grouping.codes
            parents.append(above)
    arguments = (
        np.concatenate([*own, np.empty(0)]),
        offsets(own),
        np.array(sizes, dtype=np.int64),
        np.array(widths, dtype=np.int64),
        np.concatenate([*parents, np.empty(0, dtype=np.int64)]),
        offsets(parents),
        rest.T @ rest,
    )
    return Structure(NESTED, arguments, order, sizes, widths)


def offsets(parts: list[Any]) -> NDArray[np.int64]:
    """Return where each part starts when they are put end to end."""
    return np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)


def crossed_structure(
    blocks: tuple[RandomBlock, ...], data: Columns, order: tuple[int, ...]
) -> Structure:
    """Return the arrays of the crossed kernel."""
    from scipy import sparse

    sizes, widths = shapes(blocks, order)
    lead = blocks[order[0]]
    Z, codes = data.Z[order[0]], lead.grouping.codes
    fixed = np.column_stack([data.X, data.y])
    others = sparse.hstack([indicator(blocks[k], data.Z[k]) for k in order[1:]], format="csr")
    rest = sparse.hstack([others, sparse.csr_matrix(fixed)], format="csr")
    couplings = [
        (
            sparse.csr_matrix((column, (codes, np.arange(len(codes)))), (sizes[0], len(codes)))
            @ others
        )
        for column in Z.T
    ]
    pattern = sum(abs(c) for c in couplings).tocsr()
    pattern.sort_indices()
    rows = np.repeat(np.arange(sizes[0]), np.diff(pattern.indptr))
    values = np.column_stack([np.asarray(c[rows, pattern.indices]).ravel() for c in couplings])
    arguments = (
        by_group(Z, Z, codes, sizes[0]),
        by_group(Z, fixed, codes, sizes[0]),
        pattern.indptr.astype(np.int64),
        pattern.indices.astype(np.int64),
        np.ascontiguousarray(values),
        (rest.T @ rest).toarray(),
        np.array(sizes[1:], dtype=np.int64),
        np.array(widths[1:], dtype=np.int64),
    )
    return Structure(CROSSED, arguments, order, sizes, widths)


def indicator(block: RandomBlock, Z: Array) -> Any:
    """Return the sparse effect columns of a grouping, shape (N, J q), q columns a group."""
    from scipy import sparse

    n, q = Z.shape
    at = block.grouping.codes[:, None] * q + np.arange(q)
    pointers = np.arange(0, n * q + 1, q)
    shape = (n, block.grouping.size * q)
    return sparse.csr_matrix((Z.ravel(), at.ravel(), pointers), shape=shape)
