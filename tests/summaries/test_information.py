"""Information criteria against dense linear algebra and known figures."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.summaries.information import effective_parameters, information_criteria
from bayesmlm.summaries.variance_components import covariance_draws


def hat_trace(result, weight):
    """Return the trace of the fit's hat matrix with a flat prior of beta, by dense algebra."""
    design = result.design
    V = np.diag(1 / weight)
    for block in design.random:
        T, codes = covariance_draws(result, block)[0], block.grouping.codes
        V += (codes[:, None] == codes) * (block.Z @ T @ block.Z.T)
    W = np.linalg.inv(V)
    X = design.X
    P = W - W @ X @ np.linalg.solve(X.T @ W @ X, X.T @ W)
    return len(weight) - np.trace(P / weight)


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    made = pd.DataFrame({"g": np.repeat(range(8), 6), "h": np.tile(range(6), 8)})
    made["x"], made["k"] = rng.normal(size=48), rng.uniform(0.5, 2, 48)
    made["y"] = made["x"] + rng.normal(size=8)[made["g"]] + rng.normal(size=6)[made["h"]]
    made["y"] += rng.normal(size=48)
    made["b"] = (made["y"] > 0).astype(int)
    return made.assign(o=made["g"] // 2)


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ x + (x | g)",
        "y | precision(k) ~ x + (1 | g) + (1 | h)",
        "y ~ x + (1 | o/g)",
        "y ~ x",
        "y ~ 0 + (1 | g)",
    ],
)
@pytest.mark.parametrize("engine", ["ml", "reml"])
def test_effective_parameters_are_the_trace_of_the_hat_matrix(frame, formula, engine):
    result = mlm.Model(formula, frame).fit(engine).result
    precision = result.design.outcome.rows.get("precision", np.ones(48))
    weight = precision / float(result.posterior["sigma"][0, 0]) ** 2
    assert effective_parameters(result) == pytest.approx(hat_trace(result, weight), rel=1e-6)


def test_binary_rows_by_their_working_weights(frame):
    result = mlm.Model("b ~ x + (1 | g)", frame, family="bernoulli").fit("ml").result
    u = result.posterior["u_g"][0, 0, :, 0].to_numpy()
    eta = result.design.X @ result.posterior["beta"][0, 0].to_numpy() + u[frame["g"]]
    p = 1 / (1 + np.exp(-eta))
    expected = hat_trace(result, p * (1 - p))
    assert effective_parameters(result) == pytest.approx(expected, rel=1e-6)
    found = information_criteria(result)
    log_lik = np.log(np.where(frame["b"] == 1, p, 1 - p)).sum()
    assert found.loc["conditional AIC", "value"] == pytest.approx(-2 * log_lik + 2 * expected)


def test_sleepstudy_as_lme4_prints_it():
    """lme4: logLik -875.9697, AIC 1763.939, BIC 1783.097 by ML."""
    model = mlm.Model("Reaction ~ Days + (Days | Subject)", mlm.datasets.load("sleepstudy"))
    found = information_criteria(model.fit("ml").result)
    assert found.loc["marginal AIC", "value"] == pytest.approx(1763.939, abs=2e-3)
    assert found.loc["BIC, n rows", "value"] == pytest.approx(1783.097, abs=2e-3)
    gap = found.loc["BIC, n rows", "value"] - found.loc["BIC, n groups of Subject", "value"]
    assert gap == pytest.approx(6 * np.log(10))
    # each subject has nearly its own line: 2 x 18 coefficients and sigma, a little shrunken
    assert 25 < found.loc["conditional AIC", "parameters"] < 37
    assert found.loc["conditional AIC", "value"] < found.loc["marginal AIC", "value"]


def test_reml_is_named_and_a_posterior_refused(frame):
    model = mlm.Model("y ~ x + (1 | g)", frame)
    assert "marginal AIC (REML)" in information_criteria(model.fit("reml").result).index
    assert "REML" in str(model.fit("reml").information())
    with pytest.raises(StatisticError, match="fits by"):
        model.fit("laplace", seed=1).information()
