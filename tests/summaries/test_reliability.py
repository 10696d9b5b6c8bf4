import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.summaries import reliability

TAU, SIGMA = np.array([1.5, 0.4]), np.array([2.0, 3.0])


def constant(value, *shape):
    return np.broadcast_to(np.asarray(value, dtype=float), (1, *shape)).copy()


def balanced(J=7, n=5):
    rng = np.random.default_rng(0)
    return pd.DataFrame({"g": np.repeat(range(J), n), "y": rng.normal(size=J * n)})


def test_balanced_one_way_is_the_closed_form(make_result):
    """tau² / (tau² + sigma² / n), Raudenbush & Bryk (2002), chapter 3."""
    result = make_result(
        mlm.Model("y ~ 1 + (1 | g)", balanced()), sd_g=TAU.reshape(1, 2, 1), sigma=SIGMA[None]
    )
    found = reliability(result, "g")
    expected = TAU**2 / (TAU**2 + SIGMA**2 / 5)
    row = found.loc["Intercept"]
    assert row["mean"] == pytest.approx(expected.mean(), abs=1e-10)
    assert row["sd"] == pytest.approx(expected.std(ddof=1), abs=1e-10)
    assert (row["groups"], row["excluded"]) == (7, 0)
    each = reliability(result, "g", by_group=True)
    np.testing.assert_allclose(each["mean"], expected.mean(), atol=1e-10)


def test_slopes_and_groups_that_do_not_tell(make_result):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"g": [1] * 5 + [2] * 4 + [3] * 3 + [4], "x": rng.normal(size=13)})
    frame.loc[frame["g"] == 3, "x"] = 2.0
    model = mlm.Model("y ~ x + (x | g)", frame.assign(y=rng.normal(size=13)))
    result = make_result(
        model,
        sd_g=constant([1.5, 0.7], 3, 2),
        corr_g=constant(0.3, 3, 1),
        sigma=constant(2.0, 3),
    )
    expected = []
    for g in (1, 2):
        Z = model.design.random[0].Z[frame["g"] == g]
        V = 4 * np.linalg.inv(Z.T @ Z)
        expected.append(np.array([1.5, 0.7]) ** 2 / (np.array([1.5, 0.7]) ** 2 + np.diag(V)))
    found = reliability(result, "g")
    np.testing.assert_allclose(found["mean"], np.mean(expected, axis=0), rtol=1e-12)
    assert found["groups"].tolist() == [2, 2]
    assert found["excluded"].tolist() == [2, 2]
    each = reliability(result, "g", by_group=True)
    assert each.index.get_level_values("g").unique().tolist() == [1, 2]
    np.testing.assert_allclose(each["mean"], np.ravel(expected), rtol=1e-12)


def test_precisions_and_known_sampling_sds(make_result):
    frame = balanced(3, 2).assign(p=[1.0, 2, 3, 4, 5, 6])
    weighted = make_result(
        mlm.Model("y | precision(p) ~ 1 + (1 | g)", frame),
        sd_g=constant(1.0, 2, 1),
        sigma=constant(2.0, 2),
    )
    expected = np.mean([1 / (1 + 4 / total) for total in (3, 7, 11)])
    assert reliability(weighted, "g").loc["Intercept", "mean"] == pytest.approx(expected)
    known = make_result(mlm.Model("y | se(p) ~ 1 + (1 | g)", frame), sd_g=constant(1.0, 2, 1))
    information = [1 + 1 / 4, 1 / 9 + 1 / 16, 1 / 25 + 1 / 36]
    expected = np.mean([1 / (1 + 1 / each) for each in information])
    assert reliability(known, "g").loc["Intercept", "mean"] == pytest.approx(expected)


def test_three_levels_by_hand(make_result):
    """tau / (tau + (tau_inner + sigma² / n) / m), Raudenbush & Bryk (2002), chapter 8."""
    frame = pd.DataFrame(
        {"school": np.repeat(range(4), 6), "room": np.repeat(range(12), 2)}
    ).assign(y=np.random.default_rng(2).normal(size=24))
    result = make_result(
        mlm.Model("y ~ 1 + (1 | school) + (1 | room)", frame),
        sd_school=constant(1.2, 2, 1),
        sd_room=constant(0.8, 2, 1),
        sigma=constant(1.5, 2),
    )
    school, room = reliability(result, "school"), reliability(result, "room")
    sampling = (0.64 + 2.25 / 2) / 3
    assert school.loc["Intercept", "mean"] == pytest.approx(1.44 / (1.44 + sampling), abs=1e-10)
    assert room.loc["Intercept", "mean"] == pytest.approx(0.64 / (0.64 + 2.25 / 2), abs=1e-10)


def test_zero_variance_is_not_reliable(make_result):
    result = make_result(
        mlm.Model("y ~ 1 + (1 | g)", balanced()), sd_g=constant(0.0, 2, 1), sigma=constant(1.0, 2)
    )
    assert reliability(result, "g").loc["Intercept", "mean"] == 0


def test_high_school_and_beyond():
    """Raudenbush & Bryk (2002) print .90, and .91 and .23 from their own slope variance."""
    data = mlm.datasets.load("high_school_beyond")
    anova = mlm.Model("mathach ~ 1 + (1 | school)", data).fit("reml")
    assert anova.reliability().frame.loc["Intercept", "estimate"] == pytest.approx(0.9014, abs=5e-5)
    formula = "mathach ~ within(ses, school) + (within(ses, school) | school)"
    found = mlm.Model(formula, data).fit("reml").reliability().frame["estimate"]
    np.testing.assert_allclose(found, [0.9076, 0.2637], atol=5e-5)


def test_refusals(make_result):
    frame = pd.DataFrame({"g": np.repeat(range(4), 3), "h": np.tile(range(3), 4)})
    frame = frame.assign(y=np.random.default_rng(0).normal(size=12), b=np.arange(12) % 2)
    crossed = make_result(
        mlm.Model("y ~ 1 + (1 | g) + (1 | h)", frame),
        sd_g=constant(1.0, 2, 1),
        sd_h=constant(1.0, 2, 1),
        sigma=constant(1.0, 2),
    )
    with pytest.raises(StatisticError, match="crossed with 'h'"):
        reliability(crossed, "g")
    binary = make_result(
        mlm.Model("b ~ 1 + (1 | g)", frame, family="bernoulli"), sd_g=constant(1.0, 2, 1)
    )
    with pytest.raises(StatisticError, match="reliability with the bernoulli family"):
        reliability(binary, "g")
    few = pd.DataFrame({"g": [1, 2, 3, 4], "x": [1.0, 2, 4, 3], "y": [1.0, 3, 2, 2]})
    single = make_result(
        mlm.Model("y | se(1) ~ x + (x || g)", few), sd_g=constant([1.0, 1.0], 2, 2)
    )
    with pytest.raises(StatisticError, match="no group of 'g' has the rows"):
        reliability(single, "g")
