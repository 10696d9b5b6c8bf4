import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.summaries import pooling_factors
from bayesmlm.summaries.pooling_factor import level_variances
from bayesmlm.summaries.r2_levels import explained, r2_levels


@pytest.fixture
def drawn(make_result):
    rng = np.random.default_rng(0)
    g = np.repeat(range(9), 5)
    frame = pd.DataFrame({"g": g, "w": rng.normal(size=9)[g], "x": rng.normal(size=45)})
    frame["y"] = 100 + 2 * frame["w"] + frame["x"] + rng.normal(size=45)
    model = mlm.Model("y ~ x + w + (x || g)", frame)
    return make_result(
        model,
        beta=rng.normal([100, 1, 2], 0.1, size=(1, 40, 3)),
        sd_g=np.ones((1, 40, 2)),
        u_g=rng.normal(size=(1, 40, 9, 2)) + rng.normal(size=(1, 1, 9, 2)),
        sigma=np.ones((1, 40)),
    )


def test_figures_by_the_formula(drawn):
    design, posterior = drawn.design, drawn.posterior
    beta, u = posterior["beta"].to_numpy()[0], posterior["u_g"].to_numpy()[0]
    codes = design.random[0].grouping.codes
    eta = beta @ design.X.T + np.einsum("snq,nq->sn", u[:, codes], design.random[0].Z)
    w = np.array([design.X[codes == j, 2][0] for j in range(9)])
    theta = [None, beta[:, :1] + beta[:, 2:] * w + u[..., 0], beta[:, 1:2] + u[..., 1]]
    errors = [design.y - eta, u[..., 0], u[..., 1]]
    expected, shares = [], []
    for k, e in enumerate(errors):
        mean = e.var(axis=1, ddof=1).mean()
        expected.append(1 - e.mean(axis=0).var(ddof=1) / mean)
        spread = design.y.var(ddof=1) if k == 0 else theta[k].var(axis=1, ddof=1).mean()
        shares.append(1 - mean / spread)
    found = pooling_factors(drawn)
    assert found.index.tolist() == [("level 1", ""), ("g", "Intercept"), ("g", "x")]
    assert found["units"].tolist() == [45, 9, 9]
    np.testing.assert_allclose(found["pooling"], expected, rtol=1e-9)
    np.testing.assert_allclose(r2_levels(drawn)["R²"], shares, rtol=1e-7, atol=1e-12)


def test_a_level_without_predictors_explains_exactly_nothing(drawn):
    slope = r2_levels(drawn).loc[("g", "x")]
    assert slope["R²"] == pytest.approx(0, abs=1e-14)
    assert slope["sd"] == pytest.approx(0, abs=1e-14)


def test_known_hyperparameters_pool_by_one_less_reliability(make_result):
    """Of balanced groups with u_j | y normal, lambda tends to sigma² / n / (tau² + sigma² / n)."""
    rng = np.random.default_rng(1)
    J, n, tau, sigma, S = 4000, 4, 1.0, 2.0, 200
    u = rng.normal(0, tau, J)
    frame = pd.DataFrame({"g": np.repeat(range(J), n)})
    frame["y"] = u[frame["g"]] + rng.normal(0, sigma, J * n)
    share = tau**2 / (tau**2 + sigma**2 / n)
    means = frame.groupby("g")["y"].mean().to_numpy()
    draws = share * means + rng.normal(0, tau * np.sqrt(1 - share), (1, S, J))
    model = mlm.Model("y ~ 0 + (1 | g)", frame)
    result = make_result(
        model, sd_g=np.full((1, S, 1), tau), u_g=draws[..., None], sigma=np.full((1, S), sigma)
    )
    found = pooling_factors(result)["pooling"]
    assert found["g", "Intercept"] == pytest.approx(1 - share, abs=0.03)


def test_groups_that_do_not_tell_are_left_out(make_result):
    """x = within(x, g) + between(x, g): of one row, neither is known."""
    rng = np.random.default_rng(2)
    g = np.repeat(range(6), [4, 4, 4, 4, 4, 1])
    frame = pd.DataFrame({"g": g, "x": rng.normal(size=21), "y": rng.normal(size=21)})
    model = mlm.Model("y ~ x + (within(x, g) | g)", frame)
    result = make_result(
        model,
        beta=rng.normal(size=(1, 8, 2)),
        sd_g=np.ones((1, 8, 2)),
        corr_g=np.zeros((1, 8, 1)),
        u_g=rng.normal(size=(1, 8, 6, 2)),
        sigma=np.ones((1, 8)),
    )
    found = pooling_factors(result)
    assert found.loc["g", "units"].tolist() == [5, 5]
    assert found["pooling"].notna().all()


def test_explained_by_the_ratio():
    assert explained(np.array([1.0, 3.0]), np.array([4.0, 4.0])) == pytest.approx(0.5)
    assert np.isnan(explained(np.zeros(2), np.zeros(2)))


def test_level_1_of_counts_has_none(make_result):
    frame = pd.DataFrame({"g": np.repeat(range(4), 3), "n": [0, 1, 3] * 4})
    model = mlm.Model("n ~ 1 + (1 | g)", frame, family="poisson")
    rng = np.random.default_rng(0)
    result = make_result(
        model,
        beta=np.zeros((1, 5, 1)),
        sd_g=np.ones((1, 5, 1)),
        u_g=rng.normal(size=(1, 5, 4, 1)),
    )
    assert pooling_factors(result).index.tolist() == [("g", "Intercept")]
    plain = make_result(mlm.Model("n ~ 1", frame, family="poisson"), beta=np.zeros((1, 5, 1)))
    with pytest.raises(StatisticError, match="levels of a poisson model without groups"):
        pooling_factors(plain)


def test_a_maximum_is_refused():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": np.repeat(range(7), 5), "y": rng.normal(size=35)})
    fit = mlm.Model("y ~ 1 + (1 | g)", frame).fit("ml")
    with pytest.raises(StatisticError, match="by 'ml', which has no draws of the effects"):
        level_variances(fit.result)
