import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.summaries import variance_components
from bayesmlm.summaries.variance_components import average_variance, covariance


@pytest.fixture
def slopes():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": np.repeat(np.arange(6), 5), "x": rng.normal(2, 1, 30)})
    frame["y"] = rng.normal(size=30)
    return mlm.Model("y ~ x + (x | g)", frame)


def test_covariance_has_the_sds_and_correlations_it_was_given():
    sds = np.array([[2.0, 3.0, 0.5]])
    matrix = covariance(sds, np.array([[0.1, -0.4, 0.25]]), ((0, 1), (0, 2), (1, 2)))[0]
    assert np.allclose(np.sqrt(np.diag(matrix)), sds[0])
    expected = np.array([[1, 0.1, -0.4], [0.1, 1, 0.25], [-0.4, 0.25, 1]])
    assert np.allclose(matrix / np.outer(sds, sds), expected)


def test_a_pair_that_is_not_listed_is_independent():
    matrix = covariance(np.array([[1.0, 2.0, 3.0]]), np.array([[0.5]]), ((0, 2),))[0]
    assert matrix[0, 1] == matrix[1, 2] == 0
    assert matrix[0, 2] == pytest.approx(1.5)


def test_average_variance_is_the_mean_of_each_rows_variance():
    rng = np.random.default_rng(1)
    Z = rng.normal(size=(50, 2))
    T = np.array([[[2.0, 0.3], [0.3, 1.0]]])
    by_row = [z @ T[0] @ z for z in Z]
    assert average_variance(T, Z)[0] == pytest.approx(np.mean(by_row))


def test_table_of_correlated_slopes(slopes, make_result):
    sds = np.array([[[2.0, 1.0], [4.0, 3.0]]])
    corr = np.array([[[0.5], [-0.1]]])
    sigma = np.array([[1.0, 3.0]])
    result = make_result(slopes, sd_g=sds, corr_g=corr, sigma=sigma)
    frame = variance_components(result)
    assert frame.loc[("g", "Intercept"), "variance"] == pytest.approx((4 + 16) / 2)
    assert frame.loc[("g", "x"), "sd"] == pytest.approx(2.0)
    assert frame.loc[("g", "x"), "corr Intercept"] == pytest.approx(0.2)
    assert frame.loc[("residual", ""), "variance"] == pytest.approx((1 + 9) / 2)
    z = slopes.design.random[0].Z
    shares = []
    for (a, b), r, s in zip(sds[0], corr[0, :, 0], sigma[0], strict=True):
        T = np.array([[a * a, r * a * b], [r * a * b, b * b]])
        group = np.mean([row @ T @ row for row in z])
        shares.append(group / (group + s * s))
    assert frame.loc[("g", "Intercept"), "share"] == pytest.approx(np.mean(shares))
    assert np.isnan(frame.loc[("g", "x"), "share"])
    assert frame["share"].sum() == pytest.approx(1.0)


def test_interval_bounds_the_sd(slopes, make_result):
    rng = np.random.default_rng(2)
    sds = rng.uniform(1, 2, size=(2, 4000, 2))
    result = make_result(slopes, sd_g=sds, corr_g=np.zeros((2, 4000, 1)), sigma=np.ones((2, 4000)))
    row = variance_components(result, probability=0.8).loc[("g", "x")]
    assert row["lower"] == pytest.approx(1.1, abs=0.02)
    assert row["upper"] == pytest.approx(1.9, abs=0.02)


def test_known_sampling_sds_have_no_shares(make_result):
    frame = pd.DataFrame({"g": range(5), "y": [1.0, 2, 0, 3, 1], "s": [1.0, 2, 1, 2, 1]})
    model = mlm.Model("y | se(s) ~ 1 + (1 | g)", frame)
    table = variance_components(make_result(model, sd_g=np.full((1, 3, 1), 2.0)))
    assert list(table.index) == [("g", "Intercept")]
    assert table["share"].isna().all()


def test_logit_and_probit_have_their_latent_level_1_variance(make_result):
    frame = pd.DataFrame({"g": [1, 1, 2, 2, 3, 3], "y": [0, 1, 1, 0, 1, 1]})
    for link, variance in (("logit", np.pi**2 / 3), ("probit", 1.0)):
        model = mlm.Model("y ~ 1 + (1 | g)", frame, family="bernoulli", link=link)
        table = variance_components(make_result(model, sd_g=np.full((1, 3, 1), 2.0)))
        row = table.loc[("residual", f"latent ({link})")]
        assert row["variance"] == pytest.approx(variance)
        assert row["share"] == pytest.approx(variance / (variance + 4))
        assert np.isnan(row["lower"])
