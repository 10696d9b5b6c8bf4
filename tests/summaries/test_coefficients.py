import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import SpecError, StatisticError
from bayesmlm.summaries import coef, corr, fixef, ranef


@pytest.fixture
def model():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": np.repeat(["a", "b", "c"], 10), "x": rng.normal(size=30)})
    frame["y"] = rng.normal(size=30)
    return mlm.Model("y ~ x + (x | g)", frame)


@pytest.fixture
def result(model, make_result):
    rng = np.random.default_rng(1)
    return make_result(
        model,
        beta=rng.normal([10, 2], 0.1, size=(2, 500, 2)),
        sd_g=rng.uniform(1, 2, size=(2, 500, 2)),
        corr_g=rng.uniform(-0.2, 0.6, size=(2, 500, 1)),
        u_g=rng.normal(size=(2, 500, 3, 2)),
        sigma=rng.uniform(1, 2, size=(2, 500)),
    )


def test_fixef_describes_every_coefficient(result):
    frame = fixef(result, probability=0.9)
    draws = result.posterior["beta"].to_numpy().reshape(-1, 2)
    assert list(frame.index) == ["Intercept", "x"]
    assert np.allclose(frame["mean"], draws.mean(0))
    assert np.allclose(frame["sd"], draws.std(0, ddof=1))
    assert np.allclose(frame["lower"], np.quantile(draws, 0.05, axis=0))
    assert np.allclose(frame["upper"], np.quantile(draws, 0.95, axis=0))
    assert (frame["r_hat"] < 1.02).all()
    assert (frame["ess_bulk"] > 500).all()


def test_coef_is_fixed_plus_deviation_draw_by_draw(result):
    posterior = result.posterior
    total = posterior["beta"].to_numpy()[:, :, None, :] + posterior["u_g"].to_numpy()
    flat = total.reshape(-1, 3, 2)
    frame = coef(result, "g")
    assert np.allclose(frame["mean"], flat.mean(0).ravel())
    assert np.allclose(frame["sd"], flat.std(0, ddof=1).ravel())
    assert frame.index.tolist()[:2] == [("a", "Intercept"), ("a", "x")]


def test_ranef_is_the_deviation(result):
    flat = result.posterior["u_g"].to_numpy().reshape(-1, 3, 2)
    assert np.allclose(ranef(result, "g")["mean"], flat.mean(0).ravel())


def test_effect_without_fixed_coefficient_is_its_deviation(make_result):
    frame = pd.DataFrame(
        {"g": [1, 1, 2, 2, 3, 3], "x": [1.0, 2, 3, 1, 2, 4], "y": [1.0, 2, 3, 4, 5, 7]}
    )
    model = mlm.Model("y ~ 1 + (0 + x | g)", frame)
    rng = np.random.default_rng(0)
    u = rng.normal(size=(1, 50, 3, 1))
    result = make_result(model, beta=np.full((1, 50, 1), 5.0), u_g=u)
    assert np.allclose(coef(result, "g")["mean"], u[0, :, :, 0].mean(0))


def test_corr_is_a_matrix(result):
    matrix = corr(result, "g")
    assert np.allclose(np.diag(matrix), 1)
    mean = float(result.posterior["corr_g"].mean())
    assert matrix.loc["x", "Intercept"] == matrix.loc["Intercept", "x"] == pytest.approx(mean)


def test_independent_effects_have_correlation_zero(make_result):
    frame = pd.DataFrame(
        {"g": [1, 1, 2, 2, 3, 3], "x": [1.0, 2, 3, 1, 2, 4], "y": [1.0, 2, 3, 4, 5, 7]}
    )
    model = mlm.Model("y ~ x + (x || g)", frame)
    result = make_result(model, sd_g=np.ones((1, 3, 2)))
    assert np.array_equal(corr(result, "g"), np.eye(2))


def test_refusals(result, make_result):
    with pytest.raises(SpecError, match="no effects vary over 'h'"):
        ranef(result, "h")
    frame = pd.DataFrame({"g": [1, 1, 2, 2, 3, 3], "y": [1.0, 2, 3, 4, 5, 7]})
    bare = make_result(mlm.Model("y ~ 0 + (1 | g)", frame), sd_g=np.ones((1, 3, 1)))
    with pytest.raises(StatisticError, match="without fixed effects"):
        fixef(bare)
