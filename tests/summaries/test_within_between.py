import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.summaries import within_between


def frame_of():
    rng = np.random.default_rng(0)
    g = np.repeat(range(12), 6)
    frame = pd.DataFrame({"g": g, "x": rng.normal(size=72) + rng.normal(size=12)[g]})
    frame["m"] = frame.groupby("g")["x"].transform("mean")
    frame["y"] = 2 * (frame["x"] - frame["m"]) + 5 * frame["m"] + rng.normal(size=72)
    return frame


FORMS = {
    "y ~ within(x, g) + between(x, g) + (1 | g)": (None, None),
    "y ~ x + between(x, g) + (1 | g)": (None, None),
    "y ~ grand(x) + between(x, g) + (1 | g)": (None, None),
    "y ~ x + m + (1 | g)": ("x", "m"),
    "y ~ within(x, g) + m + (1 | g)": ("within(x, g)", "m"),
    "y ~ grand(x) + m + (1 | g)": ("grand(x)", "m"),
}


def test_every_form_of_the_model_has_the_same_coefficients():
    found = [
        within_between(mlm.Model(formula, frame_of()).fit("reml").result, *named)
        for formula, named in FORMS.items()
    ]
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=1e-5)
    assert found[0].index.names == ["predictor", "coefficient"]
    estimates = found[0]["estimate"].to_numpy()
    assert estimates[2] == pytest.approx(estimates[1] - estimates[0])
    assert (abs(estimates - [2, 5, 3]) < 4 * found[0]["se"]).all()


def test_balanced_between_coefficient_is_the_regression_of_the_means():
    frame = frame_of()
    fit = mlm.Model("y ~ within(x, g) + between(x, g) + (1 | g)", frame).fit("reml")
    means = frame.groupby("g")[["x", "y"]].mean()
    slope = np.polyfit(means["x"], means["y"], 1)[0]
    centred = frame[["x", "y"]] - frame.groupby("g")[["x", "y"]].transform("mean")
    within = (centred["x"] * centred["y"]).sum() / (centred["x"] ** 2).sum()
    found = within_between(fit.result)["estimate"]
    assert found["x", "within"] == pytest.approx(within, rel=1e-8)
    assert found["x", "between"] == pytest.approx(slope, rel=1e-8)


def test_posterior_draw_by_draw(make_result):
    model = mlm.Model("y ~ x + between(x, g) + (1 | g)", frame_of())
    beta = np.random.default_rng(1).normal(size=(2, 50, 3))
    found = within_between(make_result(model, beta=beta), probability=0.8)
    flat = beta.reshape(-1, 3)
    draws = np.column_stack([flat[:, 1], flat[:, 1] + flat[:, 2], flat[:, 2]])
    np.testing.assert_allclose(found["mean"], draws.mean(axis=0))
    np.testing.assert_allclose(found["lower"], np.quantile(draws, 0.1, axis=0))


def test_language_scores(shared_data):
    """Snijders & Bosker (2012), table 4.4: 2.45 within, 1.31 contextual, 3.77 between."""
    data = pd.read_csv(shared_data / "mlbook_red.csv")
    fit = mlm.Model("langPOST ~ IQ_verb + sch_iqv + (1 | schoolnr)", data).fit("ml")
    found = within_between(fit.result, "IQ_verb", "sch_iqv")["estimate"].to_numpy()
    np.testing.assert_allclose(found, [2.4536, 2.4536 + 1.3124, 1.3124], atol=2e-4)
    np.testing.assert_array_equal(found.round(2), [2.45, 3.77, 1.31])


def test_refusals(make_result):
    frame = frame_of()
    result = make_result(mlm.Model("y ~ x + (1 | g)", frame), beta=np.zeros((1, 3, 2)))
    with pytest.raises(StatisticError, match="without a predictor and its group mean"):
        within_between(result)
    deeper = frame.assign(k=frame["g"] // 3)
    formula = "y ~ x + between(x, g) + between(x, k) + (1 | g) + (1 | k)"
    levels = make_result(mlm.Model(formula, deeper), beta=np.zeros((1, 3, 4)))
    with pytest.raises(StatisticError, match="by several groupings"):
        within_between(levels)
    both = make_result(mlm.Model("y ~ x + m + (1 | g)", frame), beta=np.zeros((1, 3, 3)))
    with pytest.raises(StatisticError, match="one of x= and mean="):
        within_between(both, "x")
    with pytest.raises(StatisticError, match="no coefficient 'z'"):
        within_between(both, "z", "m")
    with pytest.raises(StatisticError, match="varying within the groups"):
        within_between(both, "m", "x")
