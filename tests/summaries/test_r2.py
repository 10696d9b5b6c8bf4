import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.summaries.r2 import DEFINITIONS, r2


@pytest.fixture
def result(make_result):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": np.repeat(range(6), 5)})
    model = mlm.Model("y ~ 1 + (1 | g)", frame.assign(y=rng.normal(size=30)))
    return make_result(
        model,
        beta=rng.normal(size=(1, 8, 1)),
        sd_g=rng.uniform(1, 2, (1, 8, 1)),
        u_g=rng.normal(size=(1, 8, 6, 1)),
        sigma=rng.uniform(1, 2, (1, 8)),
    )


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_every_kind_has_posteriors_below_one(kind, result):
    found = r2(result, kind)
    assert {"mean", "sd", "lower", "upper"} <= set(found)
    assert (found["mean"] <= 1).all()


def test_refusals(result):
    with pytest.raises(StatisticError, match="did you mean 'nakagawa'"):
        r2(result, "nakagava")
    with pytest.raises(StatisticError, match="by_level= with kind='bayes'"):
        r2(result, "bayes", by_level=False)
    with pytest.raises(StatisticError, match="between 0 and 1"):
        r2(result, "bayes", 95)
