"""Cross-products of the leading grouping, the largest, group by group.

Given the fixed effects and all other effects its effects are independent from group to group,
so any groups can be drawn alone, and memory is bounded by the number drawn at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.leading_draws import draw_range
from bayesmlm.density.structure import Structure
from bayesmlm.density.threads import spread

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Leading:
    """Cross-products of J groups of the leading grouping with q effects each.

    Parameters
    ----------
    own
        With their own columns, shape (J, q, q).
    fixed
        With fixed columns and response, shape (J, q, p + 1).
    pointers, columns, values
        With the columns of other groupings that occur in the group, as a sparse matrix by
        rows: shapes (J + 1,), (n,) and (n, q).
    """

    own: Array
    fixed: Array
    pointers: Integers
    columns: Integers
    values: Array

    def take(self, groups: Integers) -> Leading:
        """Return some of the groups."""
        counts = np.diff(self.pointers)[groups]
        pointers = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        at = np.arange(pointers[-1]) + np.repeat(self.pointers[groups] - pointers[:-1], counts)
        return Leading(
            self.own[groups], self.fixed[groups], pointers, self.columns[at], self.values[at]
        )


def leading(structure: Structure, p: int) -> Leading:
    """Return the leading grouping's part of a structure with p fixed columns."""
    if not structure.is_nested:
        part, _, shape = structure.arguments
        back = np.argsort(shape.place)
        return Leading(part.own, part.fixed, part.pointers, back[part.columns], part.values)
    flat, _, _, parents, parent_starts, _, _ = structure.arguments
    J, q = structure.sizes[0], structure.widths[0]
    outer = sum(structure.widths[1:])
    D = q + outer + p + 1
    place = structure.places[0]
    rows = flat[: J * q * D].reshape(J, q, D)[place]
    columns = np.empty((J, outer), dtype=np.int64)
    at, first = 0, 0
    levels = zip(structure.places[1:], structure.widths[1:], strict=True)
    for k, (places, w) in enumerate(levels):
        place = parents[parent_starts[k] + place]
        group = np.argsort(places)[place]
        columns[:, at : at + w] = first + group[:, None] * w + np.arange(w)
        at, first = at + w, first + len(places) * w
    values = rows[:, :, q : q + outer].transpose(0, 2, 1).reshape(J * outer, q)
    return Leading(
        own=np.ascontiguousarray(rows[:, :, :q]),
        fixed=np.ascontiguousarray(rows[:, :, q + outer :]),
        pointers=np.arange(J + 1) * outer,
        columns=columns.ravel(),
        values=np.ascontiguousarray(values),
    )


def draw_leading(work: float, part: Leading, arguments: tuple[Any, ...], noise: Array) -> Array:
    """Return the effects of the groups of `part`; `noise` is overwritten."""
    arrays = part.own, part.fixed, part.pointers, part.columns, part.values
    spread(draw_range, len(part.own), work, *arrays, *arguments, noise)
    return noise
