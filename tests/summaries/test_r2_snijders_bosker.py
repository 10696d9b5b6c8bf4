import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.summaries.r2_nakagawa import r2_nakagawa
from bayesmlm.summaries.r2_snijders_bosker import r2_snijders_bosker, reduction


def test_language_scores(shared_data, monkeypatch):
    """Snijders & Bosker (2012), variances of tables 4.1 and 4.4: 1 - 49.11 / 80.98 at level 1."""
    data = pd.read_csv(shared_data / "mlbook_red.csv")
    null = mlm.Model("langPOST ~ 1 + (1 | schoolnr)", data).fit("ml")
    fit = mlm.Model("langPOST ~ IQ_verb + sch_iqv + (1 | schoolnr)", data).fit("ml")
    found = r2_snijders_bosker(fit.result, null=null.result)["mean"]
    expected = 1 - (40.43 + 8.680) / (62.85 + 18.13)
    assert found["level 1"] == pytest.approx(expected, abs=5e-4)
    n = len(data["schoolnr"].unique()) / (1 / data.groupby("schoolnr").size()).sum()
    expected = 1 - (40.43 / n + 8.680) / (62.85 / n + 18.13)
    assert found["level 2 (schoolnr)"] == pytest.approx(expected, abs=5e-4)


@pytest.fixture
def result(make_result):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": np.repeat(range(6), 5), "x": rng.normal(size=30)})
    model = mlm.Model("y ~ x + (1 | g)", frame.assign(y=rng.normal(size=30)))
    return make_result(
        model,
        beta=rng.normal(size=(1, 8, 2)),
        sd_g=rng.uniform(1, 2, (1, 8, 1)),
        sigma=rng.uniform(1, 2, (1, 8)),
    )


def test_the_models_own_variances(result):
    x, slopes = result.design.X[:, 1], result.posterior["beta"].to_numpy()[0, :, 1]
    tau2 = result.posterior["sd_g"].to_numpy()[0, :, 0] ** 2
    sigma2 = result.posterior["sigma"].to_numpy()[0] ** 2
    between = slopes**2 * x.reshape(6, 5).mean(axis=1).var()
    found = r2_snijders_bosker(result)["mean"]
    assert found["level 1"] == pytest.approx(r2_nakagawa(result).loc["marginal", "mean"])
    expected = reduction(tau2 + sigma2 / 5, between + tau2 + sigma2 / 5).mean()
    assert found["level 2 (g)"] == pytest.approx(expected)


def test_draws_of_a_null_model_are_paired_in_order(result, make_result):
    frame = pd.DataFrame({"g": np.repeat(range(6), 5), "y": result.design.y})
    model = mlm.Model("y ~ 1 + (1 | g)", frame)
    rng = np.random.default_rng(3)
    tau, sigma = rng.uniform(2, 3, (1, 5, 1)), rng.uniform(2, 3, (1, 5))
    null = make_result(model, beta=np.zeros((1, 5, 1)), sd_g=tau, sigma=sigma)
    left = result.posterior["sd_g"].to_numpy()[0, :5, 0] ** 2
    left = left + result.posterior["sigma"].to_numpy()[0, :5] ** 2
    expected = (1 - left / (tau[0, :, 0] ** 2 + sigma[0] ** 2)).mean()
    found = r2_snijders_bosker(result, null=null)["mean"]
    assert found["level 1"] == pytest.approx(expected)


def test_refusals(result, make_result):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": np.repeat(range(6), 5), "h": np.tile(range(5), 6)})
    frame = frame.assign(x=rng.normal(size=30), y=result.design.y, b=np.arange(30) % 2)
    ones = {"sd_g": np.ones((1, 3, 1)), "sigma": np.ones((1, 3)), "beta": np.ones((1, 3, 1))}
    for formula, options, reason in (
        ("y ~ 1 + (x || g)", {}, "random slopes"),
        ("y ~ 1 + (1 | g) + (1 | h)", {}, "2 groupings"),
        ("y | precision(2) ~ 1 + (1 | g)", {}, "precision"),
        ("b ~ 1 + (1 | g)", {"family": "bernoulli"}, "no residual SD"),
    ):
        with pytest.raises(StatisticError, match=reason):
            r2_snijders_bosker(make_result(mlm.Model(formula, frame, **options)))
    other = frame.assign(y=frame["y"] + 1)
    for formula, data in (("y ~ 1 + (1 | g)", other), ("y ~ 1 + (1 | h)", frame)):
        draws = {("sd_h" if "h)" in formula and k == "sd_g" else k): v for k, v in ones.items()}
        null = make_result(mlm.Model(formula, data), **draws)
        with pytest.raises(StatisticError, match="another response or grouping"):
            r2_snijders_bosker(result, null=null)
