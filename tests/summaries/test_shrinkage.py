import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.summaries import pooling_factors, shrinkage


def frame_of(J=8, n=6, seed=0):
    rng = np.random.default_rng(seed)
    g = np.repeat(range(J), n)
    frame = pd.DataFrame({"g": g, "w": rng.normal(size=J)[g], "x": rng.normal(size=J * n)})
    frame["z"] = rng.normal(size=J * n)
    u = rng.normal(size=(J, 2))
    noise = rng.normal(size=J * n)
    frame["y"] = 5 + u[g, 0] + (1 + u[g, 1]) * frame["x"] + frame["z"] + frame["w"] + noise
    return frame


def test_balanced_one_way_is_the_closed_form():
    """Means of groups, their mean, and between them lambda y_j + (1 - lambda) beta."""
    frame = frame_of()
    fit = mlm.Model("y ~ 1 + (1 | g)", frame).fit("reml")
    found = shrinkage(fit.result, "g")
    means = frame.groupby("g")["y"].mean().to_numpy()
    np.testing.assert_allclose(found["no pooling"], means)
    np.testing.assert_allclose(found["complete pooling"], means.mean())
    share = fit.reliability().frame.loc["Intercept", "estimate"]
    partial = share * means + (1 - share) * means.mean()
    np.testing.assert_allclose(found["mean"], partial, rtol=1e-10)
    within = ((frame["y"] - means[frame["g"]]) ** 2).sum() / (48 - 8)
    np.testing.assert_allclose(found["SE"], np.sqrt(within / 6))
    assert (found["rows"] == 6).all()


def test_slopes_with_common_and_group_level_predictors():
    frame = frame_of()
    fit = mlm.Model("y ~ x*w + z + (x | g)", frame).fit("ml")
    found = shrinkage(fit.result, "g")
    dummies = pd.get_dummies(frame["g"]).to_numpy(float)
    X = np.column_stack([dummies, dummies * frame[["x"]].to_numpy(), frame["z"]])
    own = np.linalg.lstsq(X, frame["y"], rcond=None)[0]
    np.testing.assert_allclose(
        found["no pooling"].to_numpy().reshape(8, 2), own[:16].reshape(2, 8).T
    )
    rest = frame["y"] - X @ own
    scale = rest @ rest / (48 - 17)
    variance = scale * np.linalg.inv(X.T @ X)
    se = np.sqrt(np.diag(variance))[:16].reshape(2, 8).T
    np.testing.assert_allclose(found["SE"].to_numpy().reshape(8, 2), se)
    pooled = np.linalg.lstsq(fit.result.design.X, frame["y"], rcond=None)[0]
    by_name = dict(zip(fit.result.design.coef, pooled, strict=True))
    w = frame.groupby("g")["w"].first().to_numpy()
    complete = found["complete pooling"].to_numpy().reshape(8, 2)
    np.testing.assert_allclose(complete[:, 0], by_name["Intercept"] + by_name["w"] * w)
    np.testing.assert_allclose(complete[:, 1], by_name["x"] + by_name["x:w"] * w)
    beta = fit.fixef().frame["estimate"]
    u = fit.result.posterior["u_g"].to_numpy()[0, 0]
    partial = found["mean"].to_numpy().reshape(8, 2)
    np.testing.assert_allclose(partial[:, 0], beta["Intercept"] + beta["w"] * w + u[:, 0])
    np.testing.assert_allclose(partial[:, 1], beta["x"] + beta["x:w"] * w + u[:, 1])


def test_groups_that_do_not_tell_have_no_own_estimate(make_result):
    frame = frame_of().iloc[:-5]
    fit = mlm.Model("y ~ x + (x | g)", frame).fit("ml")
    found = shrinkage(fit.result, "g")
    assert found.loc[7, "no pooling"].isna().all()
    assert found.loc[7, "SE"].isna().all()
    assert found.loc[7, "mean"].notna().all()
    assert found.loc[:6, "no pooling"].notna().all()


def test_known_sampling_sds():
    """Eight schools: no pooling is the estimate and its standard error."""
    data = mlm.datasets.load("eight_schools")
    model = mlm.Model("y | se(sigma) ~ 1 + (1 | school)", data)
    found = shrinkage(model.fit("laplace", seed=1).result, "school")
    ordered = data.set_index("school").loc[found.index.get_level_values(0)]
    np.testing.assert_allclose(found["no pooling"], ordered["y"])
    np.testing.assert_allclose(found["SE"], ordered["sigma"])
    weights = 1 / data["sigma"] ** 2
    complete = (data["y"] * weights).sum() / weights.sum()
    np.testing.assert_allclose(found["complete pooling"], complete)
    low, high = found[["no pooling", "complete pooling"]].agg(["min", "max"], axis=1).T.to_numpy()
    assert ((found["mean"] > low - 2) & (found["mean"] < high + 2)).all()


def test_refused_for_other_families(make_result):
    frame = pd.DataFrame({"g": np.repeat(range(4), 3), "b": [0, 1, 1] * 4})
    model = mlm.Model("b ~ 1 + (1 | g)", frame, family="bernoulli")
    with pytest.raises(StatisticError, match="estimates without pooling with the bernoulli"):
        shrinkage(make_result(model, sd_g=np.ones((1, 3, 1))), "g")


def test_a_lognormal_response_is_its_logarithm(make_result):
    """On the scale of the linear predictor both are one model."""
    rng = np.random.default_rng(3)
    g = np.repeat(range(6), 5)
    frame = pd.DataFrame({"g": g, "x": rng.normal(size=30), "y": rng.normal(size=30)})
    draws = {"beta": rng.normal(size=(1, 20, 2)), "sigma": 1 + rng.uniform(size=(1, 20))}
    draws |= {"sd_g": 1 + rng.uniform(size=(1, 20, 1)), "u_g": rng.normal(size=(1, 20, 6, 1))}
    log = make_result(mlm.Model("y ~ x + (1 | g)", frame), **draws)
    frame["y"] = np.exp(frame["y"])
    own = make_result(mlm.Model("y ~ x + (1 | g)", frame, family="lognormal"), **draws)
    np.testing.assert_allclose(shrinkage(own, "g"), shrinkage(log, "g"))
    one, other = (pooling_factors(result) for result in (own, log))
    np.testing.assert_allclose(one, other)
    assert mlm.Fit(own).plot.lines().axes[0].get_ylabel() == "log of y"
    offsets = [
        mlm.Fit(result).plot.spaghetti(draws=3).axes[0].collections[0].get_offsets()
        for result in (own, log)
    ]
    np.testing.assert_allclose(*offsets)


def test_student_errors_have_no_normal_residual(make_result):
    model = mlm.Model("y ~ 1 + (1 | g)", frame_of(), family="student")
    result = make_result(
        model,
        beta=np.zeros((1, 4, 1)),
        sd_g=np.ones((1, 4, 1)),
        sigma=np.ones((1, 4)),
        u_g=np.random.default_rng(0).normal(size=(1, 4, model.design.random[0].grouping.size, 1)),
    )
    with pytest.raises(StatisticError, match="no normal residual"):
        shrinkage(result, "g")
    assert list(mlm.Fit(result).standard_errors().frame) == ["posterior"]
