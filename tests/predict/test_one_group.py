"""One group's update against dense normal algebra, refits and numerical integration."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import bayesmlm as mlm
from bayesmlm.errors import DataError, StatisticError
from bayesmlm.predict.one_group import DRAWS
from bayesmlm.predict.parameters import fitted_parameters

RNG = np.random.default_rng(7)
J, n = 25, 8
N = J * n
DATA = pd.DataFrame({"g": np.repeat(np.arange(J), n), "x": RNG.normal(size=N)})
DATA["h"] = np.arange(N) % 6
DATA["p"] = RNG.uniform(0.5, 2, N)
DATA["y"] = (
    1
    + (0.5 + 0.4 * RNG.normal(size=J))[DATA["g"]] * DATA["x"]
    + RNG.normal(size=J)[DATA["g"]]
    + 0.5 * RNG.normal(size=6)[DATA["h"]]
    + RNG.normal(size=N)
)
DATA["b"] = np.where(DATA["y"] > 1, "yes", "no")
DATA["k"] = np.round(np.exp(np.clip(DATA["y"], -2, 2)))
NEW = pd.DataFrame({"x": [0.3, -1.0, 1.4], "h": [1, 4, 1], "p": [1.0, 0.7, 2.0]})
NEW["y"], NEW["b"], NEW["k"] = [2.5, 1.0, 3.0], ["yes", "yes", "no"], [4.0, 2.0, 5.0]


def rows(group):
    return NEW.assign(g=group)


def dense(parameters, s, Z, y, V, X, group_prior):
    """Return mean and covariance of u given y ~ N(X beta + Z u, V), by joint normal algebra."""
    T = group_prior
    S = Z @ T @ Z.T + V
    gain = T @ Z.T @ np.linalg.inv(S)
    return gain @ (y - X @ parameters.beta[s]), T - gain @ Z @ T


@pytest.mark.parametrize("known", [True, False])
def test_the_conditional_of_a_maximum_is_the_dense_one(known):
    model = mlm.Model("y | precision(p) ~ x + (x | g)", DATA)
    fit = model.fit("ml")
    found = fit.update_group(rows(3 if known else 99), seed=1).found
    own = DATA[DATA["g"] == 3] if known else DATA.iloc[:0]
    both = pd.concat([own, rows(3)])
    parameters = fitted_parameters(fit.result)
    X = np.column_stack([np.ones(len(both)), both["x"]])
    V = np.diag(parameters.others["sigma"][0] ** 2 / both["p"])
    T = parameters.covariance(model.design.random[0])[0]
    mean, covariance = dense(parameters, 0, X, both["y"].to_numpy(), V, X, T)
    assert found.known == known and found.draws.shape == (DRAWS, 2)
    assert found.mean == pytest.approx(mean)
    assert found.sd == pytest.approx(np.sqrt(np.diag(covariance)))
    error = np.sqrt(np.diag(covariance) / DRAWS)
    assert (np.abs(found.draws.mean(axis=0) - mean) < 4 * error).all()
    assert np.cov(found.draws.T) == pytest.approx(covariance, rel=0.15)


def test_every_draw_counts_by_the_density_of_the_new_rows():
    """Weights and conditional moments, draw by draw, of crossed groupings."""
    from bayesmlm.engines.weights import smooth

    model = mlm.Model("y ~ x + (1 | g) + (1 | h)", DATA)
    fit = model.fit("laplace", seed=1, draws=500)
    found = fit.update_group(rows(3), "g").found
    parameters = fitted_parameters(fit.result)
    h = fit.random_effects("h").to_numpy()[0, :, :, 0]
    own = DATA[DATA["g"] == 3]
    log_weights, means, variances = [], [], []
    for s in range(500):
        tau, sigma = parameters.sds["g"][s, 0], parameters.others["sigma"][s]
        moments = {}
        for name, some in (("old", own), ("all", pd.concat([own, rows(3)]))):
            r = some["y"] - parameters.beta[s] @ np.stack([np.ones(len(some)), some["x"]])
            r = (r - h[s, some["h"]]).to_numpy()
            S = tau**2 + sigma**2 * np.eye(len(r))
            inverse = np.linalg.inv(S)
            density = -0.5 * (np.linalg.slogdet(2 * np.pi * S)[1] + r @ inverse @ r)
            one = tau**2 * np.ones(len(r))
            moments[name] = density, one @ inverse @ r, tau**2 - one @ inverse @ one
        log_weights.append(moments["all"][0] - moments["old"][0])
        means.append(moments["all"][1])
        variances.append(moments["all"][2])
    weights, khat = smooth(np.array(log_weights))
    assert found.khat == pytest.approx(khat, abs=1e-6)
    mean = weights @ means
    assert found.mean[0] == pytest.approx(mean)
    assert found.sd[0] ** 2 == pytest.approx(weights @ (variances + (means - mean) ** 2))


@pytest.mark.parametrize("group", [3, 99])
def test_it_is_a_refit_to_all_rows(group):
    data = pd.concat([DATA, rows(group)], ignore_index=True)
    old = mlm.Model("y ~ x + (x | g)", DATA)
    # the same priors, resolved once against the first data
    priors = {
        "x": old.prior_values.coefficients["x"],
        "sigma": old.prior_values.sigma,
        "Intercept": mlm.Normal(1, 5),
    }
    priors |= {f"sd_g[{e}]": p for e, p in old.prior_values.sds["g"].items()}
    fit = mlm.Model("y ~ x + (x | g)", DATA, priors=priors).fit("laplace", seed=1)
    again = mlm.Model("y ~ x + (x | g)", data, priors=priors).fit("laplace", seed=2)
    found = fit.update_group(rows(group))
    expected = again.random_effects("g", [group]).to_numpy()[0, :, 0]
    sd = expected.std(axis=0)
    # both sides have errors of about sd / sqrt(ESS); five of these of the smaller ESS
    error = 5 * sd * np.sqrt(1 / found.found.ess + 1 / 1000)
    assert found.ok and (np.abs(found.found.mean - expected.mean(axis=0)) < error).all()
    assert found.found.sd == pytest.approx(sd, rel=0.1)


def integrated(log_prior, log_likelihood):
    """Return mean and SD of a density on a grid."""
    u = np.linspace(-8, 8, 4001)
    logp = log_prior(u) + np.array([log_likelihood(value) for value in u])
    p = np.exp(logp - logp.max())
    p /= p.sum()
    mean = p @ u
    return mean, np.sqrt(p @ (u - mean) ** 2)


@pytest.mark.parametrize("group", [3, 99])
def test_a_binary_response_against_numerical_integration(group):
    fit = mlm.Model("b ~ x + (1 | g)", DATA, family="bernoulli").fit("ml")
    parameters = fitted_parameters(fit.result)
    own = pd.concat([DATA[DATA["g"] == group], rows(group)])
    base = parameters.beta[0, 0] + parameters.beta[0, 1] * own["x"].to_numpy()
    sign = np.where(own["b"] == "yes", 1, -1)
    tau = parameters.sds["g"][0, 0]
    mean, sd = integrated(
        lambda u: -0.5 * (u / tau) ** 2, lambda u: np.log(expit(sign * (base + u))).sum()
    )
    found = fit.update_group(rows(group)).found
    assert found.ess > 3000 and found.khat < 0.7
    assert found.mean[0] == pytest.approx(mean, abs=4 * sd / np.sqrt(found.ess))
    assert found.sd[0] == pytest.approx(sd, rel=0.06)


@pytest.mark.parametrize("group", [3, 99])
def test_counts_are_a_refit_to_all_rows(group):
    data = pd.concat([DATA, rows(group)], ignore_index=True)
    priors = {"sd": mlm.HalfNormal(1), "Intercept": mlm.Normal(0, 3), "x": mlm.Normal(0, 1)}
    fit, again = (
        mlm.Model("k ~ x + (1 | g)", each, family="poisson", priors=priors).fit("laplace", seed=1)
        for each in (DATA, data)
    )
    found = fit.update_group(rows(group))
    expected = again.random_effects("g", [group]).to_numpy().ravel()
    error = 5 * expected.std() * np.sqrt(1 / found.found.ess + 1 / 1000)
    assert found.ok and abs(found.found.mean[0] - expected.mean()) < error
    assert found.found.sd[0] == pytest.approx(expected.std(), rel=0.12)


def test_rows_that_say_too_much_are_told():
    fit = mlm.Model("k ~ x + (1 | g)", DATA, family="poisson").fit("laplace", seed=1)
    far = pd.DataFrame({"g": 3, "x": 0.0, "k": np.full(60, 40.0)})
    found = fit.update_group(far)
    assert not found.ok and "fit again with them" in str(found)


def test_it_prints_and_gives_draws():
    fit = mlm.Model("y ~ x + (x | g)", DATA).fit("laplace", seed=1, draws=400)
    found = fit.update_group(rows(99))
    text = str(found)
    assert "g 99 (new) after 3 more rows" in text and "exact given each draw" in text
    assert max(map(len, text.splitlines())) <= 100
    assert found.draws.dims == ("draw", "g_effect") and found.draws.sizes["draw"] == 400
    assert found.frame.loc["x", "lower"] < found.frame.loc["x", "mean"]
    assert fit.update_group(rows(99)).frame.equals(found.frame)
    assert not fit.update_group(rows(99), seed=2).frame.equals(found.frame)


def test_bad_rows():
    fit = mlm.Model("y ~ x + (1 | g)", DATA).fit("ml")
    two = pd.concat([rows(3), rows(4)])
    with pytest.raises(StatisticError, match="rows of 2 groups"):
        fit.update_group(two)
    with pytest.raises(DataError, match="'y'"):
        fit.update_group(rows(3).drop(columns="y"))
    with pytest.raises(DataError, match="missing values"):
        fit.update_group(rows(3).assign(y=[1, np.nan, 2]))
    binary = mlm.Model("b ~ x + (1 | g)", DATA, family="bernoulli").fit("ml")
    with pytest.raises(DataError, match="a category 'maybe'"):
        binary.update_group(rows(3).assign(b="maybe"))


def test_formulas_and_categories_are_refused(make_result):
    frame = pd.DataFrame({"g": np.repeat(range(5), 4), "c": list("abca") * 5})
    frame["y"] = np.arange(20.0) % 7
    for formula, family, why in (
        ("c ~ 1 + (1 | g)", "categorical", "mub and muc have a formula"),
        ("y ~ 1 + (1 | g); sigma ~ (1 | g)", "gaussian", "sigma has a formula"),
    ):
        fit = mlm.Fit(make_result(mlm.Model(formula, frame, family=family)))
        with pytest.raises(StatisticError, match=f"an update of one group where {why}"):
            fit.update_group(frame.head(4))
