"""ML and REML: closed forms, equivariance, standard errors, criteria, singular fits."""

import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.engines.marginal import require_marginal
from bayesmlm.engines.ml import Profile
from bayesmlm.engines.relative import partials
from bayesmlm.errors import EngineError
from bayesmlm.priors import cholesky_factor

METHODS = ("ml", "reml")


def fit(formula, data, method, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)  # cautions about the data
        model = mlm.Model(formula, data, **options)
    return model.fit(method)


def value(fit, name):
    return fit.result.posterior[name].to_numpy()[0, 0]


def anova(seed, J=8, n=5, tau=2.0):
    """Return balanced data with the mean squares between and within groups."""
    rng = np.random.default_rng(seed)
    y = 10 + rng.normal(0, tau, (J, 1)) + rng.normal(0, 1.5, (J, n))
    data = pd.DataFrame({"g": np.repeat(np.arange(J), n), "y": y.ravel()})
    between = n * ((y.mean(axis=1) - y.mean()) ** 2).sum() / (J - 1)
    within = ((y - y.mean(axis=1, keepdims=True)) ** 2).sum() / (J * (n - 1))
    return data, between, within


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(4))
def test_balanced_one_way_anova(seed, method):
    J, n = 8, 5
    data, between, within = anova(seed)
    shrunk = between * ((J - 1) / J if method == "ml" else 1)
    assert shrunk > within
    found = fit("y ~ 1 + (1 | g)", data, method)
    assert value(found, "sigma") == pytest.approx(np.sqrt(within), rel=1e-6)
    tau2 = (shrunk - within) / n
    assert value(found, "sd_g")[0] == pytest.approx(np.sqrt(tau2), rel=1e-6)
    row = found.fixef().frame.loc["Intercept"]
    assert row["estimate"] == pytest.approx(data["y"].mean(), rel=1e-12)
    assert row["se"] == pytest.approx(np.sqrt(shrunk / (J * n)), rel=1e-6)
    deviance = J * (n - 1) * np.log(within) + J * np.log(shrunk) + J * n * (1 + np.log(2 * np.pi))
    if method == "reml":
        deviance -= np.log(shrunk) + 1 + np.log(2 * np.pi) - np.log(J * n)
    assert found.deviance == pytest.approx(deviance, rel=1e-10)
    modes = (1 - within / shrunk) * (data.groupby("g")["y"].mean() - data["y"].mean())
    np.testing.assert_allclose(value(found, "u_g")[:, 0], modes, rtol=1e-5, atol=1e-8)
    assert not found.check().singular and found.check().ok


@pytest.mark.parametrize("method", METHODS)
def test_a_variance_of_zero_is_inside_and_told(method):
    data, between, within = anova(3, tau=0.0)
    assert between < within
    found = fit("y ~ 1 + (1 | g)", data, method)
    n = len(data)
    total = ((data["y"] - data["y"].mean()) ** 2).sum()
    sigma2 = total / (n if method == "ml" else n - 1)
    assert value(found, "sigma") == pytest.approx(np.sqrt(sigma2), rel=1e-8)
    assert value(found, "sd_g")[0] < 1e-4 * np.sqrt(sigma2)
    assert np.abs(value(found, "u_g")).max() < 1e-6
    assert found.fixef().frame["se"].iloc[0] == pytest.approx(np.sqrt(sigma2 / n), rel=1e-6)
    assert found.check().singular and found.check().ok
    assert "singular fit" in str(found.check())
    assert any("Singular fit" in note for note in found.result.notes)


def test_a_correlation_of_one_is_told():
    rng = np.random.default_rng(3)
    g, x = np.repeat(np.arange(12), 6), np.tile(np.arange(6.0), 12)
    u = rng.normal(0, 2, 12)
    data = pd.DataFrame({"g": g, "x": x, "y": u[g] * (1 + x) + rng.normal(0, 1.0, 72)})
    found = fit("y ~ x + (x | g)", data, "reml")
    assert found.check().singular
    assert value(found, "corr_g")[0] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_without_groups_it_is_least_squares(method):
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"x": rng.normal(5, 2, 30), "w": rng.normal(0, 1, 30)})
    data["y"] = 3 + data["x"] - data["w"] + rng.normal(0, 2, 30)
    found = fit("y ~ x + w", data, method)
    X = np.column_stack([np.ones(30), data["x"], data["w"]])
    best, rss, *_ = np.linalg.lstsq(X, data["y"], rcond=None)
    sigma2 = rss[0] / (30 if method == "ml" else 27)
    frame = found.fixef().frame
    np.testing.assert_allclose(frame["estimate"], best, rtol=1e-10)
    errors = np.sqrt(np.diag(np.linalg.inv(X.T @ X)) * sigma2)
    np.testing.assert_allclose(frame["se"], errors, rtol=1e-10)
    assert value(found, "sigma") == pytest.approx(np.sqrt(sigma2), rel=1e-10)
    n = 30 if method == "ml" else 27
    deviance = n * (1 + np.log(2 * np.pi * sigma2))
    if method == "reml":
        deviance += np.linalg.slogdet(X.T @ X)[1]
    assert found.deviance == pytest.approx(deviance, rel=1e-12)
    assert not found.check().singular


@pytest.fixture(scope="module")
def sleep():
    return mlm.datasets.load("sleepstudy")


@pytest.mark.parametrize("method", METHODS)
def test_standard_errors_are_of_generalised_least_squares(method, sleep):
    found = fit("Reaction ~ Days + (Days | Subject)", sleep, method)
    sds, r, sigma = (
        value(found, "sd_Subject"),
        value(found, "corr_Subject")[0],
        value(found, "sigma"),
    )
    T = np.array([[1, r], [r, 1]]) * np.outer(sds, sds)
    information = np.zeros((2, 2))
    for _, rows in sleep.groupby("Subject"):
        X = np.column_stack([np.ones(len(rows)), rows["Days"]])
        V = X @ T @ X.T + sigma**2 * np.eye(len(rows))
        information += X.T @ np.linalg.solve(V, X)
    covariance = np.linalg.inv(information)
    frame = found.fixef().frame
    np.testing.assert_allclose(frame["se"], np.sqrt(np.diag(covariance)), rtol=1e-8)
    np.testing.assert_allclose(
        found.tree["standard_errors"]["beta_covariance"].to_numpy(), covariance, rtol=1e-7
    )


def test_criteria_count_the_parameters(sleep):
    found = fit("Reaction ~ Days + (Days | Subject)", sleep, "ml")
    assert int(found.tree["sample_stats"]["parameters"]) == 6
    assert found.log_likelihood == -found.deviance / 2
    assert found.aic == pytest.approx(found.deviance + 12)
    assert found.bic == pytest.approx(found.deviance + 6 * np.log(180))
    few = fit("Reaction ~ 1 + (Days || Subject)", sleep, "ml")
    assert int(few.tree["sample_stats"]["parameters"]) == 4


def test_known_sampling_sds_have_no_residual():
    """Of equal sampling SDs everything is in closed form."""
    y, s = np.array([1.0, 4.0, 2.0, 8.0, 5.0]), 1.5
    data = pd.DataFrame({"y": y, "s": s, "g": list("abcde")})
    for method, n in (("ml", 5), ("reml", 4)):
        found = fit("y | se(s) ~ 1 + (1 | g)", data, method)
        total = ((y - 4) ** 2).sum() / n
        assert value(found, "sd_g")[0] == pytest.approx(np.sqrt(total - s * s), rel=1e-6)
        assert found.fixef().frame["se"].iloc[0] == pytest.approx(np.sqrt(total / 5), rel=1e-6)
        assert "sigma" not in found.result.posterior
        assert int(found.tree["sample_stats"]["parameters"]) == 2


SHIFTED = ("Reaction ~ Days + (1 | Subject)", "Reaction ~ Days + (Days | Subject)")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("formula", SHIFTED)
@pytest.mark.parametrize(("shift", "scale"), [(1e6, 1.0), (0.0, 1e6), (1e6, 1e-6), (-1e6, 1e6)])
def test_equivariant_in_the_response(shift, scale, formula, method, sleep):
    one = fit(formula, sleep, method)
    two = fit(formula, sleep.assign(Reaction=scale * sleep["Reaction"] + shift), method)
    old, new = one.fixef().frame, two.fixef().frame
    expected = scale * old["estimate"] + [shift, 0]
    # the shifted response holds fewer digits of what is left after it
    digits = 1e-6 + 1e-15 * abs(shift) / (scale * 25)
    np.testing.assert_allclose(new["estimate"], expected, rtol=digits)
    np.testing.assert_allclose(new["se"], scale * old["se"], rtol=digits)
    for name in ("sd_Subject", "sigma"):
        np.testing.assert_allclose(value(two, name), scale * value(one, name), rtol=digits)
    n = 180 - (2 if method == "reml" else 0)
    assert two.deviance == pytest.approx(one.deviance + 2 * n * np.log(scale), rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("formula", SHIFTED)
@pytest.mark.parametrize("scale", [1e6, 1e-6])
def test_equivariant_in_the_scale_of_a_predictor(scale, formula, method, sleep):
    one = fit(formula, sleep, method)
    two = fit(formula, sleep.assign(Days=scale * sleep["Days"]), method)
    move = np.array([1, 1 / scale])
    old, new = one.fixef().frame, two.fixef().frame
    np.testing.assert_allclose(new["estimate"], old["estimate"] * move, rtol=1e-6)
    np.testing.assert_allclose(new["se"], old["se"] * move, rtol=1e-6)
    sds = value(one, "sd_Subject") * move[: len(value(one, "sd_Subject"))]
    np.testing.assert_allclose(value(two, "sd_Subject"), sds, rtol=1e-6)
    more = 2 * np.log(scale) if method == "reml" else 0
    assert two.deviance == pytest.approx(one.deviance + more, rel=1e-8)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("formula", SHIFTED)
@pytest.mark.parametrize("shift", [1e6, -1e6])
def test_equivariant_in_the_origin_of_a_predictor(shift, formula, method, sleep):
    one = fit(formula, sleep, method)
    two = fit(formula, sleep.assign(Days=sleep["Days"] + shift), method)
    old, new = one.fixef().frame, two.fixef().frame
    slope = old.loc["Days", "estimate"]
    assert new.loc["Days", "estimate"] == pytest.approx(slope, rel=1e-6)
    assert new.loc["Days", "se"] == pytest.approx(old.loc["Days", "se"], rel=1e-6)
    expected = old.loc["Intercept", "estimate"] - shift * slope
    assert new.loc["Intercept", "estimate"] == pytest.approx(expected, rel=1e-6)
    assert value(two, "sigma") == pytest.approx(value(one, "sigma"), rel=1e-6)
    assert value(two, "sd_Subject")[-1] == pytest.approx(value(one, "sd_Subject")[-1], rel=1e-6)
    assert two.deviance == pytest.approx(one.deviance, rel=1e-8)


PRIORS = (
    {"Days": mlm.Normal(0, 1e-3), "sd": mlm.HalfNormal(1e-3)},
    {"Days": mlm.StudentT(3, 0, 1), "Intercept": mlm.HalfNormal(1)},
)


@pytest.mark.parametrize("priors", PRIORS)
def test_priors_are_ignored_and_said_so(priors, sleep):
    formula = "Reaction ~ Days + (Days | Subject)"
    one, two = fit(formula, sleep, "reml"), fit(formula, sleep, "reml", priors=priors)
    for name in one.result.posterior:
        assert np.array_equal(value(one, name), value(two, name)), name
    assert one.deviance == two.deviance
    assert "Priors are ignored" in two.result.notes[0]
    assert str(mlm.ML()) == "ML, priors ignored" and str(mlm.REML()) == "REML, priors ignored"


def test_the_same_fit_in_two_orders_of_rows(sleep):
    formula = "Reaction ~ Days + (Days | Subject)"
    one = fit(formula, sleep, "ml")
    two = fit(formula, sleep.sample(frac=1, random_state=1), "ml")
    assert two.deviance == pytest.approx(one.deviance, rel=1e-10)
    np.testing.assert_allclose(value(two, "sd_Subject"), value(one, "sd_Subject"), rtol=1e-6)


def test_what_has_no_restricted_likelihood_is_refused():
    data = pd.DataFrame({"g": np.repeat(list("abcd"), 5), "k": np.tile([0, 1, 1, 0, 1], 4)})
    with pytest.raises(EngineError, match=r"(?s)REML cannot fit.*bernoulli.*\"nuts\""):
        mlm.Model("k ~ 1 + (1 | g)", data, family="bernoulli").fit("reml")


def test_nodes_are_of_responses_that_are_not_gaussian(sleep):
    model = mlm.Model("Reaction ~ Days + (Days | Subject)", sleep)
    for engine in (mlm.ML(nodes=7), mlm.REML(nodes="auto")):
        with pytest.raises(EngineError, match=r"(?s)integrate out exactly.*leave nodes out"):
            model.fit(engine)


def test_the_criterion_is_the_profiled_likelihood(sleep):
    """At its sigma and beta the likelihood of psi is the criterion of theta."""
    model = mlm.Model("Reaction ~ Days + (Days | Subject)", sleep)
    marginal = require_marginal(model.design, model.prior_values, "ML")
    theta = np.array([[0.9, 0.1, 0.5]])
    for restricted, name in ((False, "maximum_likelihood"), (True, "restricted_likelihood")):
        profile = Profile(marginal, restricted)
        psi = profile.hyperparameters(theta[0])
        expected = -2 * getattr(marginal, name)(psi)
        np.testing.assert_allclose(profile.criterion(theta), expected, rtol=1e-10)
        off = psi + np.array([0.01, 0.01, 0, 0.01])  # the same theta at another sigma
        assert -2 * getattr(marginal, name)(off)[0] > expected[0]


def test_the_criterion_is_even_in_the_diagonal(sleep):
    model = mlm.Model("Reaction ~ Days + (Days || Subject)", sleep)
    profile = Profile(require_marginal(model.design, model.prior_values, "ML"), False)
    values = profile.criterion(np.array([[0.5, 0.3], [-0.5, 0.3], [0.5, -0.3]]))
    np.testing.assert_allclose(values, values[0], rtol=1e-14)


def test_partial_correlations_of_a_factor():
    partial = np.array([0.3, -0.5, 0.8])
    rows = cholesky_factor(partial, 3, np.sqrt)
    L = np.zeros((3, 3))
    for j, row in enumerate(rows):
        L[j, : len(row)] = row
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    factor = np.diag([2, 0.1, 5]) @ L
    for same in (factor, factor @ turn, -factor):  # factors of one covariance
        np.testing.assert_allclose(partials(same), np.arctanh(partial), atol=1e-12)
    assert np.array_equal(partials(np.zeros((3, 3))), np.zeros(3))
    almost = partials(np.array([[1.0, 0.0], [1.0, 1e-12]]))
    assert np.sinh(almost)[0] == pytest.approx(1e12, rel=1e-10)
