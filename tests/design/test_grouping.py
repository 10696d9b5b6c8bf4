import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesmlm.design.grouping import constant_within, group_rows, is_nested
from bayesmlm.errors import DataError

SCHOOLS = pd.Categorical(["s2", "s1", "s1", "s2", "s1", "s2"])
CLASSES = np.array([1, 1, 2, 2, 2, 1])
FRAME = pd.DataFrame({"school": SCHOOLS, "class": CLASSES})


def test_one_column_is_coded_in_the_order_of_its_labels():
    grouping = group_rows(("school",), FRAME)
    assert grouping.labels == ("s1", "s2")
    assert grouping.codes.tolist() == [1, 0, 0, 1, 0, 1]
    assert grouping.counts.tolist() == [3, 3]
    assert grouping.name == "school"
    assert grouping.codes.dtype == np.int64


def test_a_combination_is_coded_by_outer_then_inner():
    grouping = group_rows(("school", "class"), FRAME)
    assert grouping.name == "school:class"
    assert grouping.labels == ("s1:1", "s1:2", "s2:1", "s2:2")
    assert grouping.codes.tolist() == [2, 0, 1, 3, 1, 2]


def test_only_combinations_that_occur_are_groups():
    grouping = group_rows(("school", "class"), FRAME.iloc[[0, 1]])
    assert grouping.labels == ("s1:1", "s2:1")


def test_three_columns():
    frame = FRAME.assign(year=[1, 1, 1, 2, 2, 2])
    grouping = group_rows(("school", "class", "year"), frame)
    assert grouping.labels == ("s1:1:1", "s1:2:1", "s1:2:2", "s2:1:1", "s2:1:2", "s2:2:2")


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([10.0, 9.0], (9, 10)),
        ([10, 9], (9, 10)),
        ([True, False], (False, True)),
        (pd.Categorical(["b", "a"], categories=["b", "a", "never"]), ("b", "a")),
        (np.array([2**64 - 1, 1], dtype=np.uint64), (1, 2**64 - 1)),
    ],
)
def test_labels_keep_their_kind(values, labels):
    grouping = group_rows(("g",), pd.DataFrame({"g": values}))
    assert grouping.labels == labels
    assert grouping.encode(pd.DataFrame({"g": values})).tolist() == grouping.codes.tolist()


@pytest.mark.parametrize("value", [0.5, 1e300, -2.25])
def test_measurements_are_refused(value):
    with pytest.raises(DataError, match=r"'g' holds numbers that are not whole"):
        group_rows(("g",), pd.DataFrame({"g": [value, 1.0]}))


def test_groups_that_would_share_a_name_are_refused():
    frame = pd.DataFrame({"a": ["x:y", "x"], "b": ["z", "y:z"]})
    with pytest.raises(DataError, match="different groups of a:b have one name: 'x:y:z'"):
        group_rows(("a", "b"), frame)


def test_new_groups_are_minus_one():
    one = group_rows(("school",), FRAME)
    assert one.encode(pd.DataFrame({"school": ["s2", "new", "s1"]})).tolist() == [1, -1, 0]
    two = group_rows(("school", "class"), FRAME)
    new = pd.DataFrame({"school": ["s1", "s1", "new"], "class": [2.0, 3.0, 1.0]})
    assert two.encode(new).tolist() == [1, -1, -1]


@pytest.mark.parametrize("kind", [int, float, str])
def test_new_rows_are_matched_by_label_whatever_its_type(kind):
    grouping = group_rows(("class",), FRAME)
    assert grouping.encode(pd.DataFrame({"class": np.array([2, 1]).astype(kind)})).tolist() == [
        1,
        0,
    ]


def test_nested_and_crossed():
    school, cell = group_rows(("school",), FRAME), group_rows(("school", "class"), FRAME)
    number = group_rows(("class",), FRAME)
    assert is_nested(cell, school)
    assert is_nested(cell, number)
    assert not is_nested(school, cell)
    assert not is_nested(number, school)


def test_constant_within_forgives_rounding_only():
    school = group_rows(("school",), FRAME)
    mean = np.where(SCHOOLS == "s1", 0.1 + 0.2, 5.0)
    mean[1] = 0.3
    assert constant_within(school, mean)
    mean[1] = 0.3 + 1e-6
    assert not constant_within(school, mean)


tables = st.integers(1, 40).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 5), min_size=n, max_size=n),
        st.lists(st.sampled_from("abc"), min_size=n, max_size=n),
        st.lists(st.integers(0, 2), min_size=n, max_size=n),
        st.permutations(range(n)),
    )
)


@given(tables)
def test_permuting_the_rows_permutes_the_codes_and_nothing_else(table):
    numbers, letters, _, order = table
    frame = pd.DataFrame({"a": numbers, "b": pd.Categorical(letters)})
    for columns in (("a",), ("b",), ("a", "b"), ("b", "a")):
        before = group_rows(columns, frame)
        after = group_rows(columns, frame.iloc[list(order)].reset_index(drop=True))
        assert after.labels == before.labels
        assert np.array_equal(after.codes, before.codes[list(order)])


@given(tables)
def test_codes_and_labels_fit_together(table):
    numbers, letters, _, _ = table
    frame = pd.DataFrame({"a": numbers, "b": pd.Categorical(letters)})
    grouping = group_rows(("a", "b"), frame)
    written = [f"{a}:{b}" for a, b in zip(numbers, letters, strict=True)]
    assert [grouping.labels[code] for code in grouping.codes] == written
    assert grouping.counts.min() > 0
    assert grouping.counts.sum() == len(frame)
    assert np.array_equal(grouping.encode(frame), grouping.codes)


@given(tables, st.permutations(range(6)))
def test_relabelling_groups_does_not_change_what_is_constant_in_them(table, names):
    numbers, _, values, _ = table
    values = np.array(values)
    before = group_rows(("a",), pd.DataFrame({"a": numbers}))
    after = group_rows(("a",), pd.DataFrame({"a": [names[number] for number in numbers]}))
    truth = all(len(set(values[before.codes == code])) == 1 for code in range(before.size))
    assert constant_within(before, values) == truth
    assert constant_within(after, values) == truth
    assert constant_within(after, values.astype(float)) == truth
    assert is_nested(before, after)
    assert is_nested(after, before)
