"""Groupings of rows: integer codes and labels, how groupings nest, where a column varies."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.errors import DataError, message

if TYPE_CHECKING:
    import pandas as pd

Codes = NDArray[np.int64]

LARGEST_WHOLE = 2.0**53
"""Size beyond which a float is no longer an exact integer."""


@dataclass(frozen=True)
class Grouping:
    """The groups that the combinations of some columns make.

    Parameters
    ----------
    columns
        The columns combined.
    labels
        One label a group, J in all; of a combination the parts joined by a colon.
    codes
        The group of each row, from 0 to J - 1, shape (N,).
    """

    columns: tuple[str, ...]
    labels: tuple[Any, ...]
    codes: Codes

    @property
    def name(self) -> str:
        """The grouping's name: ``school:class``."""
        return ":".join(self.columns)

    @property
    def size(self) -> int:
        """Number of groups, J."""
        return len(self.labels)

    @property
    def counts(self) -> Codes:
        """Rows in each group, shape (J,)."""
        return np.bincount(self.codes, minlength=self.size)

    def encode(self, frame: pd.DataFrame) -> Codes:
        """Return the codes of other rows, -1 for a group that training did not have."""
        return self.place(group_rows(self.columns, frame))

    def place(self, other: Grouping) -> Codes:
        """Return the codes of the rows of another grouping by the same columns."""
        known = {str(label): at for at, label in enumerate(self.labels)}
        places = [known.get(str(label), -1) for label in other.labels]
        return np.array(places, dtype=np.int64)[other.codes]


def group_rows(columns: tuple[str, ...], frame: pd.DataFrame) -> Grouping:
    """Group rows by the combinations of some columns.

    Raises
    ------
    DataError
        For a column of floats that are not whole numbers, or groups of one name.
    """
    import pandas as pd

    codes, labels = factorise(columns[0], frame)
    for column in columns[1:]:
        inner, inner_labels = factorise(column, frame)
        pairs, first = codes * len(inner_labels) + inner, labels
        codes, found = pd.factorize(pairs, sort=True)
        labels = [
            f"{first[pair // len(inner_labels)]}:{inner_labels[pair % len(inner_labels)]}"
            for pair in found.tolist()
        ]
    check_labels(columns, labels)
    return Grouping(columns, tuple(labels), np.asarray(codes, dtype=np.int64))


def check_labels(columns: tuple[str, ...], labels: list[Any]) -> None:
    """Raise `DataError` for two groups that would be called the same."""
    repeated = [label for label, times in Counter(map(str, labels)).items() if times > 1]
    if repeated:
        raise DataError(
            message(
                f"different groups of {':'.join(columns)} have one name: {repeated[0]!r}",
                "labels that differ, also after joining by a colon",
                f"remove the colons from the labels of {', '.join(columns)}",
            )
        )


def factorise(column: str, frame: pd.DataFrame) -> tuple[Codes, list[Any]]:
    """Return integer codes and sorted labels of one column."""
    import pandas as pd

    values = whole_labels(column, frame)
    if values.dtype.name == "category":
        present = values.cat.remove_unused_categories()
        return present.cat.codes.to_numpy().astype(np.int64), present.cat.categories.to_list()
    codes, found = pd.factorize(values.to_numpy(), sort=True)
    return codes.astype(np.int64), found.tolist()


def whole_labels(column: str, frame: pd.DataFrame) -> pd.Series:
    """Return a grouping column, whole floats as integers.

    Raises
    ------
    DataError
        For floats that are not whole numbers.
    """
    values = frame[column]
    if values.dtype.kind != "f":
        return values
    check_whole(values.to_numpy(), column)
    return values.astype(np.int64)


def check_whole(numbers: NDArray[np.float64], column: str) -> None:
    """Raise `DataError` for floats that are not whole numbers, or too large to be sure."""
    wrong = (numbers != np.floor(numbers)) | (np.abs(numbers) > LARGEST_WHOLE)
    if wrong.any():
        raise DataError(
            message(
                f"grouping column {column!r} holds numbers that are not whole, "
                f"such as {numbers[wrong][0]:g}",
                "text, categories or whole numbers",
                f"if {column!r} is a measurement it is a predictor, not a group; "
                "otherwise label the groups",
            )
        )


def is_nested(inner: Grouping, outer: Grouping) -> bool:
    """Return whether every group of `inner` lies within one group of `outer`."""
    return bool(constant_within(inner, outer.codes))


def constant_within(grouping: Grouping, values: NDArray[Any]) -> bool:
    """Return whether `values` take one value within every group.

    Parameters
    ----------
    values
        Shape (N,); floats are compared to a relative accuracy of 1e-9 of their spread.
    """
    first = np.empty(grouping.size, dtype=np.int64)
    first[grouping.codes[::-1]] = np.arange(len(values))[::-1]
    representative = values[first][grouping.codes]
    if values.dtype.kind == "f":
        spread = float(np.ptp(values)) if len(values) else 0.0
        return bool((np.abs(values - representative) <= 1e-9 * spread).all())
    return bool((values == representative).all())
