import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.summaries import icc, variance_function


@pytest.fixture
def result(make_result):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": np.repeat(range(6), 5), "x": rng.normal(size=30)})
    model = mlm.Model("y ~ x + (x | g)", frame.assign(y=rng.normal(size=30)))
    return make_result(
        model,
        sd_g=np.full((1, 2, 2), [2.0, 1.0]),
        corr_g=np.full((1, 2, 1), 0.25),
        sigma=np.full((1, 2), 3.0),
    )


def test_it_is_the_quadratic_of_the_textbook(result):
    found = variance_function(result, {"x": [-2, 0, 1]})["mean"]
    for x in (-2, 0, 1):
        assert found["g", x] == pytest.approx(4 + 2 * 0.5 * x + x**2)
        assert found["residual", x] == pytest.approx(9)
        assert found["total", x] == pytest.approx(found["g", x] + 9)


def test_its_ratio_is_the_intraclass_correlation(result):
    at = {"x": [-1, 1]}
    found, ratio = variance_function(result, at)["mean"], icc(result, at=at)["mean"]
    for x in (-1, 1):
        assert ratio["g", x] == pytest.approx(found["g", x] / found["total", x])


def test_known_sampling_sds_have_no_total(make_result):
    frame = pd.DataFrame({"g": np.repeat(range(4), 3), "x": np.arange(12.0) % 3})
    frame["y"] = np.random.default_rng(1).normal(size=12)
    model = mlm.Model("y | se(2) ~ x + (x || g)", frame)
    found = variance_function(make_result(model, sd_g=np.ones((1, 2, 2))), {"x": 3})
    assert found.index.tolist() == [("g", 3.0)]
    assert found["mean"].iloc[0] == pytest.approx(10)


def test_refused_without_groups(make_result):
    frame = pd.DataFrame({"x": [1.0, 2, 3, 4], "y": [1.0, 3, 2, 5]})
    plain = make_result(mlm.Model("y ~ x", frame), sigma=np.ones((1, 2)))
    with pytest.raises(StatisticError, match="without groups"):
        variance_function(plain, {"x": 1})
