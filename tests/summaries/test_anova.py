import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.summaries import anova
from bayesmlm.summaries.anova import one_way, residual_squares, sequential_shares


def test_dyestuff_by_hand():
    """Davies' dyestuff: mean squares 11271.5 and 2451.25, 5 preparations a batch.

    Box & Tiao (1973), Bayesian Inference in Statistical Analysis, table 5.1.2.
    """
    data = mlm.datasets.load("dyestuff")
    codes = pd.factorize(data["Batch"])[0]
    expected = (11271.5 - 2451.25) / (11271.5 + 4 * 2451.25)
    assert one_way(data["Yield"].to_numpy(float), codes) == pytest.approx(expected, rel=1e-6)


def test_balanced_one_way_is_the_reml_estimate():
    data = mlm.datasets.load("dyestuff")
    fit = mlm.Model("Yield ~ 1 + (1 | Batch)", data).fit("reml")
    found = anova(fit.result)
    assert found.loc["Batch", "mean"] == pytest.approx(found.loc["Batch", "one-way"], rel=1e-5)
    assert found["one-way"].sum() == pytest.approx(1)


def test_unequal_groups():
    """n0 = (N - sum n² / N) / (J - 1) = (6 - 14 / 6) / 2."""
    y, codes = np.array([1.0, 2, 4, 6, 8, 10]), np.array([0, 1, 1, 2, 2, 2])
    between = (1 * (1 - 31 / 6) ** 2 + 2 * (3 - 31 / 6) ** 2 + 3 * (8 - 31 / 6) ** 2) / 2
    within = (2 + 8) / 3
    size = (6 - 14 / 6) / 2
    expected = (between - within) / (between + (size - 1) * within)
    assert one_way(y, codes) == pytest.approx(expected)


def test_it_may_be_negative():
    assert one_way(np.array([1.0, 3, 3, 1]), np.array([0, 0, 1, 1])) == pytest.approx(-1)


@pytest.fixture(scope="module")
def crossed():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"item": rng.integers(0, 5, 80), "rater": rng.integers(0, 8, 80)})
    noise = rng.normal(size=80)
    frame["y"] = frame["item"] + 0.5 * frame["rater"] + noise
    return mlm.Model("y ~ 1 + (1 | item) + (1 | rater)", frame).fit("reml")


def test_sequential_shares_are_those_of_least_squares(crossed):
    design = crossed.result.design
    groupings = [block.grouping for block in design.random]
    dummies = [pd.get_dummies(g.codes).to_numpy(float) for g in groupings]
    y = design.y

    def left(*columns):
        X = np.column_stack([np.ones(len(y)), *columns])
        return ((y - X @ np.linalg.lstsq(X, y, rcond=None)[0]) ** 2).sum()

    total, first, both = left(), left(dummies[0]), left(*dummies)
    expected = [(total - first) / total, (first - both) / total]
    np.testing.assert_allclose(sequential_shares(y, groupings), expected, rtol=1e-9)
    assert residual_squares(y, groupings) == pytest.approx(both, rel=1e-10)


def test_orders_differ_and_the_mixed_model_does_not(crossed):
    found = anova(crossed.result)
    one, other = found["item, rater"], found["rater, item"]
    assert abs(one["item"] - other["item"]) > 1e-3
    np.testing.assert_allclose(found[["mean", "item, rater", "rater, item"]].sum(), 1)
    single = anova(crossed.result, order=["rater", "item"])
    assert list(single.columns)[-1] == "rater, item"
    np.testing.assert_allclose(single["rater, item"], other)


def test_a_balanced_table_has_one_answer_in_every_order():
    data = mlm.datasets.load("penicillin")
    fit = mlm.Model("diameter ~ 1 + (1 | plate) + (1 | sample)", data).fit("reml")
    found = anova(fit.result)
    np.testing.assert_allclose(found["plate, sample"], found["sample, plate"])


def test_an_inner_grouping_leaves_nothing_to_the_outer_one():
    data = mlm.datasets.load("pastes")
    fit = mlm.Model("strength ~ 1 + (1 | batch/cask)", data).fit("reml")
    found = anova(fit.result)
    assert found.loc["batch", "batch:cask, batch"] == pytest.approx(0, abs=1e-12)


def test_refusals(crossed):
    with pytest.raises(StatisticError, match="list all of them once"):
        anova(crossed.result, order=["item"])
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"g": np.repeat(range(6), 5), "x": rng.normal(size=30)})
    frame["y"] = rng.normal(size=30)
    frame["b"] = np.arange(30) % 2
    for formula, options, reason in (
        ("y ~ x + (1 | g)", {}, "predictors"),
        ("y ~ 1 + (x | g)", {}, "slopes that vary"),
        ("y | weights(2) ~ 1 + (1 | g)", {}, "weights"),
    ):
        fit = mlm.Model(formula, frame, **options).fit("ml")
        with pytest.raises(StatisticError, match=reason):
            anova(fit.result)
