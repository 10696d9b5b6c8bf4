"""The arrays of the nested kernel."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.crossproducts import Columns, by_group
from bayesmlm.design import RandomBlock
from bayesmlm.design.grouping import is_nested

Ints = NDArray[np.int64]

FAMILY = 4096
"""Innermost groups that are eliminated together, apart from others."""


def nesting_order(blocks: tuple[RandomBlock, ...]) -> tuple[int, ...] | None:
    """Return the groupings from the innermost out where they nest, else None."""
    order = tuple(sorted(range(len(blocks)), key=lambda k: -blocks[k].grouping.size))
    for inner, outer in pairwise(order):
        if not is_nested(blocks[inner].grouping, blocks[outer].grouping):
            return None
    return order


def nested_arrays(
    blocks: tuple[RandomBlock, ...], data: Columns, order: tuple[int, ...]
) -> tuple[tuple[Any, ...], tuple[Ints, ...]]:
    """Return the arrays of the nested kernel and the place of each group in its order."""
    rest = np.column_stack([data.X, data.y])
    places, parents = family_order(blocks, order)
    own = []
    for depth, k in enumerate(order):
        right = np.column_stack([*(data.Z[m] for m in order[depth:]), rest])
        grouping = blocks[k].grouping
        codes = places[depth][grouping.codes]
        own.append(by_group(data.Z[k], right, codes, grouping.size).ravel())
    arguments = (
        np.concatenate([*own, np.empty(0)]),
        offsets(own),
        np.array([len(blocks[k].effects) for k in order], dtype=np.int64),
        np.concatenate([*parents, np.empty(0, dtype=np.int64)]),
        offsets(parents),
        families([len(place) for place in places], parents),
        rest.T @ rest,
    )
    return arguments, places


def family_order(
    blocks: tuple[RandomBlock, ...], order: tuple[int, ...]
) -> tuple[tuple[Ints, ...], list[Ints]]:
    """Return the place of each group, by level, and its parent's place, in the order of places.

    Groups of one parent lie side by side.
    """
    places: list[Ints] = []
    parents: list[Ints] = []
    for depth in reversed(range(len(order))):
        grouping = blocks[order[depth]].grouping
        place = np.arange(grouping.size)
        if places:
            above = np.zeros(grouping.size, dtype=np.int64)
            above[grouping.codes] = places[0][blocks[order[depth + 1]].grouping.codes]
            by_parent = np.argsort(above, kind="stable")
            place = np.empty(grouping.size, dtype=np.int64)
            place[by_parent] = np.arange(grouping.size)
            parents.insert(0, above[by_parent])
        places.insert(0, place)
    return tuple(places), parents


def families(sizes: list[int], parents: list[Ints]) -> Ints:
    """Return the first group of each family at each level, shape (F + 1, K).

    The cut depends on the data alone, so that sums are the same whatever the threads.
    """
    if not sizes:
        return np.zeros((2, 0), dtype=np.int64)
    outermost = np.arange(sizes[-1])
    starts = [np.arange(sizes[-1] + 1)]
    for above in reversed(parents):
        outermost = outermost[above]
        starts.insert(0, np.searchsorted(outermost, np.arange(sizes[-1] + 1)))
    number = starts[0][:-1] // FAMILY
    first = np.flatnonzero(np.diff(number, prepend=-1))
    cuts = np.concatenate([first, [sizes[-1]]])
    return np.ascontiguousarray(np.column_stack([level[cuts] for level in starts]), np.int64)


def offsets(parts: list[Any]) -> Ints:
    """Return where each part starts when they are put end to end."""
    return np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
