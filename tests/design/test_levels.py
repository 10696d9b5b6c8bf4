import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bayesmlm as mlm
from bayesmlm.design.grouping import group_rows
from bayesmlm.design.levels import CONSTANT, column_level, detect_levels


def detected(frame, *groupings):
    return detect_levels(tuple(group_rows(columns, frame) for columns in groupings), frame)


THREE = pd.DataFrame(
    {
        "score": np.arange(12.0),
        "school": np.repeat(["A", "B"], 6),
        "class": np.repeat([1, 2, 1, 2], 3),
        "size": np.repeat([20.0, 25.0, 30.0, 20.0], 3),
        "sector": np.repeat(["public", "private"], 6),
        "year": 2020,
    }
)


def test_three_levels():
    levels = detected(THREE, ("school",), ("school", "class"))
    assert str(levels) == (
        "level 1: 12 rows; score varies here\n"
        "level 2: school:class, 4 groups of 3, nested in school; size varies here\n"
        "level 3: school, 2 groups of 6; sector varies here\n"
        "constant in all rows: year"
    )


def test_four_levels_are_numbered_by_the_longest_chain():
    frame = THREE.assign(region="north", pupil=np.arange(12) // 2)
    frame.loc[6:, "region"] = "south"
    frame = pd.concat([frame, frame.assign(school=frame["school"] + "x", score=0.5)])
    frame = frame.reset_index(drop=True)
    levels = detected(
        frame, ("region",), ("region", "school"), ("region", "school", "class", "pupil")
    )
    assert [(level.number, level.grouping.name) for level in levels.levels] == [
        (2, "region:school:class:pupil"),
        (3, "region:school"),
        (4, "region"),
    ]


def test_crossed_groupings_are_said_to_be_crossed():
    frame = pd.DataFrame(
        {
            "y": np.arange(6.0),
            "pupil": np.repeat(["p", "q", "r"], 2),
            "item": np.tile([1, 2], 3),
            "age": np.repeat([9.0, 10.0, 11.0], 2),
            "difficulty": np.tile([0.1, 0.9], 3),
        }
    )
    assert str(detected(frame, ("pupil",), ("item",))) == (
        "level 1: 6 rows; y varies here\n"
        "level 2: pupil, 3 groups of 2; age varies here\n"
        "level 2: item, 2 groups of 3; difficulty varies here\n"
        "pupil and item are crossed"
    )


def test_groups_that_nest_in_fact_are_told_whatever_the_formula_says():
    frame = THREE.assign(room=np.repeat(["A1", "A2", "B1", "B2"], 3))
    levels = detected(frame, ("school",), ("room",))
    assert levels.crossed == ()
    assert levels.levels[0].grouping.name == "room"
    assert levels.levels[0].nested_in == ("school",)


def test_without_groups_all_is_level_1():
    levels = detected(THREE[["score", "year"]])
    assert str(levels) == "level 1: 12 rows; score varies here\nconstant in all rows: year"


def test_high_school_and_beyond():
    model = mlm.Model("mathach ~ ses + sector + meanses + (ses | school)", hsb())
    assert str(model.design.levels) == (
        "level 1: 7,185 rows; mathach and ses vary here\n"
        "level 2: school, 160 groups of 14–67; sector and meanses vary here"
    )
    assert str(model.levels()).splitlines()[1] == (
        "level 2: school, 160 groups of 14–67; size, sector, pracad, disclim, himinty and "
        "meanses vary here"
    )


def hsb():
    return mlm.datasets.load("high_school_beyond")


def test_predictors_are_told_by_level_too():
    model = mlm.Model(
        "mathach ~ within(ses, school) + between(ses, school)*sector + (1 | school)", hsb()
    )
    assert model.design.factor_levels == {
        "between(ses, school)": ("school",),
        "sector": ("school",),
    }


def test_a_missing_value_is_a_value_and_no_warning():
    frame = pd.DataFrame(
        {
            "g": np.repeat(["a", "b", "c"], 2),
            "upper": np.repeat([np.nan, 1.0, 2.0], 2),
            "lower": [np.nan, 1.0, 1.0, 1.0, 2.0, 2.0],
            "infinite": [np.inf, 1.0, 1.0, 1.0, 2.0, 2.0],
            "count": pd.array([1, None, 2, 2, 3, 3], dtype="Int64"),
            "empty": np.nan,
        }
    )
    levels = detected(frame, ("g",))
    assert levels.levels[0].columns == ("upper",)
    assert levels.columns == ("lower", "infinite", "count")
    assert levels.constant == ("empty",)


def test_a_column_lives_on_the_coarsest_grouping_it_is_constant_in():
    groupings = tuple(group_rows(c, THREE) for c in (("school", "class"), ("school",)))
    assert column_level(groupings, THREE["sector"]) == ("school",)
    assert column_level(groupings, THREE["size"]) == ("school", "class")
    assert column_level(groupings, THREE["score"]) is None
    assert column_level(groupings, THREE["year"]) == CONSTANT


@pytest.mark.parametrize("kind", ["float64", "int64", "str", "category", "bool"])
def test_the_type_of_a_column_plays_no_part(kind):
    frame = pd.DataFrame({"g": [1, 1, 2, 2], "x": [0, 0, 1, 1], "z": [0, 1, 0, 1]})
    typed = frame.assign(x=frame["x"].astype(kind), z=frame["z"].astype(kind))
    levels = detected(typed, ("g",))
    assert levels.levels[0].columns == ("x",)
    assert levels.columns == ("z",)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=2, max_size=30),
    st.permutations(range(4)),
    st.permutations(range(3)),
    st.randoms(use_true_random=False),
)
def test_levels_do_not_depend_on_labels_or_order(rows, names, values, random):
    frame = pd.DataFrame(rows, columns=["g", "x"])
    renamed = pd.DataFrame(
        {"g": frame["g"].map(lambda k: names[k]), "x": frame["x"].map(lambda k: values[k])}
    )
    shuffled = renamed.sample(frac=1, random_state=random.randrange(1000)).reset_index(drop=True)
    before, after = detected(frame, ("g",)), detected(shuffled, ("g",))
    assert (before.columns, before.constant) == (after.columns, after.constant)
    assert before.levels[0].columns == after.levels[0].columns
