"""Population-averaged coefficients against closed forms and least squares."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.predict.population import population_averaged, population_coefficients

RNG = np.random.default_rng(4)
N, J, S = 40, 5, 6
FRAME = pd.DataFrame({"g": np.repeat(np.arange(J), 8), "x": RNG.normal(size=N)})
FRAME["w"], FRAME["b"] = RNG.uniform(size=N), RNG.integers(0, 2, N)
FRAME["n"] = RNG.poisson(3, N)
FRAME["k"] = np.tile([0, 1, 2, 1], 10)
BETA, SD = RNG.normal(0, 0.5, (1, S, 2)), RNG.uniform(0.5, 2, (1, S, 1))


def result_of(make_result, formula, family, link=None, **more):
    model = mlm.Model(formula, FRAME, family=family, link=link)
    beta = BETA[:, :, : len(model.design.coef)]
    q = len(model.design.random[0].effects)
    given = {"beta": beta, "sd_g": np.repeat(SD, q, axis=2), "u_g": np.zeros((1, S, J, q))}
    return make_result(model, **given, **more)


def test_probit(make_result):
    result = result_of(make_result, "b ~ x + (1 | g)", "bernoulli", "probit")
    expected = BETA[0] / np.sqrt(1 + SD[0] ** 2)
    assert pytest.approx(expected, rel=1e-8) == population_coefficients(result).T


def test_log_with_an_offset(make_result):
    result = result_of(make_result, "n ~ x + offset(w) + (1 | g)", "poisson")
    expected = BETA[0] + np.column_stack([SD[0, :, 0] ** 2 / 2, np.zeros(S)])
    assert pytest.approx(expected, rel=1e-8) == population_coefficients(result).T


def test_ordered_probit(make_result):
    cuts = np.sort(RNG.normal(size=(1, S, 2)))
    result = result_of(make_result, "k ~ x + (1 | g)", "cumulative", "probit", thresholds=cuts)
    all_of_them = np.concatenate([cuts[0], BETA[0, :, :1]], axis=1)
    expected = all_of_them / np.sqrt(1 + SD[0] ** 2)
    assert pytest.approx(expected, rel=1e-7) == population_coefficients(result).T
    frame = population_averaged(result)
    assert frame.index.tolist() == ["0|1", "1|2", "x"]
    assert frame["conditional"].to_numpy() == pytest.approx(all_of_them.mean(axis=0))


def test_logit_by_least_squares_on_simulated_means(make_result):
    corr = np.zeros((1, S, 1))
    result = result_of(make_result, "b ~ x + (x | g)", "bernoulli", corr_g=corr)
    found = population_coefficients(result)[:, 0]
    size = 400_000
    rng = np.random.default_rng(7)
    u = rng.normal(size=(2, size)) * SD[0, 0, 0]
    x = FRAME["x"].to_numpy()
    X = np.column_stack([np.ones(N), x])
    copies = 10
    b0, b1 = BETA[0, 0]
    drawn = (expit(b0 + u[0] + (b1 + u[1]) * each) for each in x)
    means = np.array([p.reshape(copies, -1).mean(axis=1) for p in drawn])
    truth = np.linalg.lstsq(X, logit(means), rcond=None)[0]
    error = truth.std(axis=1, ddof=1) / np.sqrt(copies)
    assert np.all(np.abs(found - truth.mean(axis=1)) < 5 * error)


def test_of_a_fit(make_result):
    result = result_of(make_result, "b ~ x + (1 | g)", "bernoulli", "probit")
    table = mlm.Fit(result).population_averaged()
    assert "averaged over random effects" in str(table)
    assert table.frame["conditional"].to_numpy() == pytest.approx(BETA[0].mean(axis=0))
    assert table.frame["mean"]["x"] == pytest.approx(
        (BETA[0, :, 1] / np.sqrt(1 + SD[0, :, 0] ** 2)).mean()
    )
    plain = mlm.Model("b ~ x", FRAME, family="bernoulli")
    with pytest.raises(StatisticError, match=r"(?s)without random effects.*fit.fixef\(\)"):
        population_coefficients(make_result(plain, beta=BETA))
