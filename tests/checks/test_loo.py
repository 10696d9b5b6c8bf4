"""Leave-one-out against closed forms, numerical integration and real refits."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.integrate
import scipy.stats

import bayesmlm as mlm
from bayesmlm.checks.loo import good_k, loo, relative_efficiency, smoothed
from bayesmlm.checks.refits import Refits, fast_engine, run_refits
from bayesmlm.checks.target import group_target, row_target
from bayesmlm.errors import StatisticError

RNG = np.random.default_rng(8)


def schools():
    y = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
    frame = pd.DataFrame(
        {"y": y, "s": [15.0, 10, 16, 11, 9, 11, 10, 18], "school": list("ABCDEFGH")}
    )
    priors = {"Intercept": mlm.Normal(0, 20), "sd_school": mlm.HalfNormal(10)}
    return mlm.Model("y | se(s) ~ 1 + (1 | school)", frame, priors=priors), frame


@pytest.fixture(scope="module")
def fit():
    return schools()[0].fit("laplace", seed=1)


def log_evidence(y, s):
    """Return log p(y), tau integrated out numerically, mu and the schools exactly."""
    tau = np.linspace(0, 60, 4001)
    n = len(y)
    V = np.eye(n) * (tau[:, None, None] ** 2 + s**2) + 400.0
    log_det = np.linalg.slogdet(V)[1]
    quad = np.einsum("i,tij,j->t", y, np.linalg.inv(V), y)
    density = np.exp(-0.5 * (log_det + quad + n * np.log(2 * np.pi)))
    return np.log(scipy.integrate.trapezoid(density * scipy.stats.halfnorm(0, 10).pdf(tau), tau))


@pytest.mark.parametrize("predict", ["new row", "new group"])
def test_eight_schools_by_numerical_integration(fit, predict):
    _, frame = schools()
    y, s = frame["y"].to_numpy(), frame["s"].to_numpy()
    found = loo(fit.result, predict)
    assert found.ok and found.refitted == 0
    for i in range(8):
        rest = np.arange(8) != i
        exact = log_evidence(y, s) - log_evidence(y[rest], s[rest])
        assert found.frame["elpd"].iloc[i] == pytest.approx(exact, abs=0.05)
    assert found.elpd == pytest.approx(found.frame["elpd"].sum())


def test_a_regression_with_known_variances_in_closed_form(make_result):
    rng = np.random.default_rng(4)
    x, s = rng.normal(size=25), rng.uniform(0.5, 1.5, 25)
    frame = pd.DataFrame({"y": 1 + x + s * rng.normal(size=25), "x": x, "s": s})
    priors = {"Intercept": mlm.Normal(0, 3), "x": mlm.Normal(0, 3)}
    model = mlm.Model("y | se(s) ~ x", frame, priors=priors)
    X, y = model.design.X, model.design.y

    def posterior(rows):
        C = np.linalg.inv(X[rows].T @ (X[rows] / s[rows, None] ** 2) + np.eye(2) / 9)
        return C @ (X[rows].T @ (y[rows] / s[rows] ** 2)), C

    mean, C = posterior(np.arange(25))
    result = make_result(model, beta=rng.multivariate_normal(mean, C, (2, 4000)))
    found = loo(result)
    for i in range(25):
        m, V = posterior(np.arange(25) != i)
        exact = scipy.stats.norm(X[i] @ m, np.sqrt(X[i] @ V @ X[i] + s[i] ** 2)).logpdf(y[i])
        assert found.frame["elpd"].iloc[i] == pytest.approx(exact, abs=0.03)


def test_a_group_of_large_k_hat_is_refitted_and_counted():
    model = mlm.Model("Reaction ~ Days + (Days | Subject)", mlm.datasets.load("sleepstudy"))
    result = model.fit("laplace", seed=1).result
    plain, again = loo(result, "new group", refits=0), loo(result, "new group")
    assert (plain.unreliable, plain.refitted, plain.ok) == (1, 0, False)
    assert (again.unreliable, again.refitted, again.ok) == (0, 1, True)
    moved = plain.frame["elpd"] != again.frame["elpd"]
    assert list(moved[moved].index) == ["332"]
    target = group_target(model.design, None)
    refits = Refits(target, model.prior_values, mlm.Laplace(), 1)
    at = target.labels.index("332")
    alone = run_refits(refits, [np.array([at])])[0]
    assert again.frame["elpd"].loc["332"] == pytest.approx(alone.values[0])
    assert "1 groups of Subject refitted" in str(again)
    assert "pass refits=1" in str(plain)


def gallery(name, shared_data):
    if name == "sleepstudy":
        frame = mlm.datasets.load("sleepstudy")
        return mlm.Model("Reaction ~ Days + (Days | Subject)", frame).fit("laplace", seed=1)
    if name == "eight schools":
        frame = pd.read_csv(shared_data / "eight_schools.csv")
        return mlm.Model("y | se(sigma) ~ 1 + (1 | school)", frame).fit("laplace", seed=1)
    if name == "contraception":
        frame = pd.read_csv(shared_data / "Contraception.csv")
        formula = "use ~ age + I(age**2) + urban + livch + (1 | district)"
        return mlm.Model(formula, frame, family="bernoulli").fit("quadrature", seed=1)
    frame = pd.read_csv(shared_data / "cbpp.csv", dtype={"period": str})
    model = mlm.Model("incidence | trials(size) ~ period + (1 | herd)", frame, family="binomial")
    return model.fit("quadrature", seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sleepstudy", "eight schools", "cbpp", "contraception"])
def test_groups_against_refits_without_each(name, shared_data):
    """Total within 1 nat, each group within 0.2 where k-hat is below 0.7."""
    result = gallery(name, shared_data).result
    found = loo(result, "new group")
    assert found.ok
    target = group_target(result.design, None)
    refits = Refits(target, result.priors, fast_engine(result), 99)
    outcomes = run_refits(refits, [np.array([j]) for j in range(target.size)], workers=2)
    exact = np.array([outcome.values[0] for outcome in outcomes])
    assert found.elpd == pytest.approx(exact.sum(), abs=1.0)
    low = (found.frame["k_hat"] < 0.7).to_numpy()
    assert np.abs(found.frame["elpd"].to_numpy() - exact)[low].max() < 0.2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sleepstudy", "cbpp"])
def test_rows_against_refits_without_each(name, shared_data):
    result = gallery(name, shared_data).result
    found = loo(result)
    assert found.ok
    refits = Refits(row_target(result.design), result.priors, fast_engine(result), 99)
    rows = np.arange(0, len(found.frame), 9 if name == "sleepstudy" else 4)
    outcomes = run_refits(refits, [np.array([i]) for i in rows], workers=2)
    exact = np.array([outcome.values[0] for outcome in outcomes])
    assert np.abs(found.frame["elpd"].to_numpy()[rows] - exact).max() < 0.1


def test_integrating_the_effects_out_lowers_the_pareto_shapes():
    model = mlm.Model("Reaction ~ Days + (Days | Subject)", mlm.datasets.load("sleepstudy"))
    result = model.fit("laplace", seed=1).result
    target = row_target(model.design)
    given, integrated = (smoothed(result, each)[1] for each in (target.conditional, target))
    assert given.max() > 0.7 > integrated.max()
    assert np.mean(integrated < given) > 0.8


@pytest.mark.parametrize("family", ["gaussian", "categorical"])
def test_rows_where_several_parameters_have_predictors(make_result, family):
    """Draws of the exact posterior of the intercepts alone, by numerical integration."""
    rng = np.random.default_rng(6)
    spaced = scipy.stats.norm.ppf((np.arange(30) + 0.5) / 30)
    y = spaced if family == "gaussian" else np.arange(30) % 3
    formula = "y ~ 1; sigma ~ 1" if family == "gaussian" else "y ~ 1"
    model = mlm.Model(formula, pd.DataFrame({"y": y}), family=family)
    a, b = (each.ravel() for each in np.meshgrid(*[np.linspace(-2.5, 2.5, 401)] * 2))
    if family == "gaussian":
        names, log_p = ("beta", "beta_sigma"), scipy.stats.norm(a, np.exp(b)).logpdf(y[:, None])
    else:
        every = np.stack([np.zeros_like(a), a, b])
        names, log_p = ("beta_mu1", "beta_mu2"), (every - np.logaddexp.reduce(every))[y]
    total = log_p.sum(axis=0) - (a**2 + b**2) / 2

    def log_mean(values):
        return np.logaddexp.reduce(values)

    exact = [log_mean(total) - log_mean(total - log_p[i]) for i in range(30)]
    weight = np.exp(total - total.max())
    at = rng.choice(len(a), size=(2, 10_000), p=weight / weight.sum())
    given = {name: values[at][..., None] for name, values in zip(names, (a, b), strict=True)}
    found = loo(make_result(model, **given), refits=0)
    assert found.ok
    assert found.frame["elpd"].to_numpy() == pytest.approx(np.array(exact), abs=0.03)


def test_groups_are_refused_where_a_parameter_has_a_formula(make_result):
    frame = pd.DataFrame({"y": RNG.normal(size=20), "g": np.arange(20) % 5})
    for formula, family, why in (
        ("y ~ 1 + (1 | g); sigma ~ (1 | g)", "gaussian", "sigma with a formula"),
        ("k ~ 1 + (1 | g)", "categorical", "mu1 and mu2 with a formula"),
    ):
        model = mlm.Model(formula, frame.assign(k=np.arange(20) % 3), family=family)
        with pytest.raises(StatisticError, match=rf"groups of g: {why}[\s\S]*leave rows out"):
            group_target(model.design, None)


def test_what_is_refused(fit, make_result):
    with pytest.raises(StatisticError, match="did you mean 'new group'"):
        loo(fit.result, "new goup")
    with pytest.raises(StatisticError, match="leave group out"):
        loo(fit.result, "new row", "school")
    with pytest.raises(StatisticError, match="refits=True"):
        loo(fit.result, refits=True)
    frame = mlm.datasets.load("sleepstudy")
    ml = mlm.Model("Reaction ~ Days + (1 | Subject)", frame).fit("ml")
    with pytest.raises(StatisticError, match=r"no draws[\s\S]*information"):
        loo(ml.result)


def test_a_row_of_weight_zero_says_nothing(fit):
    design = row_target(fit.result.design).without(np.array([0]))
    found = loo(replace(fit.result, design=design))
    assert found.frame["elpd"].iloc[0] == 0.0 and found.frame["p"].iloc[0] == 0.0
    assert (found.frame["elpd"].iloc[1:] < -2).all() and found.ok


def test_thresholds_and_efficiency(fit, make_result):
    assert good_k(4000) == 0.7
    assert good_k(100) == pytest.approx(0.5)
    array = fit.result.posterior["beta"]
    assert relative_efficiency(fit.result) == pytest.approx(array.attrs["ess"] / 4000)
