"""A fit with rows that `missing="keep"` kept: what it simulates, refits, updates and checks.

Where no predictor is computed from other rows, keeping rows without a response and dropping them
are the same model: all is held against the fit without these rows.
"""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import DataError, StatisticError

RNG = np.random.default_rng(0)
G = np.repeat(np.arange(10), 8)
FRAME = pd.DataFrame({"g": G, "x": RNG.normal(size=80)})
FRAME["y"] = FRAME["x"] + RNG.normal(size=10)[G] + RNG.normal(size=80)
FRAME.loc[[3, 40, *range(72, 80)], "y"] = np.nan  # the last group has no response
FORMULA = "y ~ x + (1 | g)"


@pytest.fixture(scope="module")
def pair():
    """Give the model and fit that keep the rows, and those that never had them."""
    kept = mlm.Model(FORMULA, FRAME, missing="keep")
    rest = mlm.Model(FORMULA, FRAME.dropna())
    return [(model, model.fit("laplace", seed=1)) for model in (kept, rest)]


def test_the_fits_are_the_same(pair):
    (_, kept), (_, rest) = pair
    for name, values in rest.tree["posterior"].data_vars.items():
        assert np.array_equal(kept.tree["posterior"][name], values)


@pytest.mark.parametrize("groups", ["same", "new"])
def test_simulate(pair, groups):
    found = [model.simulate(fit, draws=5, groups=groups, seed=2) for model, fit in pair]
    assert np.array_equal(found[0].responses, found[1].responses)
    for one in found:
        assert one.frame(3)["x"].tolist() == FRAME.dropna()["x"].tolist()
    (model, fit), _ = pair
    assert model.simulate(draws=2, seed=1).responses.shape == (2, 70)
    every = FRAME.drop(columns="y")
    assert model.simulate(fit, data=every, groups="new", seed=1).responses.shape == (100, 80)
    with pytest.raises(StatisticError, match=r"(?s)8 rows of groups of g.*\"new\""):
        model.simulate(fit, data=every)


def test_simulated_rows_keep_their_group_means():
    """Rows without a response count in the means of the groups."""
    formula = "y ~ within(x, g) + between(x, g) + (1 | g)"
    model = mlm.Model(formula, FRAME, missing="keep")
    values = dict.fromkeys(model.design.coef, 0.0) | {"sd_g": 0, "sigma": 1e-9}
    values["between(x, g)"] = 1.0
    found = model.simulate(values, draws=1, seed=1)
    means = FRAME.groupby("g")["x"].transform("mean")[FRAME["y"].notna()]
    assert found.responses.to_numpy()[0] == pytest.approx(means.to_numpy(), abs=1e-6)


def test_refit(pair):
    new = np.random.default_rng(3).normal(size=70)
    kept, rest = (fit.refit(new) for _, fit in pair)
    assert np.array_equal(kept.tree["posterior"]["beta"], rest.tree["posterior"]["beta"])
    assert kept.predict("missing").frame.shape == (10, 4)
    with pytest.raises(DataError, match=r"(?s)shape \(80,\).*70 rows used"):
        pair[0][1].refit(np.zeros(80))


@pytest.mark.parametrize("group", [2, 9, 77])
def test_update_group(pair, group):
    rows = pd.DataFrame({"g": group, "x": [0.1, 0.5], "y": [1.0, 2.0]})
    kept, rest = (fit.update_group(rows, seed=4) for _, fit in pair)
    assert np.array_equal(kept.frame, rest.frame)
    with pytest.raises(DataError, match=r"(?s)missing values in y.*say nothing of the group"):
        pair[0][1].update_group(FRAME[FRAME["g"] == 9])


def test_check_levels(pair):
    kept, rest = (fit.check_levels(draws=99, seed=5).frame for _, fit in pair)
    assert kept.equals(rest)


def test_leaving_out(pair):
    kept, rest = (fit.loo("new group", refits=0).frame for _, fit in pair)
    assert np.array_equal(kept, rest)
    kept, rest = (fit.kfold(folds=2).frame for _, fit in pair)
    assert np.array_equal(kept["elpd"], rest["elpd"])


def test_effects_of_rows_without_a_response(pair):
    (_, fit), _ = pair
    predicted = fit.predict("missing", seed=1).frame
    assert fit.predictions("missing", seed=1).frame["mean"].tolist() == predicted["mean"].tolist()
    slopes = fit.comparisons("x", "missing").frame
    assert len(slopes) == 10
    beta = fit.tree["posterior"]["beta"].sel(coef="x")
    assert slopes["mean"].to_numpy() == pytest.approx(float(beta.mean()))
