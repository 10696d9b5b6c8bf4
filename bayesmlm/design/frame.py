"""Data frames in: pandas and polars, through narwhals, checked before anything is built."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.errors import DataError, message, suggestion

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw
    import pandas as pd

MISSING = ("error", "drop")


@dataclass(frozen=True)
class Rows:
    """The rows a model uses.

    Parameters
    ----------
    frame
        The used columns, numeric, boolean or categorical; N rows.
    positions
        Positions of these rows in the data given, shape (N,).
    dropped
        Number of missing values by column, where rows with missing values were dropped.
    total
        Number of rows given.
    """

    frame: pd.DataFrame
    positions: NDArray[np.int64]
    dropped: dict[str, int]
    total: int

    @property
    def note(self) -> str | None:
        """What was dropped, in words, or None."""
        if not self.dropped:
            return None
        where = ", ".join(f"{name} ({count})" for name, count in self.dropped.items())
        lost = self.total - len(self.positions)
        return f"{lost} of {self.total} rows dropped, with missing values in {where}."


def narwhalify(data: Any) -> nw.DataFrame[Any]:
    """Return the data as a narwhals frame.

    Raises
    ------
    DataError
        If the data are not an eager data frame, have repeated column names, or no rows.
    """
    import narwhals.stable.v2 as nw

    names = [str(name) for name in getattr(data, "columns", ())]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(
            message(
                f"repeated column names: {', '.join(map(repr, repeated))}",
                "one column a name",
                "rename or remove the copies",
            )
        )
    try:
        frame = nw.from_native(data, eager_only=True)
    except TypeError:
        raise DataError(
            message(
                f"data of type {type(data).__name__}",
                "a pandas or polars DataFrame",
                "pass pandas.DataFrame(data), or call .collect() on a lazy frame",
            )
        ) from None
    if frame.shape[0] == 0:
        raise DataError(
            message("a data frame without rows", "one row or more", "check the filter before it")
        )
    return frame


def read_columns(data: Any, columns: Iterable[str], missing: str = "error") -> Rows:
    """Read the columns a model uses.

    Parameters
    ----------
    data
        A pandas or polars DataFrame.
    columns
        The columns used.
    missing
        ``"error"`` refuses missing values, ``"drop"`` drops their rows and counts them.

    Raises
    ------
    DataError
        For an unknown column, missing values (unless dropped), infinite values, or a
        column that is neither numeric, boolean, text nor categorical.
    """
    import pandas as pd

    if missing not in MISSING:
        raise DataError(
            message(f"missing={missing!r}", ", ".join(map(repr, MISSING)), "choose one of these")
        )
    source = narwhalify(data)
    wanted = list(dict.fromkeys(columns))
    check_known(wanted, source.columns)
    series = {name: to_pandas(source[name]) for name in wanted}
    frame = pd.DataFrame(series)
    absent = frame.isna()
    counts = {name: int(absent[name].sum()) for name in wanted if absent[name].any()}
    if counts and missing == "error":
        where = ", ".join(f"{name} ({count})" for name, count in counts.items())
        affected = int(absent.any(axis=1).sum())
        raise DataError(
            message(
                f"missing values in {where}: {affected} of {len(frame)} rows",
                'complete rows, or missing="drop"',
                'pass missing="drop" to leave these rows out, or impute them first',
            )
        )
    keep = ~absent.any(axis=1).to_numpy()
    if not keep.any():
        raise DataError(
            message("no row is complete", "one complete row or more", "look at the missing values")
        )
    check_finite(frame)
    return Rows(
        frame=drop_unused_categories(frame.loc[keep].reset_index(drop=True)),
        positions=np.flatnonzero(keep),
        dropped=counts,
        total=len(frame),
    )


def read_all(data: Any, positions: NDArray[np.int64]) -> pd.DataFrame:
    """Read the used rows of every column that `read_columns` could read.

    Parameters
    ----------
    data
        A pandas or polars DataFrame.
    positions
        Positions of the rows used.
    """
    import pandas as pd

    source = narwhalify(data)
    readable = {}
    for name in source.columns:
        try:
            readable[name] = to_pandas(source[name])
        except DataError:
            continue
    return pd.DataFrame(readable).iloc[positions].reset_index(drop=True)


def check_known(wanted: Iterable[str], known: list[str]) -> None:
    """Raise `DataError` for a column that the data do not have."""
    for name in wanted:
        if name not in known:
            listed = ", ".join(known[:20]) + (", …" if len(known) > 20 else "")
            raise DataError(
                message(
                    f"unknown column {name!r}{suggestion(name, known)}",
                    f"the columns of the data: {listed}",
                    "correct the name, or add the column to the data",
                )
            )


def check_finite(frame: pd.DataFrame) -> None:
    """Raise `DataError` for infinite values."""
    infinite = {
        str(name): int(np.isinf(column.to_numpy()).sum())
        for name, column in frame.items()
        if column.dtype.kind == "f" and np.isinf(column.to_numpy()).any()
    }
    if infinite:
        where = ", ".join(f"{name} ({count})" for name, count in infinite.items())
        raise DataError(
            message(f"infinite values in {where}", "finite numbers", "correct or remove these rows")
        )


def drop_unused_categories(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with categories that no row has removed."""
    for name in frame.columns:
        if frame[name].dtype.name == "category":
            frame[name] = frame[name].cat.remove_unused_categories()
    return frame


def to_pandas(series: nw.Series[Any]) -> Any:
    """Return a column as a plain pandas array: float, integer, boolean or categorical."""
    import narwhals.stable.v2 as nw
    import pandas as pd

    dtype = series.dtype
    if dtype == nw.Boolean and not series.is_null().any():
        return series.to_numpy().astype(bool)
    if dtype.is_integer() and not series.is_null().any():
        return series.to_numpy().astype(np.int64)
    if dtype.is_numeric() or dtype == nw.Boolean:
        return series.cast(nw.Float64).to_numpy().astype(np.float64)
    if dtype in (nw.Categorical, nw.Enum):
        categories = series.cat.get_categories().to_list()
        return pd.Categorical(series.to_list(), categories=categories)
    values = series.to_list()
    present = [value for value in values if not (value is None or value != value)]
    kinds = {type(value) for value in present}
    if kinds <= {str}:
        return pd.Categorical([v if isinstance(v, str) else None for v in values])
    found = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise DataError(
        message(
            f"column {series.name!r} holds {dtype} ({found})",
            "numbers, booleans, text or categories",
            f"convert {series.name!r}, for example with .astype(float) or .astype(str)",
        )
    )
