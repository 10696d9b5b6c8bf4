"""One column of a data frame as a plain type: float, integer, boolean or categorical."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmlm.errors import DataError, message

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw
    import pandas as pd

NULLABLE = {"Int64": np.int64, "UInt64": np.uint64, "boolean": np.bool_}
"""pandas' types of integers and booleans with missing values, and the types without."""


def to_pandas(series: nw.Series[Any]) -> Any:
    """Return a column as float, integer, boolean or categorical.

    Integers and booleans with missing values stay integers and booleans: as floats, long
    identifiers would become equal.

    Raises
    ------
    DataError
        For any other type.
    """
    import narwhals.stable.v2 as nw

    dtype = series.dtype
    if dtype in (nw.Categorical, nw.Enum):
        return categorical(series)
    if dtype == nw.Boolean:
        return nullable(series, "boolean")
    if dtype.is_integer():
        return integers(series)
    if dtype.is_numeric():
        return series.cast(nw.Float64).to_numpy().astype(np.float64)
    return text(series)


def nullable(series: nw.Series[Any], kind: str) -> Any:
    """Return a column as plain integers or booleans, as nullable ones where values miss."""
    import pandas as pd

    if series.is_null().any():
        return pd.array(series.to_list(), dtype=kind)  # type: ignore[call-overload]
    return series.to_numpy().astype(NULLABLE[kind])


def integers(series: nw.Series[Any]) -> Any:
    """Return a column of integers, unsigned where they are too large for the sign."""
    import narwhals.stable.v2 as nw

    if series.dtype in (nw.Int128, nw.UInt128):
        low, high = series.min(), series.max()
        if low is not None and (low < -(2**63) or high >= 2**63):
            return series.cast(nw.Float64).to_numpy().astype(np.float64)
        series = series.cast(nw.Int64)
    largest = series.max()
    wide = largest is not None and largest >= 2**63
    return nullable(series, "UInt64" if wide else "Int64")


def categorical(series: nw.Series[Any]) -> pd.Categorical:
    """Return a column of categories, in their order where they have one of their own."""
    import narwhals.stable.v2 as nw
    import pandas as pd

    native = series.to_native()
    if hasattr(native, "cat") and hasattr(native.cat, "categories"):  # pandas
        given = native.cat.categories.to_list()
        categories = [c if isinstance(c, str | bool | int | float) else str(c) for c in given]
        if len({str(c) for c in categories}) == len(categories):
            codes = native.cat.codes.to_numpy()
            kind = pd.CategoricalDtype(categories, ordered=bool(native.cat.ordered))
            return pd.Categorical.from_codes(codes, dtype=kind)
        raise DataError(
            message(
                f"column {series.name!r} has categories of one name: {listing(given)}",
                "categories that differ as text",
                f"rename the categories of {series.name!r}",
            )
        )
    values = series.to_list()
    known = series.dtype.categories if isinstance(series.dtype, nw.Enum) else None
    return pd.Categorical(values, categories=known, ordered=known is not None)


def text(series: nw.Series[Any]) -> Any:
    """Return a column of text as categories, one of booleans as booleans; refuse others."""
    import pandas as pd

    values = [
        None if missing else value
        for value, missing in zip(series.to_list(), series.is_null().to_list(), strict=True)
    ]
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {str}:
        return pd.Categorical(values)
    if kinds <= {bool, np.bool_}:  # pandas holds booleans with missing values as objects
        return pd.array(values, dtype="boolean")
    found = ", ".join(sorted(kind.__name__ for kind in kinds))
    name = series.name
    if series.dtype.is_temporal():
        step = f"make a number of {name!r}: the days, or years, since a start"
    else:
        step = f"convert {name!r}, for example with .astype(float) or .astype(str)"
    raise DataError(
        message(
            f"column {name!r} holds {series.dtype} ({found})",
            "numbers, booleans, text or categories",
            step,
        )
    )


def listing(values: list[Any]) -> str:
    """Return the first values of a list in words."""
    return ", ".join(map(repr, values[:6])) + (", …" if len(values) > 6 else "")


def complete_types(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame without missing values in plain types, without unused categories."""
    for name in frame.columns:
        column = frame[name]
        if column.dtype.name == "category":
            frame[name] = column.cat.remove_unused_categories()
        elif column.dtype.name in NULLABLE:
            frame[name] = column.to_numpy(dtype=NULLABLE[column.dtype.name])
    return frame
