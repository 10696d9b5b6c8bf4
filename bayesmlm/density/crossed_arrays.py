"""The arrays of the crossed kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.crossed import Leading, Rest
from bayesmlm.density.crossproducts import Columns, by_group
from bayesmlm.density.elimination import (
    DENSE_FROM_START,
    Elimination,
    dense_elimination,
    elimination,
)
from bayesmlm.design import RandomBlock

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

PAIRS_LIMIT = 200_000_000
"""Pairs of effects, within leading groups, whose places are stored; 0.8 GB."""


def crossed_order(blocks: tuple[RandomBlock, ...]) -> tuple[int, ...]:
    """Return the groupings, that with most effects first."""
    return tuple(
        sorted(range(len(blocks)), key=lambda k: -blocks[k].grouping.size * len(blocks[k].effects))
    )


def crossed_arrays(
    blocks: tuple[RandomBlock, ...],
    data: Columns,
    order: tuple[int, ...],
    sparse_columns: int | None = None,
) -> tuple[Leading, Rest, Elimination] | None:
    """Return the arrays of the crossed kernel, None where the remainder fills too much.

    Parameters
    ----------
    sparse_columns
        As of `elimination`.
    """
    lead, q = blocks[order[0]].grouping, len(blocks[order[0]].effects)
    Z, fixed = data.Z[order[0]], np.column_stack([data.X, data.y])
    groups = rest_groups(blocks, order, q * q)
    # Of every row, the groups of the remainder that it is in: one column a grouping.
    members = group_codes(blocks, order)
    met, touched = couplings(lead.codes, members, Z, [data.Z[k] for k in order[1:]], lead.size)
    widths = groups[met[:, 1], 1]
    per_lead = np.bincount(met[:, 0], widths, lead.size).astype(np.int64)
    if (per_lead * (per_lead + 1) // 2).sum() > PAIRS_LIMIT:
        return None
    blocks_met, positions_in, values = rest_blocks(groups, members, [data.Z[k] for k in order[1:]])
    columns = spread(groups[met[:, 1], 0], widths)
    pointers = starts(per_lead)
    one, other, pair_pointers = pairs(pointers, columns)
    shape = eliminated(one, other, blocks_met, groups, sparse_columns)
    if shape is None:
        return None
    left, right = block_columns(groups, blocks_met)
    leading = Leading(
        own=by_group(Z, Z, lead.codes, lead.size),
        fixed=by_group(Z, fixed, lead.codes, lead.size),
        pointers=pointers,
        columns=shape.place[columns],
        values=touched,
        widths=np.repeat(widths, widths),
        scales=np.repeat(groups[met[:, 1], 2], widths),
        pair_pointers=pair_pointers,
        pairs=shape.positions(one, other).astype(np.int32),
    )
    rest = Rest(
        groups=groups,
        blocks=blocks_met,
        pointers=positions_in,
        values=values,
        positions=shape.positions(left, right),
        border=np.concatenate(
            [
                by_group(data.Z[k], fixed, blocks[k].grouping.codes, blocks[k].grouping.size)
                .reshape(-1, fixed.shape[1])
                for k in order[1:]
            ]
        ),
        root=fixed.T @ fixed,
    )  # fmt: skip
    return leading, rest, shape


def rest_groups(blocks: tuple[RandomBlock, ...], order: tuple[int, ...], scale: int) -> Ints:
    """Return `Rest.groups`; scales of the remainder start at `scale`."""
    found, column = [], 0
    for k in order[1:]:
        J, w = blocks[k].grouping.size, len(blocks[k].effects)
        first = column + np.arange(J) * w
        found.append(np.column_stack([first, np.full(J, w), np.full(J, scale)]))
        column += J * w
        scale += w * w
    return np.concatenate(found).astype(np.int64)


def group_codes(blocks: tuple[RandomBlock, ...], order: tuple[int, ...]) -> list[Ints]:
    """Return, for each grouping of the remainder, which of its groups each row is in."""
    sizes = [blocks[k].grouping.size for k in order[1:]]
    first = np.concatenate([[0], np.cumsum(sizes)])
    return [first[m] + blocks[k].grouping.codes for m, k in enumerate(order[1:])]


def couplings(
    codes: Ints, members: list[Ints], Z: Array, others: list[Array], J: int
) -> tuple[Ints, Array]:
    """Return which leading group meets which other, and `Leading.values` in that order."""
    found, parts = [], []
    for own, W in zip(members, others, strict=True):
        met, which = unique_pairs(codes, own)
        found.append(met)
        parts.append(by_group(W, Z, which, len(met)))
    met = np.concatenate(found)
    order = np.lexsort((met[:, 1], met[:, 0]))
    widths = np.concatenate(
        [np.full(len(m), W.shape[1]) for m, W in zip(found, others, strict=True)]
    )
    rows = np.concatenate([part.reshape(-1, Z.shape[1]) for part in parts])
    return met[order], rows[spread(starts(widths)[:-1][order], widths[order])]


def unique_pairs(one: Ints, other: Ints) -> tuple[Ints, Ints]:
    """Return the distinct pairs of two codes, in order, and which of them each row has."""
    size = int(other.max(initial=0)) + 1
    keys, which = np.unique(one * size + other, return_inverse=True)
    return np.column_stack([keys // size, keys % size]), which


def rest_blocks(groups: Ints, members: list[Ints], others: list[Array]) -> tuple[Ints, Ints, Array]:
    """Return `blocks`, `pointers` and `values` of `Rest`."""
    diagonal = np.arange(len(groups))
    met, parts = [np.column_stack([diagonal, diagonal])], []
    for own, W in zip(members, others, strict=True):
        first = int(own.min()) if len(own) else 0
        inside = by_group(W, W, own - first, int((groups[:, 2] == groups[first, 2]).sum()))
        parts.append(inside.ravel())
    for m, own in enumerate(members):
        for k in range(m + 1, len(members)):
            pairs_met, which = unique_pairs(own, members[k])
            met.append(pairs_met)
            parts.append(by_group(others[m], others[k], which, len(pairs_met)).ravel())
    blocks = np.concatenate(met).astype(np.int64)
    sizes = groups[blocks[:, 0], 1] * groups[blocks[:, 1], 1]
    return blocks, starts(sizes), np.concatenate(parts)


def block_columns(groups: Ints, blocks: Ints) -> tuple[Ints, Ints]:
    """Return row and column of every entry of the blocks, row by row."""
    v, w = groups[blocks[:, 0], 1], groups[blocks[:, 1], 1]
    sizes = v * w
    inside = np.arange(sizes.sum()) - np.repeat(starts(sizes)[:-1], sizes)
    wide = np.repeat(w, sizes)
    left = np.repeat(groups[blocks[:, 0], 0], sizes) + inside // wide
    right = np.repeat(groups[blocks[:, 1], 0], sizes) + inside % wide
    return left, right


def pairs(pointers: Ints, columns: Ints) -> tuple[Ints, Ints, Ints]:
    """Return the pairs of columns within each leading group, and where each group's start."""
    n = np.diff(pointers)
    own = np.repeat(pointers[1:], n)
    after = own - np.arange(len(columns))  # partners of each: itself and those after it
    first = np.repeat(np.arange(len(columns)), after)
    inside = np.arange(len(first)) - np.repeat(starts(after)[:-1], after)
    return columns[first], columns[first + inside], starts(n * (n + 1) // 2)


def eliminated(
    one: Ints, other: Ints, blocks: Ints, groups: Ints, sparse_columns: int | None
) -> Elimination | None:
    """Return how the remainder is eliminated."""
    from scipy import sparse

    n = int(groups[-1, 0] + groups[-1, 1])
    if sparse_columns is None and n <= DENSE_FROM_START:
        return dense_elimination(n)
    left, right = block_columns(groups, blocks)
    rows, columns = np.concatenate([one, left]), np.concatenate([other, right])
    entries = np.ones(2 * len(rows), dtype=np.float32)
    both = np.concatenate([rows, columns]), np.concatenate([columns, rows])
    return elimination(sparse.csr_matrix((entries, both), (n, n)), sparse_columns)


def starts(sizes: Any) -> Ints:
    """Return where parts of these sizes start, and where the last ends."""
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def spread(first: Ints, widths: Ints) -> Ints:
    """Return ``first[k], first[k] + 1, …``, ``widths[k]`` of them, one after another."""
    return np.repeat(first - starts(widths)[:-1], widths) + np.arange(widths.sum())
