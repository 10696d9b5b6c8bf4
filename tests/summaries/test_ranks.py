import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import SpecError
from bayesmlm.summaries import ranks
from bayesmlm.summaries.ranks import ranks_of


def test_rank_one_is_the_highest():
    effects = np.array([[3.0, 1.0], [1.0, 2.0], [2.0, 3.0]])
    assert ranks_of(effects).tolist() == [[1, 3], [3, 2], [2, 1]]


@pytest.fixture
def result(make_result):
    frame = pd.DataFrame({"g": list("aaabbbccc"), "x": [1.0, 2, 4] * 3})
    frame["y"] = np.random.default_rng(0).normal(size=9)
    u = np.zeros((1, 4, 3, 2))
    u[0, :, :, 0] = [[2, 1, 0], [2, 1, 0], [2, 0, 1], [1, 2, 0]]
    u[0, :, :, 1] = [[0, 1, 2]] * 4
    return make_result(mlm.Model("y ~ x + (x || g)", frame), sd_g=np.ones((1, 4, 2)), u_g=u)


def test_posterior_of_the_rank(result):
    found = ranks(result, "g", probability=0.5)
    assert found.index.tolist() == ["a", "b", "c"]
    assert found["mean"].tolist() == [1.25, 2.0, 2.75]
    assert found["highest"].tolist() == [0.75, 0.25, 0.0]
    assert found.loc["b", "lower"] == pytest.approx(np.quantile([2, 2, 3, 1], 0.25))
    assert found.loc["b", "sd"] == pytest.approx(np.std([2, 2, 3, 1], ddof=1))


def test_by_another_effect(result):
    assert ranks(result, "g", "x").index.tolist() == ["c", "b", "a"]
    with pytest.raises(SpecError, match="does not vary over"):
        ranks(result, "g", "z")


def test_a_maximum_has_one_rank_and_no_interval():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": np.repeat(range(7), 5)})
    frame["y"] = frame["g"] + rng.normal(size=35)
    found = ranks(mlm.Model("y ~ 1 + (1 | g)", frame).fit("reml").result, "g")
    assert sorted(found["mean"]) == list(range(1, 8))
    assert found["sd"].isna().all()
    assert "highest" not in found
