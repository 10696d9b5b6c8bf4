import narwhals.stable.v2 as nw
import pandas as pd
import polars as pl
import pytest

from bayesmlm.design.columns import complete_types, to_pandas


def converted(series):
    return pd.Series(to_pandas(nw.from_native(series, series_only=True)))


@pytest.mark.parametrize(
    ("series", "kind"),
    [
        (pd.Series([1, 2], dtype="int8"), "int64"),
        (pd.Series([1, None], dtype="Int8"), "Int64"),
        (pd.Series([1, 2], dtype="float32"), "float64"),
        (pd.Series([1, None], dtype="Float32"), "float64"),
        (pd.Series([True, False]), "bool"),
        (pd.Series([True, None], dtype="boolean"), "boolean"),
        (pd.Series(["a", None]), "category"),
        (pl.Series([1, None]), "Int64"),
        (pl.Series([1.0, None]), "float64"),
        (pl.Series([None, None]), "category"),
        (pl.Series(["1.50"]).str.to_decimal(scale=2), "float64"),
    ],
)
def test_types(series, kind):
    assert converted(series).dtype.name == kind


def test_missing_values_stay_missing():
    assert converted(pl.Series(["a", None])).isna().tolist() == [False, True]
    assert converted(pl.Series([1.0, None])).isna().tolist() == [False, True]
    assert converted(pd.Series(["a", None], dtype="category")).isna().tolist() == [False, True]


def test_complete_types_are_plain():
    frame = pd.DataFrame(
        {
            "i": pd.array([1, 2], dtype="Int64"),
            "b": pd.array([True, False], dtype="boolean"),
            "c": pd.Categorical(["x", "x"], categories=["x", "y"]),
        }
    )
    plain = complete_types(frame)
    assert [kind.name for kind in plain.dtypes] == ["int64", "bool", "category"]
    assert plain["c"].cat.categories.to_list() == ["x"]
