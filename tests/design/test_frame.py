import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from bayesmlm.design.frame import narwhalify, read_all, read_columns, snapshot
from bayesmlm.errors import DataError


def frame_of(data, columns=None, **options):
    return read_columns(data, columns or list(data.columns), **options).frame


PAIRS = {
    "integers": ([1, 2, 3], pl.Int32, "int16"),
    "unsigned": ([1, 2, 3], pl.UInt8, "uint8"),
    "floats": ([1.5, 2.0, 3.0], pl.Float32, "float32"),
    "booleans": ([True, False, True], pl.Boolean, "bool"),
    "text": (["b", "a", "b"], pl.String, "str"),
    "text of objects": (["b", "a", "b"], pl.String, "object"),
    "categories": (
        ["b", "a", "b"],
        pl.Enum(["b", "a", "c"]),
        pd.CategoricalDtype(["b", "a", "c"], ordered=True),
    ),
    "nullable integers": ([1, 2, 3], pl.Int64, "Int64"),
    "nullable booleans": ([True, False, True], pl.Boolean, "boolean"),
    "arrow integers": ([1, 2, 3], pl.Int64, pd.ArrowDtype(pa.int64())),
    "arrow text": (["b", "a", "b"], pl.String, pd.ArrowDtype(pa.string())),
}


@pytest.mark.parametrize("name", PAIRS)
def test_pandas_and_polars_give_the_same_column(name):
    values, polars_type, pandas_type = PAIRS[name]
    ours = frame_of(pd.DataFrame({"x": pd.Series(values, dtype=pandas_type)}))
    theirs = frame_of(pl.DataFrame({"x": pl.Series(values, dtype=polars_type)}))
    pd.testing.assert_frame_equal(ours, theirs)


def test_an_arrow_table_is_read_too():
    frame = frame_of(pa.table({"x": [1, 2], "g": ["a", "b"]}), ["x", "g"])
    assert frame["x"].tolist() == [1, 2]
    assert frame["g"].tolist() == ["a", "b"]


def test_categories_keep_their_order():
    values = pd.Categorical(["low", "high", "mid"], categories=["low", "mid", "high", "never"])
    categories = frame_of(pd.DataFrame({"x": values}))["x"].cat.categories
    assert categories.to_list() == ["low", "mid", "high"]
    kind = pl.Enum(["low", "mid", "high", "never"])
    frame = pl.DataFrame({"x": pl.Series(["low", "high", "mid"], dtype=kind)})
    assert frame_of(frame)["x"].cat.categories.to_list() == ["low", "mid", "high"]


@pytest.mark.parametrize("ordered", [True, False])
def test_whether_categories_have_an_order_is_kept(ordered):
    values = pd.Categorical(["low", "high"], categories=["low", "high"], ordered=ordered)
    assert frame_of(pd.DataFrame({"x": values}))["x"].cat.ordered == ordered
    assert not frame_of(pl.DataFrame({"x": ["low", "high"]}))["x"].cat.ordered


def test_polars_categories_without_an_order_are_sorted():
    frame = pl.DataFrame({"x": pl.Series(["b", "c", "a"], dtype=pl.Categorical)})
    assert frame_of(frame)["x"].cat.categories.to_list() == ["a", "b", "c"]


@pytest.mark.parametrize("values", [[10, 9, 10], [2.5, 1.0, 2.5], [True, False, True]])
def test_categories_that_are_no_text(values):
    frame = frame_of(pd.DataFrame({"x": pd.Categorical(values)}))
    assert frame["x"].cat.categories.to_list() == sorted(set(values))
    assert frame["x"].tolist() == values


def test_intervals_become_text():
    frame = frame_of(pd.DataFrame({"x": pd.cut(np.arange(4), [-1, 1, 3])}))
    assert frame["x"].cat.categories.to_list() == ["(-1, 1]", "(1, 3]"]


def test_categories_equal_as_text_are_refused():
    with pytest.raises(DataError, match=r"categories of one name: 1, '1'"):
        frame_of(pd.DataFrame({"x": pd.Categorical([1, "1"], categories=[1, "1"])}))


@pytest.mark.parametrize("library", [pd, pl])
def test_long_identifiers_stay_exact_beside_missing_values(library):
    kind = {"dtype": "Int64"} if library is pd else {}
    ids = library.Series([2**60, 2**60 + 1, None], **kind)
    frame = frame_of(library.DataFrame({"g": ids}), missing="drop")
    assert frame["g"].tolist() == [2**60, 2**60 + 1]
    assert frame["g"].dtype == np.int64


@pytest.mark.parametrize("library", [pd, pl])
def test_unsigned_identifiers_do_not_wrap(library):
    kind = "uint64" if library is pd else pl.UInt64
    frame = frame_of(library.DataFrame({"g": library.Series([2**64 - 1, 1], dtype=kind)}))
    assert frame["g"].tolist() == [2**64 - 1, 1]


def test_integers_of_128_bits():
    small = pl.DataFrame({"x": pl.Series([1, 2], dtype=pl.Int128)})
    assert frame_of(small)["x"].tolist() == [1, 2]
    large = pl.DataFrame({"x": pl.Series([2**100, 2], dtype=pl.Int128)})
    assert frame_of(large)["x"].tolist() == [2.0**100, 2.0]


@pytest.mark.parametrize(
    "series",
    [
        pd.Series([True, None, False]),
        pd.Series([True, None, False], dtype="boolean"),
        pl.Series([True, None, False]),
    ],
)
def test_booleans_with_missing_values_stay_booleans(series):
    library = pd if isinstance(series, pd.Series) else pl
    frame = frame_of(library.DataFrame({"x": series}), missing="drop")
    assert frame["x"].dtype == bool
    assert frame["x"].tolist() == [True, False]


@pytest.mark.parametrize(
    "missing", [np.array(["a", pd.NA], dtype=object), ["a", None], ["a", np.nan]]
)
def test_every_way_to_miss_a_text_is_seen(missing):
    with pytest.raises(DataError, match=r"missing values in x \(1\): 1 of 2 rows"):
        frame_of(pd.DataFrame({"x": missing}))


def test_dropped_rows_are_counted_by_column():
    data = pd.DataFrame({"x": [1.0, np.nan, 3.0, 4.0], "g": ["a", None, None, "b"]})
    rows = read_columns(data, ["x", "g"], missing="drop")
    assert rows.positions.tolist() == [0, 3]
    assert rows.dropped == {"x": 1, "g": 2}
    assert rows.note == "2 of 4 rows dropped, with missing values in x (1), g (2)."
    assert rows.frame.index.tolist() == [0, 1]


def test_columns_that_are_not_used_do_not_matter():
    data = pd.DataFrame({"x": [1.0, 2.0], "unused": [np.nan, np.inf], "day": [pd.NaT, pd.NaT]})
    rows = read_columns(data, ["x"])
    assert rows.note is None
    assert rows.frame.columns.tolist() == ["x"]


def test_an_infinite_value_in_a_dropped_row_is_gone_with_it():
    data = pd.DataFrame({"x": [np.inf, 1.0, 2.0], "y": [np.nan, 1.0, 2.0]})
    assert len(frame_of(data, missing="drop")) == 2
    with pytest.raises(DataError, match=r"infinite values in x \(1\)"):
        frame_of(data[["x"]])


def test_the_index_plays_no_part():
    data = pd.DataFrame({"x": [1.0, 2.0, 3.0]}, index=[7, 7, 7])
    assert frame_of(data).index.tolist() == [0, 1, 2]


def test_no_column_used_still_has_rows():
    assert len(read_columns(pd.DataFrame({"x": [1, 2]}), []).frame) == 2


@pytest.mark.parametrize(
    ("series", "step"),
    [
        (pd.Series(pd.date_range("2020", periods=2)), "the days, or years, since a start"),
        (pl.Series([datetime.date(2020, 1, 1)] * 2), "the days, or years, since a start"),
        (pd.Series([1, "a"]), "astype"),
        (pd.Series([1j, 2j]), "astype"),
        (pd.Series([[1], [2]]), "astype"),
        (pd.Series([np.ones(2), np.ones(2)]), "astype"),
        (pd.Series([2**70, 1]), "astype"),
        (pl.Series([[1], [2]]), "astype"),
        (pl.Series([b"a", b"b"]), "astype"),
        (pl.Series([object(), object()]), "astype"),
    ],
)
def test_other_types_are_refused(series, step):
    library = pd if isinstance(series, pd.Series) else pl
    with pytest.raises(DataError, match=rf"column 'x' holds [\s\S]*numbers, booleans[\s\S]*{step}"):
        frame_of(library.DataFrame({"x": series}))


def test_read_all_leaves_out_what_it_cannot_read():
    data = pd.DataFrame({"x": [1, 2, 3], "day": pd.date_range("2020", periods=3), 7: [1, 2, 3]})
    frame = read_all(data, np.array([0, 2]))
    assert frame.columns.tolist() == ["x"]
    assert frame["x"].tolist() == [1, 3]


@pytest.mark.parametrize("names", [[0], [("a", "b")], [None, 0]])
def test_column_names_that_are_no_text(names):
    data = pd.DataFrame([[1] * (1 + len(names))], columns=["x", *names])
    assert frame_of(data, ["x"])["x"].tolist() == [1]
    with pytest.raises(DataError, match=r"unknown column 'q'[\s\S]*columns.map\(str\)"):
        frame_of(data, ["q"])


def test_a_snapshot_does_not_follow_changes_of_the_data():
    data = pd.DataFrame({"x": [1.0, 2.0]})
    kept = snapshot(data)
    data.loc[0, "x"] = 9.0
    data["z"] = 1
    assert kept["x"].to_list() == [1.0, 2.0]
    assert kept.columns == ["x"]


@pytest.mark.parametrize("library", [pd, pl])
def test_narwhalify(library):
    assert narwhalify(library.DataFrame({"x": [1]})).columns == ["x"]
    with pytest.raises(DataError, match="a data frame without rows"):
        narwhalify(library.DataFrame({"x": []}))


def test_a_column_that_is_in_the_index():
    frame = pd.DataFrame({"y": [1.0, 2.0], "x": [0, 1], "g": ["a", "b"]}).set_index(["x", "g"])
    with pytest.raises(DataError, match=r"unknown column 'g'(.|\n)*data\.reset_index\(\)"):
        read_columns(frame, ["y", "g"])
    with pytest.raises(DataError, match="add the column"):
        read_columns(frame, ["y", "h"])
