"""Checks by level on data that are as the model says, and on data that are not."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.checks import check_levels
from bayesmlm.checks.prior_levels import check_priors
from bayesmlm.errors import StatisticError

J, n = 50, 20


def simulated(kind, seed=1):
    rng = np.random.default_rng([seed, J])
    g = np.repeat(np.arange(J), n)
    x = rng.normal(size=J * n)
    u, slope, sd = 0.7 * rng.normal(size=J), np.full(J, 0.5), np.ones(J)
    if kind == "bimodal":
        u = 0.7 * np.sign(rng.normal(size=J)) + 0.1 * rng.normal(size=J)
    if kind == "slope":
        slope = 0.5 + 0.4 * rng.normal(size=J)
    if kind == "spread":
        sd = np.exp(0.4 * rng.normal(size=J))
    if kind == "extreme":
        u[7] = 5
    y = 1 + slope[g] * x + u[g] + sd[g] * rng.normal(size=J * n)
    return pd.DataFrame({"g": g, "x": x, "y": y})


def checked(kind, formula="y ~ x + (1 | g)", seed=1):
    return mlm.Model(formula, simulated(kind, seed)).fit("ml").check_levels(299)


@pytest.mark.parametrize("kind", ["bimodal", "slope", "spread", "extreme"])
def test_what_is_wrong_is_found(kind):
    found = checked(kind)
    p = found.frame["p adjusted"].xs({"bimodal": "bimodality"}.get(kind, kind), level="statistic")
    assert float(p.iloc[0]) < 0.02 and not found.ok


def test_what_is_right_is_not():
    assert checked("right").ok
    assert checked("slope", "y ~ x + (x | g)").ok  # the slope is in the model


def test_the_same_groups_show_nothing_of_their_distribution():
    found = checked("bimodal").frame.xs("sd", level="statistic").iloc[0]
    assert found["p same"] > 0.1 and found["p new"] > 0.1


def test_a_posterior_gives_much_the_same():
    fit = mlm.Model("y ~ x + (1 | g)", simulated("slope")).fit("laplace", seed=1)
    found = check_levels(fit.result, 299)
    assert found.frame.xs("slope", level="statistic")["p adjusted"].iloc[0] < 0.02


def test_a_seed_is_a_check():
    fit = mlm.Model("y ~ x + (1 | g)", simulated("right")).fit("ml")
    one, two, other = (fit.check_levels(99, seed=seed).frame for seed in (1, 1, 2))
    assert one.equals(two) and not one.equals(other)


def counts(kind):
    data, rng = simulated("right"), np.random.default_rng(4)
    u, slope = 0.5 * rng.normal(size=J)[data["g"]], 0.5 * rng.normal(size=J)[data["g"]]
    eta = u + data["x"] * (slope if kind == "slope" else 0.3)
    eta += 0.5 * rng.normal(size=J * n) * (kind == "dispersion")
    data["k"] = rng.poisson(np.exp(eta))
    data["b"] = (rng.random(J * n) < 1 / (1 + np.exp(-3 * eta))).astype(int)
    return data


@pytest.mark.parametrize("kind", ["slope", "dispersion"])
def test_counts(kind):
    found = mlm.Model("k ~ x + (1 | g)", counts(kind), family="poisson").fit("ml").check_levels()
    p = found.frame["p adjusted"].droplevel(["level", "group", "of"])
    assert p[kind] < 0.02
    assert mlm.Model("k ~ x + (1 | g)", counts(""), family="poisson").fit("ml").check_levels(199).ok


def test_binary_responses():
    fit = mlm.Model("b ~ x + (1 | g)", counts("slope"), family="bernoulli").fit("ml")
    found = fit.check_levels(199)
    p = found.frame["p adjusted"].droplevel(["level", "group", "of"])
    assert p["slope"] < 0.02 and "skewness" not in p.index
    assert "density and spread follow" in str(found)


def test_envelopes_hold_the_groups():
    found = checked("right").found.envelopes
    assert [(e.group, e.effect) for e in found] == [("g", "Intercept")]
    (own,) = found
    assert (np.diff(own.observed) >= 0).all() and (own.lower <= own.upper).all()
    inside = (own.observed > own.lower) & (own.observed < own.upper)
    assert inside.mean() > 0.8


def test_priors_against_the_data():
    data = simulated("right")
    model = mlm.Model("y ~ x + (1 | g)", data)
    far = mlm.Model("y ~ x + (1 | g)", data, priors={"Intercept": mlm.Normal(50, 1)})
    found = check_priors(far.design, far.prior_values, 199)
    assert found.frame.xs("mean", level="statistic")["p"].iloc[0] < 0.02
    assert "the mean of the response is not one the priors expect" in str(far.check_priors(199))
    rows = model.check_priors(199).frame
    assert rows["observed"].iloc[0] == pytest.approx(data["y"].mean())
    assert rows["observed"].iloc[2] == pytest.approx(data.groupby("g")["y"].mean().std(ddof=0))


@pytest.mark.parametrize(
    ("options", "said"), [({"draws": 10}, "draws=10"), ({"level": 5}, "level")]
)
def test_bad_options(options, said):
    fit = mlm.Model("y ~ x + (1 | g)", simulated("right")).fit("ml")
    with pytest.raises(StatisticError, match=said):
        fit.check_levels(**options)


def test_a_check_without_statistics_is_refused(make_result):
    data = pd.DataFrame({"b": [0, 1] * 10, "x": np.arange(20.0)})
    result = make_result(mlm.Model("b ~ x", data, family="bernoulli"), beta=np.zeros((1, 4, 2)))
    with pytest.raises(StatisticError, match="without groups"):
        check_levels(result)


def test_groups_of_one_row_have_no_statistics_within():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"g": range(12), "y": rng.normal(0, 5, 12), "s": 3.0})
    found = mlm.Model("y | se(s) ~ 1 + (1 | g)", frame).fit("ml").check_levels(199)
    assert set(map(str, found.frame.index.get_level_values("level"))) == {"2"}
    assert np.isfinite(found.frame[["observed", "p adjusted"]].to_numpy(dtype=float)).all()
    assert "no checks of them" in str(found)
