"""One layout of parameters, whatever the engine."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.summaries import parameters


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"g": np.repeat(np.arange(9), 6), "x": rng.normal(size=54)})
    frame["y"] = rng.normal(size=9)[frame["g"]] + rng.normal(size=54)
    return mlm.Model("y ~ x + (x | g)", frame)


def test_of_draws(model, make_result):
    draws = np.random.default_rng(0).normal(size=(2, 400, 2))
    sds, corr = np.exp(draws), np.tanh(draws[..., :1])
    result = make_result(
        model, beta=draws, sd_g=sds, corr_g=corr, sigma=sds[..., 0], u_g=np.ones((2, 400, 9, 2))
    )
    frame = parameters(result, 0.9)
    assert list(frame.loc["fixed effects"].index) == ["Intercept", "x"]
    expected = ["sd_g[Intercept]", "sd_g[x]", "corr_g[Intercept~x]", "sigma"]
    assert list(frame.loc["variance components"].index) == expected
    row = frame.loc[("fixed effects", "x")]
    values = draws[..., 1].ravel()
    assert row["estimate"] == pytest.approx(values.mean())
    assert row["sd"] == pytest.approx(values.std(ddof=1))
    bounds = np.quantile(values, [0.05, 0.95])
    assert row[["lower", "upper"]].to_list() == pytest.approx(bounds.tolist())


def test_of_a_maximum(model):
    fit = model.fit("ml")
    frame, fixed = parameters(fit.result), fit.fixef().frame
    assert frame.loc["fixed effects"]["sd"].to_list() == fixed["se"].to_list()
    assert frame.loc["variance components"]["estimate"].notna().all()
    assert frame.loc["variance components"][["sd", "lower", "upper"]].isna().all(axis=None)
