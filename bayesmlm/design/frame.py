"""Data frames in: pandas and polars, through narwhals, checked before anything is built."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design.columns import complete_types, to_pandas
from bayesmlm.errors import DataError, message, suggestion

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw
    import pandas as pd

Array = NDArray[np.float64]

ERROR, REMOVE, KEEP = MISSING = ("error", "drop", "keep")

DROP = 'pass missing="drop" to leave these rows out, or impute them first'
"""What to do about missing values."""


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
    whole
        The frame together with the rows that are kept without a response.
    """

    frame: pd.DataFrame
    positions: NDArray[np.int64]
    dropped: dict[str, int]
    total: int
    whole: pd.DataFrame

    def observed(self, values: Array) -> Array:
        """Return the N rows of what was computed from all rows."""
        return values if self.whole is self.frame else values[self.positions]

    @property
    def kept(self) -> str | None:
        """How many rows are kept without a response, in words, or None."""
        lost = len(self.whole) - len(self.frame)
        if not lost:
            return None
        return (
            f"{lost} of {self.total} rows have no response: taken as missing at random given the "
            'predictors and groups, and predicted by fit.predict("missing").'
        )

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
    from narwhals.exceptions import DuplicateError

    try:
        frame = nw.from_native(data, eager_only=True)
    except DuplicateError:
        count = Counter(getattr(data, "column_names", data.columns))
        repeated = ", ".join(repr(name) for name, times in count.items() if times > 1)
        raise DataError(
            message(
                f"repeated column names: {repeated}",
                "one column a name",
                "rename or remove the copies",
            )
        ) from None
    except TypeError:
        kind = data.__name__ if isinstance(data, type) else type(data).__name__
        raise DataError(
            message(
                f"data of type {kind}",
                "a pandas or polars DataFrame",
                "pass pandas.DataFrame(data), or call .collect() on a lazy frame",
            )
        ) from None
    if frame.shape[0] == 0:
        raise DataError(
            message("a data frame without rows", "one row or more", "check the filter before it")
        )
    return frame


def snapshot(data: Any) -> nw.DataFrame[Any]:
    """Return the data as a narwhals frame that later changes of `data` leave as it is."""
    import narwhals.stable.v2 as nw

    return narwhalify(data).select(nw.all())


def read_columns(
    data: Any,
    used: Iterable[str],
    missing: str = "error",
    step: str = DROP,
    outcome: Iterable[str] = (),
) -> Rows:
    """Read the columns a model uses.

    Parameters
    ----------
    data
        A pandas or polars DataFrame.
    used
        Names of the columns used.
    missing
        ``"error"`` refuses missing values, ``"drop"`` drops their rows and counts them,
        ``"keep"`` keeps rows in which only the outcome is missing, and refuses others.
    step
        What an error advises to do about missing values.
    outcome
        Columns of the response alone.

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
    wanted = list(dict.fromkeys(used))
    index = getattr(source.to_native(), "index", None)
    check_known(wanted, source.columns, getattr(index, "names", ()))
    columns = {name: to_pandas(source[name]) for name in wanted}
    frame = pd.DataFrame(columns, index=pd.RangeIndex(len(source)))
    absent = frame.isna()
    counts = {name: int(absent[name].sum()) for name in wanted if absent[name].any()}
    refused = dict(counts) if missing != REMOVE else {}
    if missing == KEEP:
        refused = {name: count for name, count in counts.items() if name not in set(outcome)}
    if refused:
        refuse_missing(refused, absent[list(refused)], missing, step)
    keep = ~absent.any(axis=1).to_numpy()
    if not keep.any():
        raise DataError(
            message("no row is complete", "one complete row or more", "look at the missing values")
        )
    complete = complete_types(frame.loc[keep].reset_index(drop=True))
    check_finite(complete)
    whole = complete
    if missing == KEEP and not keep.all():
        whole = complete_types(frame.drop(columns=list(counts)))
        check_finite(whole)
    return Rows(
        frame=complete,
        positions=np.flatnonzero(keep),
        dropped=counts if missing == REMOVE else {},
        total=len(frame),
        whole=whole,
    )


def refuse_missing(counts: dict[str, int], absent: pd.DataFrame, missing: str, step: str) -> None:
    """Raise `DataError` for missing values, and say what can be done about them."""
    where = ", ".join(f"{name} ({count})" for name, count in counts.items())
    affected = int(absent.any(axis=1).sum())
    got = f"missing values in {where}: {affected} of {len(absent)} rows"
    if step != DROP:
        raise DataError(message(got, "complete rows", step))
    if missing == KEEP:
        raise DataError(
            message(
                got,
                'rows in which only the response is missing, with missing="keep"',
                'pass missing="drop" to leave these rows out, or impute the predictors first '
                "(several times, fit each, and pool the fits)",
            )
        )
    allowed = 'complete rows, missing="drop", or missing="keep" for a response that is missing'
    raise DataError(message(got, allowed, step))


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
    for name in text_names(source.columns):
        try:
            readable[name] = to_pandas(source[name])
        except DataError:
            continue
    return pd.DataFrame(readable).iloc[positions].reset_index(drop=True)


def read_every(data: Any) -> pd.DataFrame:
    """Read all rows of every column that `read_columns` could read."""
    return read_all(data, np.arange(len(narwhalify(data))))


def check_known(wanted: Iterable[str], columns: Iterable[Any], index: Iterable[Any] = ()) -> None:
    """Raise `DataError` for a column that the data do not have, perhaps in a pandas index."""
    columns = list(columns)
    known = text_names(columns)
    for name in wanted:
        if name not in known:
            listed = ", ".join(map(str, columns[:20])) + (", …" if len(columns) > 20 else "")
            step = "correct the name, or add the column to the data"
            if len(known) < len(columns):
                step += "; column names must be text: data.columns = data.columns.map(str)"
            if name in index:
                step = f"make a column of the index {name!r}: data.reset_index()"
            raise DataError(
                message(
                    f"unknown column {name!r}{suggestion(name, known)}",
                    f"the columns of the data: {listed}",
                    step,
                )
            )


def text_names(columns: Iterable[Any]) -> list[str]:
    """Return the column names that are text, as a formula can write them."""
    return [name for name in columns if isinstance(name, str)]


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
