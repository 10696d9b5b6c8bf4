"""The table of the family's further parameters."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.summaries import further_parameters

RNG = np.random.default_rng(2)
FRAME = pd.DataFrame(
    {
        "level": pd.Categorical.from_codes(np.arange(24) % 3, ["low", "mid", "high"], ordered=True),
        "count": RNG.poisson(2, 24),
        "x": RNG.normal(size=24),
    }
)


def test_one_row_a_parameter(make_result):
    draws = {"shape": RNG.gamma(2, 1, (2, 200)), "zi": RNG.uniform(size=(2, 200))}
    model = mlm.Model("count ~ x", FRAME, family="zero_inflated_negbinomial")
    result = make_result(model, beta=RNG.normal(size=(2, 200, 2)), **draws)
    table = further_parameters(result, ("shape", "zi"))
    assert table.index.to_list() == ["shape", "zi"]
    for name, values in draws.items():
        assert table.loc[name, "mean"] == pytest.approx(values.mean())
        assert table.loc[name, "lower"] == pytest.approx(np.quantile(values, 0.025))


def test_thresholds_are_named_by_the_categories_they_part(make_result):
    draws = np.sort(RNG.normal(size=(2, 200, 2)), axis=-1)
    model = mlm.Model("level ~ x", FRAME, family="cumulative")
    result = make_result(model, beta=RNG.normal(size=(2, 200, 1)), thresholds=draws)
    table = further_parameters(result, ("thresholds",), 0.9)
    assert table.index.to_list() == ["thresholds[low|mid]", "thresholds[mid|high]"]
    assert table["mean"].to_numpy() == pytest.approx(draws.mean(axis=(0, 1)))
    assert table["upper"].to_numpy() == pytest.approx(np.quantile(draws, 0.95, axis=(0, 1)))
