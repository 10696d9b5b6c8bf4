"""Sets of rows that are averaged over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design.frame import check_known
from bayesmlm.errors import DataError, message

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

By = bool | str | Sequence[str]
"""True averages over all rows; names of columns, over the rows of each combination."""


@dataclass(frozen=True)
class Sets:
    """Which set each row belongs to.

    Parameters
    ----------
    columns
        Whose values make the sets; none where all rows are one.
    labels
        The values, one tuple a set.
    codes
        The set of each row, shape (N,).
    """

    columns: tuple[str, ...]
    labels: tuple[tuple[Any, ...], ...]
    codes: Integers

    @property
    def size(self) -> int:
        """Number of sets, G."""
        return len(self.labels)

    def add(self, sums: Array, rows: Integers, values: Array) -> None:
        """Add the values of some rows, shape (rows, …), to the sums of their sets, (G, …)."""
        codes = self.codes[rows]
        for code in np.unique(codes):
            sums[code] += values[codes == code].sum(axis=0)

    @property
    def counts(self) -> Integers:
        """Rows in each set, shape (G,)."""
        return np.bincount(self.codes, minlength=self.size)


def sets(data: nw.DataFrame[Any], by: By) -> Sets:
    """Return the sets of rows that columns of the data make, in sorted order.

    Raises
    ------
    DataError
        For a column that the data do not have, or that has missing values.
    """
    if by is True:
        return Sets((), ((),), np.zeros(len(data), dtype=np.int64))
    columns = (by,) if isinstance(by, str) else tuple(by)  # type: ignore[arg-type]
    check_known(columns, data.columns)
    codes, labels = np.zeros(len(data), dtype=np.int64), [()]
    for column in columns:
        series = data[column]
        if series.is_null().any():
            raise DataError(
                message(
                    f"missing values in {column!r}, by which rows are averaged",
                    "complete values",
                    "leave these rows out, or average by another column",
                )
            )
        own, values = values_of(series.to_list())
        pairs, codes = np.unique(codes * len(values) + own, return_inverse=True)
        labels = [(*labels[at // len(values)], values[at % len(values)]) for at in pairs]
    return Sets(columns, tuple(labels), codes)


def values_of(values: list[Any]) -> tuple[Integers, list[Any]]:
    """Return codes and sorted distinct values."""
    try:
        distinct = sorted(set(values))
    except TypeError:  # of values without an order
        distinct = sorted(set(values), key=str)
    place = {value: at for at, value in enumerate(distinct)}
    return np.array([place[value] for value in values], dtype=np.int64), distinct
