import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.summaries.r2_bayes import bayesian_r2, r2_bayes


def frame_of():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": np.repeat(range(6), 5), "x": rng.normal(size=30)})
    frame = frame.assign(y=1e6 + rng.normal(size=30), b=np.arange(30) % 2, n=rng.poisson(2, 30))
    frame = frame.assign(t=rng.uniform(1, 2, 30), m=rng.integers(3, 9, 30))
    return frame.assign(k=lambda d: d["m"] // 2)


def test_by_the_ratio():
    assert bayesian_r2(np.array([1.0, 3.0]), np.array([3.0, 1.0])).tolist() == [0.25, 0.75]


@pytest.mark.parametrize(
    ("formula", "options"),
    [
        ("y ~ x + (1 | g)", {}),
        ("y | precision(t) ~ x + (1 | g)", {}),
        ("y | se(t) ~ x + (1 | g)", {}),
        ("b ~ x + (1 | g)", {"family": "bernoulli"}),
        ("b ~ x + (1 | g)", {"family": "bernoulli", "link": "probit"}),
        ("k | trials(m) ~ x + (1 | g)", {"family": "binomial"}),
        ("n ~ x + offset(t) + (1 | g)", {"family": "poisson"}),
    ],
)
def test_every_family_by_the_formula(formula, options, make_result):
    model = mlm.Model(formula, frame_of(), **options)
    rng = np.random.default_rng(1)
    draws = {
        "beta": rng.normal([1e6 if formula[0] == "y" else 0.2, 0.5], 0.3, size=(2, 9, 2)),
        "sd_g": np.ones((2, 9, 1)),
        "u_g": rng.normal(size=(2, 9, 6, 1)),
    }
    if model.design.estimates_scale:
        draws["sigma"] = rng.uniform(1, 2, (2, 9))
    result = make_result(model, **draws)
    design = model.design
    beta, u = draws["beta"].reshape(18, 2), draws["u_g"].reshape(18, 6)
    eta = beta @ design.X.T + design.offset + u[:, design.random[0].grouping.codes]
    mu = design.family.link.inverse(eta)
    sigma = draws.get("sigma", np.ones((2, 9))).ravel()
    expected = []
    for s in range(18):
        others = {"sigma": sigma[s]} if model.design.estimates_scale else {}
        residual = design.family.variance(eta[s], others, design.outcome.rows).mean()
        variance = mu[s].var(ddof=1)
        expected.append(variance / (variance + residual))
    row = r2_bayes(result).loc["Bayesian"]
    assert row["mean"] == pytest.approx(np.mean(expected), rel=1e-7)
    assert row["sd"] == pytest.approx(np.std(expected, ddof=1), rel=1e-6)


def test_a_line_without_groups_is_near_the_usual_r2():
    """With many rows the posterior mean is the classical share of least squares."""
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"x": rng.normal(size=5000)})
    frame["y"] = frame["x"] + rng.normal(size=5000)
    fit = mlm.Model("y ~ x", frame).fit("laplace", seed=1)
    classical = np.corrcoef(frame["x"], frame["y"])[0, 1] ** 2
    assert fit.r2("bayes").frame.loc["Bayesian", "mean"] == pytest.approx(classical, abs=2e-3)
