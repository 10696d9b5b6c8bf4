"""The levels of the data: which grouping nests in which, and on which level a column varies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design.grouping import Grouping, constant_within, is_nested

if TYPE_CHECKING:
    import pandas as pd

CONSTANT: tuple[str, ...] = ()
"""The grouping of a column that does not vary at all."""


@dataclass(frozen=True)
class Level:
    """One grouping as a level of the data.

    Parameters
    ----------
    number
        2 for the innermost groupings; one more than the highest level nested in it.
    grouping
        The grouping.
    nested_in
        Names of the groupings that each of its groups lies within.
    columns
        Data columns that vary between its groups and not within them.
    """

    number: int
    grouping: Grouping
    nested_in: tuple[str, ...]
    columns: tuple[str, ...]

    def __str__(self) -> str:
        counts = self.grouping.counts
        low, high = int(counts.min()), int(counts.max())
        sizes = f"{low}" if low == high else f"{low}–{high}"
        text = (
            f"level {self.number}: {self.grouping.name}, {self.grouping.size:,} groups of {sizes}"
        )
        if self.nested_in:
            text += f", nested in {', '.join(self.nested_in)}"
        return text + varying(self.columns)

    __repr__ = __str__


def varying(columns: tuple[str, ...]) -> str:
    """Return "; a, b and c vary here", or an empty string."""
    if not columns:
        return ""
    if len(columns) == 1:
        return f"; {columns[0]} varies here"
    return f"; {', '.join(columns[:-1])} and {columns[-1]} vary here"


@dataclass(frozen=True)
class Levels:
    """What was detected about the levels of the data.

    Parameters
    ----------
    rows
        Number of rows, N.
    columns
        Columns that vary within every grouping: level 1.
    levels
        The groupings, innermost first.
    crossed
        Pairs of groupings of which neither nests in the other.
    constant
        Columns that do not vary at all.
    """

    rows: int
    columns: tuple[str, ...]
    levels: tuple[Level, ...]
    crossed: tuple[tuple[str, str], ...]
    constant: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"level 1: {self.rows:,} rows" + varying(self.columns)]
        lines += [str(level) for level in self.levels]
        lines += [f"{first} and {second} are crossed" for first, second in self.crossed]
        if self.constant:
            lines.append(f"constant in all rows: {', '.join(self.constant)}")
        return "\n".join(lines)

    __repr__ = __str__


def detect_levels(groupings: tuple[Grouping, ...], frame: pd.DataFrame) -> Levels:
    """Detect nesting, crossing, and the level on which every column of `frame` varies."""
    inside = {
        (a.name, b.name): is_nested(a, b) for a in groupings for b in groupings if a.name != b.name
    }
    numbers = {g.name: level_number(g.name, inside) for g in groupings}
    keys = {column for grouping in groupings for column in grouping.columns}
    home = {str(name): column_level(groupings, frame[name]) for name in frame if name not in keys}

    def living(columns: tuple[str, ...] | None) -> tuple[str, ...]:
        return tuple(name for name, place in home.items() if place == columns)

    levels = [
        Level(
            number=numbers[g.name],
            grouping=g,
            nested_in=tuple(b.name for b in groupings if inside.get((g.name, b.name))),
            columns=living(g.columns),
        )
        for g in groupings
    ]
    names = [g.name for g in groupings]
    crossed = tuple(
        (a, b)
        for i, a in enumerate(names)
        for b in names[i + 1 :]
        if not inside[(a, b)] and not inside[(b, a)]
    )
    ordered = tuple(sorted(levels, key=lambda level: (level.number, -level.grouping.size)))
    return Levels(len(frame), living(None), ordered, crossed, living(CONSTANT))


def level_number(name: str, inside: Mapping[tuple[str, str], bool]) -> int:
    """Return 2 plus the length of the longest chain of groupings nested in `name`."""
    below = [a for (a, b), nested in inside.items() if b == name and nested and not inside[(b, a)]]
    return 2 if not below else 1 + max(level_number(a, inside) for a in below)


def column_level(groupings: tuple[Grouping, ...], column: pd.Series) -> tuple[str, ...] | None:
    """Return the columns of the coarsest grouping within which `column` does not vary.

    None means that it varies within every grouping (level 1), `CONSTANT` that it never varies.
    """
    values = comparable(column)
    if bool((values == values[0]).all()):
        return CONSTANT
    homes = [g for g in groupings if constant_within(g, values)]
    return min(homes, key=lambda g: g.size).columns if homes else None


def comparable(column: pd.Series) -> NDArray[Any]:
    """Return the values of a column as numbers that are equal where the values are."""
    import pandas as pd

    if column.dtype.kind in "fiub" and not column.hasnans:
        values = column.to_numpy()
        if np.isfinite(values).all():
            return values
    return np.asarray(pd.factorize(column)[0])
