import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.summaries import icc
from bayesmlm.summaries.icc import intraclass_correlation


def frame_of(n=24):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "district": np.repeat([1, 2, 3], n // 3),
            "school": np.repeat(np.arange(6), n // 6),
            "item": np.tile(np.arange(4), n // 4),
            "x": rng.normal(size=n),
            "y": rng.normal(size=n),
            "count": rng.poisson(2, size=n),
        }
    )


def test_formula_by_hand():
    tau, sigma = np.array([4.0, 1.0]), np.array([12.0, 3.0])
    assert np.allclose(intraclass_correlation([tau], [tau], sigma), [0.25, 0.25])


def test_one_way(make_result):
    model = mlm.Model("y ~ 1 + (1 | school)", frame_of())
    result = make_result(model, sd_school=np.full((1, 2, 1), 2.0), sigma=np.full((1, 2), 4.0))
    assert icc(result).loc["school", "mean"] == pytest.approx(4 / 20)


def test_inner_group_shares_the_outer_one(make_result):
    """Raudenbush & Bryk (2002), chapter 8: pupils in schools in districts."""
    model = mlm.Model("y ~ 1 + (1 | district) + (1 | school)", frame_of())
    result = make_result(
        model,
        sd_district=np.full((1, 2, 1), 1.0),
        sd_school=np.full((1, 2, 1), 2.0),
        sigma=np.full((1, 2), 3.0),
    )
    table = icc(result)
    assert table.loc["district", "mean"] == pytest.approx(1 / 14)
    assert table.loc["school", "mean"] == pytest.approx(5 / 14)
    assert table.loc["school", "shared"] == "school, district"


def test_crossed_groups_share_only_themselves(make_result):
    model = mlm.Model("y ~ 1 + (1 | school) + (1 | item)", frame_of())
    result = make_result(
        model,
        sd_school=np.full((1, 2, 1), 1.0),
        sd_item=np.full((1, 2, 1), 2.0),
        sigma=np.full((1, 2), 3.0),
    )
    table = icc(result)
    assert table.loc["school", "mean"] == pytest.approx(1 / 14)
    assert table.loc["item", "mean"] == pytest.approx(4 / 14)


def test_posterior_of_the_icc_is_not_the_icc_of_posterior_means(make_result):
    model = mlm.Model("y ~ 1 + (1 | school)", frame_of())
    sds = np.array([[[1.0], [3.0]]])
    result = make_result(model, sd_school=sds, sigma=np.ones((1, 2)))
    assert icc(result).loc["school", "mean"] == pytest.approx((1 / 2 + 9 / 10) / 2)


def test_refused_where_there_is_no_level_1_variance(make_result):
    poisson = mlm.Model("count ~ 1 + (1 | school)", frame_of(), family="poisson")
    with pytest.raises(StatisticError, match="poisson family has no level-1 variance"):
        icc(make_result(poisson, sd_school=np.ones((1, 2, 1))))
    known = mlm.Model("y | se(2) ~ 1 + (1 | school)", frame_of())
    with pytest.raises(StatisticError, match="known"):
        icc(make_result(known, sd_school=np.ones((1, 2, 1))))


def test_refused_without_groups(make_result):
    model = mlm.Model("y ~ x", frame_of())
    with pytest.raises(StatisticError, match="without groups"):
        icc(make_result(model, beta=np.zeros((1, 2, 2)), sigma=np.ones((1, 2))))
