import json

import numpy as np
import pandas as pd
import pytest

from bayesmlm.design.centring import group_means, label_text
from bayesmlm.design.encoding import encode
from bayesmlm.errors import DataError
from bayesmlm.spec.terms import Term

TRAIN = pd.DataFrame(
    {"x": [1.0, 3.0, 10.0, 20.0, 30.0], "g": pd.Categorical(["a", "a", "b", "b", "b"])}
)


def learnt(factor, frame=TRAIN):
    encoding, matrix = encode((Term((factor,)),), frame)
    return encoding, matrix[:, 0].tolist()


def test_within_is_the_deviation_from_the_group_mean():
    assert learnt("within(x, g)")[1] == [-1.0, 1.0, -10.0, 0.0, 10.0]


def test_between_is_the_group_mean():
    assert learnt("between(x, g)")[1] == [2.0, 2.0, 20.0, 20.0, 20.0]


def test_grand_is_the_deviation_from_the_mean_of_the_rows():
    assert learnt("grand(x)")[1] == pytest.approx((TRAIN["x"] - 12.8).tolist())


def test_within_and_between_make_the_variable():
    within, between = learnt("within(x, g)")[1], learnt("between(x, g)")[1]
    assert np.add(within, between).tolist() == TRAIN["x"].tolist()


NEW = pd.DataFrame({"x": [5.0, 5.0, 7.0, 1.0], "g": pd.Categorical(["a", "b", "new", "new"])})


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        ("between(x, g)", [2.0, 20.0, 4.0, 4.0]),
        ("within(x, g)", [3.0, -15.0, 3.0, -3.0]),
        ("grand(x)", [-7.8, -7.8, -5.8, -11.8]),
    ],
)
def test_on_new_data_known_groups_keep_their_mean_and_new_ones_use_their_rows(factor, expected):
    encoding, _ = learnt(factor)
    assert encoding.apply(NEW)[:, 0] == pytest.approx(expected)
    # and applying it has taught it nothing
    assert encoding.apply(NEW)[:, 0] == pytest.approx(expected)
    assert encoding.apply(TRAIN)[:, 0].tolist() == learnt(factor)[1]


def test_what_was_learnt_is_json():
    encoding, _ = learnt("within(x, g)")
    state = json.loads(json.dumps(encoding.state))
    assert state == {"within(x, g)": {"groups": ["a", "b"], "means": [2.0, 20.0]}}


@pytest.mark.parametrize("kind", [int, float, str])
def test_groups_are_known_by_their_label_whatever_its_type(kind):
    encoding, _ = learnt("between(x, g)", TRAIN.assign(g=[1, 1, 2, 2, 2]))
    new = pd.DataFrame({"x": [0.0, 0.0], "g": np.array([2, 1]).astype(kind)})
    assert encoding.apply(new)[:, 0].tolist() == [20.0, 2.0]


def test_whole_floats_are_labelled_as_integers():
    assert label_text(np.array([1.0, 2.0])) == ["1", "2"]
    assert label_text(np.array([True, False])) == ["True", "False"]


@pytest.mark.parametrize("value", [1.5, 1e300])
def test_measurements_are_no_groups(value):
    with pytest.raises(DataError, match="grouping column 'g' holds numbers that are not whole"):
        learnt("within(x, g)", TRAIN.assign(g=[value, 1.0, 1.0, 2.0, 2.0]))


@pytest.mark.parametrize("factor", ["within(t, g)", "between(t, g)", "grand(t)"])
def test_text_is_not_centred_even_where_it_reads_as_numbers(factor):
    frame = TRAIN.assign(t=pd.Categorical(["1", "2", "3", "4", "5"]))
    with pytest.raises(DataError, match="'t' to be centred is text"):
        learnt(factor, frame)


def test_state_that_is_there_is_used_and_kept():
    state = {"groups": ["a"], "means": [100.0]}
    assert group_means([1.0, 2.0], ["a", "b"], state).tolist() == [100.0, 2.0]
    assert state == {"groups": ["a"], "means": [100.0]}
