import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.checks.target import group_target, outermost, row_target
from bayesmlm.errors import StatisticError

RNG = np.random.default_rng(0)


def frame():
    made = pd.DataFrame({"y": RNG.normal(size=36), "school": np.repeat(range(4), 9)})
    return made.assign(room=np.tile(np.repeat(range(3), 3), 4), item=np.tile(range(6), 6))


def test_the_outermost_grouping_and_what_lies_in_it():
    target = group_target(mlm.Model("y ~ 1 + (1 | school/room)", frame()).design, None)
    assert target.grouping.name == "school"
    assert [block.name for block in target.chain] == ["school:room", "school"]
    assert (target.size, target.predicts) == (4, "new group")
    assert target.note == "effects by school:room, school integrated out"


def test_an_inner_grouping_keeps_the_outer_one():
    design = mlm.Model("y ~ 1 + (1 | school/room)", frame()).design
    target = group_target(design, design.block("school:room").grouping)
    assert [block.name for block in target.chain] == ["school:room"]
    assert target.note.endswith("those by school known")


def test_crossed_groupings_need_a_name():
    design = mlm.Model("y ~ 1 + (1 | school) + (1 | item)", frame()).design
    with pytest.raises(StatisticError, match=r"crossed[\s\S]*group='"):
        group_target(design, None)
    named = group_target(design, design.block("item").grouping)
    assert named.note == "effects by item integrated out, those by school known"
    with pytest.raises(StatisticError, match="without groupings"):
        outermost(mlm.Model("y ~ item", frame()).design)


def test_rows_are_predicted_in_the_groups_of_the_largest_grouping():
    data = frame()
    target = row_target(mlm.Model("y ~ 1 + (1 | school/room)", data).design)
    assert [block.name for block in target.chain] == ["school:room"]
    assert target.conditional.chain == ()
    heavy = mlm.Model('y ~ 1 + (1 | gr(school, dist="student"))', data).design
    assert "given the effects as drawn" in row_target(heavy).note
    with pytest.raises(StatisticError, match="not normal"):
        group_target(heavy, None)
    assert row_target(mlm.Model("y ~ item", data).design).chain == ()


def test_without_keeps_everything_but_the_weights():
    data = frame().assign(w=RNG.uniform(1, 2, 36))
    design = mlm.Model("y | weights(w) ~ item + (1 | school)", data).design
    rows = row_target(design).without(np.array([2, 5]))
    assert list(np.flatnonzero(rows.outcome.rows["weights"] == 0)) == [2, 5]
    groups = group_target(design, None).without(np.array([1]))
    weights = groups.outcome.rows["weights"]
    assert (weights[9:18] == 0).all()
    np.testing.assert_array_equal(weights[:9], data["w"][:9])
    assert groups.X is design.X and groups.random is design.random
