"""Planned studies: power against brute force and closed forms."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmlm as mlm
from bayesmlm.errors import DataError, EngineError, SpecError, StatisticError
from bayesmlm.study.bundles import bundles

FORMULA = "y ~ x + treated + (1 | school)"
VALUES = {"Intercept": 0, "x": 0.2, "treated": 0.5, "sd_school": 0.5, "sigma": 1}
KINDS = {"x": "normal", "treated": "group binary"}


def planned(values=VALUES, covariates=KINDS, spec=FORMULA, **options):
    options = {"groups": [20], "sizes": [5], "simulations": 20, "seed": 1} | options
    with ThreadPoolExecutor(1) as pool:
        return mlm.plan_study(spec, values, covariates, executor=pool, **options)


@pytest.fixture(scope="module")
def plan():
    return planned(groups=[10, 40], sizes=[5, 20], simulations=60)


def test_a_row_a_design_and_parameter(plan):
    assert plan.frame.index.names == ["groups", "size", "parameter"]
    assert len(plan.frame) == 4 * 5 and plan.measure == "power"
    assert plan.frame.loc[(10, 5, "sigma"), "bias"] == pytest.approx(0, abs=0.1)
    assert np.isnan(plan.frame.loc[(10, 5, "sigma"), "power"])


def test_more_groups_and_rows_tell_more(plan):
    x = plan.frame.xs("x", level="parameter")
    assert x.loc[(10, 5), "power"] < x.loc[(40, 5), "power"] <= x.loc[(40, 20), "power"]
    assert x.loc[(10, 5), "width"] > x.loc[(10, 20), "width"] > x.loc[(40, 20), "width"]
    # a predictor of groups gains from groups
    treated = plan.frame.xs("treated", level="parameter")
    assert treated.loc[(10, 20), "width"] > treated.loc[(40, 5), "width"]


def test_power_and_width_are_those_of_the_closed_form(plan):
    """Var(treated) = 4 (tau² + sigma² / n) / J, of balanced groups, half of them treated."""
    row = plan.frame.loc[(40, 20, "treated")]
    se = np.sqrt(4 * (0.25 + 1 / 20) / 40)
    power = 1 - stats.norm.cdf(1.96 - 0.5 / se) + stats.norm.cdf(-1.96 - 0.5 / se)
    assert abs(row["power"] - power) < 4 * np.sqrt(power * (1 - power) / 60)
    assert row["width"] == pytest.approx(2 * 1.96 * se, rel=0.08)
    assert row["mcse"] == pytest.approx(np.sqrt(row["power"] * (1 - row["power"]) / 60))


def test_the_smallest_design(plan):
    assert plan.smallest("x", 0.0) == (10, 5)
    power = plan.frame.xs("x", level="parameter")["power"]
    found = plan.smallest("x", 0.6)
    assert power[found] >= 0.6
    assert all(power[p] < 0.6 for p in power.index if p[0] * p[1] < found[0] * found[1])
    assert plan.smallest("treated", 1.01) is None
    with pytest.raises(SpecError, match="did you mean 'treated'"):
        plan.smallest("treatd")


def test_it_prints_and_draws(plan, tmp_path):
    text = str(plan)
    assert "treated: fewest rows with a power of 80%" in text
    assert max(map(len, text.splitlines())) <= 100
    picture = plan.plot()
    assert [axis.get_title() for axis in picture.axes[:2]] == ["x", "treated"]
    assert len(plan.plot("treated").axes) == 2
    picture.savefig(tmp_path / "plan.png")
    assert (tmp_path / "plan.png").stat().st_size > 5000


def test_a_seed_is_a_plan_whatever_else_is_planned(plan):
    alone = planned(groups=[10], sizes=[20], simulations=60)
    assert alone.frame.loc[(10, 20)].equals(plan.frame.loc[(10, 20)])
    other = planned(groups=[10], sizes=[20], simulations=60, seed=2)
    assert not alone.frame.equals(other.frame)


def test_distributions_give_an_assurance():
    sure = planned(simulations=200, values=VALUES | {"x": mlm.Normal(0.2, 0.3)}, groups=[40])
    assert sure.measure == "assurance"
    # the mean of the power over effects of both signs
    se = planned(groups=[40]).frame.loc[(40, 5, "x"), "width"] / (2 * 1.96)
    x = np.random.default_rng(1).normal(0.2, 0.3, 20_000)
    expected = float(np.mean(stats.norm.sf(1.96 - x / se) + stats.norm.cdf(-1.96 - x / se)))
    found = sure.frame.loc[(40, 5, "x"), "assurance"]
    assert abs(found - expected) < 4 * np.sqrt(expected * (1 - expected) / 200)


def test_widths_asked_for():
    found = planned(width=0.4, groups=[10, 80], sizes=[10]).frame["precise"]
    assert found[(10, 10, "x")] < found[(80, 10, "x")] == 1.0


def test_laplace_gives_posterior_intervals():
    found = planned(method=mlm.Laplace(draws=400), simulations=5)
    row = found.frame.loc[(20, 5, "sd_school[Intercept]")]
    assert np.isfinite(row["width"]) and np.isnan(row["power"])


@pytest.mark.parametrize(
    ("spec", "family", "values", "covariates"),
    [
        ("y ~ x + (1 | g)", "bernoulli", {"Intercept": 0, "x": 1, "sd_g": 0.5}, {"x": "binary"}),
        (
            "y | trials(n) ~ t + (1 | g)",
            "binomial",
            {"Intercept": 0, "t": 0.2, "sd_g": 0.5},
            {"t": "time", "n": 6},
        ),
        (
            "y ~ w + (1 | g)",
            "poisson",
            {"Intercept": 0, "w": 0.5, "sd_g": 0.5},
            {"w": "group normal"},
        ),
    ],
)
def test_other_families(spec, family, values, covariates):
    found = planned(values, covariates, spec, family=family, groups=[30], sizes=[8])
    name = list(values)[1]
    assert 0.2 < found.frame.loc[(30, 8, name), "power"] <= 1


def rows(groups, size, rng):
    g = np.repeat(np.arange(groups), size)
    return {"a": g // 2, "b": g, "x": rng.normal(size=len(g))}


def test_a_function_makes_rows_of_any_grouping():
    values = {"Intercept": 0, "x": 1, "sd_a": 0.5, "sd_a:b": 0.5, "sigma": 1}
    found = planned(values, rows, "y ~ x + (1 | a/b)")
    assert found.frame.loc[(20, 5, "x"), "power"] == 1.0


def test_studies_that_cannot_be_fitted_find_nothing_and_are_told():
    def sometimes(groups, size, rng):
        g = np.repeat(np.arange(groups), size)
        x = rng.normal(size=len(g)) if rng.random() < 0.7 else np.ones(len(g))
        return pd.DataFrame({"g": g, "x": x})

    values = {"Intercept": 0, "x": 5, "sd_g": 1, "sigma": 1}
    found = planned(values, sometimes, "y ~ x + (1 | g)", simulations=40)
    ((why, count),) = found.failures[20, 5].items()
    assert 2 < count < 30 and "x" in why
    assert found.frame.loc[(20, 5, "x"), "power"] == 1 - count / 40
    assert "they count as finding nothing" in str(found)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"values": {"Intercept": 0}}, StatisticError, "no value of x, treated"),
        ({"covariates": {"x": "norml", "treated": "binary"}}, SpecError, "did you mean 'normal'"),
        ({"covariates": {"x": "normal"}}, DataError, "treated"),
        ({"spec": "y ~ x + treated + (1 | a/b)"}, SpecError, "for 2 groupings"),
        ({"spec": "log(y) ~ x + treated + (1 | school)"}, SpecError, "a response that is a column"),
        ({"groups": [1]}, EngineError, "whole numbers from 2"),
        ({"sizes": []}, EngineError, "whole numbers from 2"),
        ({"simulations": 0}, EngineError, "simulations=0"),
        ({"probability": 95}, StatisticError, "between 0 and 1"),
    ],
)
def test_bad_plans_are_refused_before_anything_runs(options, error, said):
    with pytest.raises(error, match=said):
        planned(**options)


def test_bundles_share_the_work():
    designs = [(J, n) for J in (10, 20, 40, 400) for n in (5, 10)]
    found = bundles(designs, 3)
    assert sorted(pair for each in found for pair in each) == sorted(designs)
    assert all((400, 5) not in each or (400, 10) not in each for each in found)
    assert bundles([(2, 2)], 4) == [[(2, 2)]]


@pytest.mark.slow
def test_power_agrees_with_two_thousand_brute_force_fits():
    """Data made by NumPy alone; the two shares differ within a binomial bound."""
    J, n, S = 20, 8, 2000
    found = mlm.plan_study(
        FORMULA, VALUES, KINDS, groups=[J], sizes=[n], simulations=S, seed=3, workers=1
    )
    rng = np.random.default_rng(99)
    hits = dict.fromkeys(("x", "treated"), 0)
    g = np.repeat(np.arange(J), n)
    for _ in range(S):
        treated = rng.permutation(np.arange(J) % 2)[g]
        x = rng.normal(size=J * n)
        u = rng.normal(0, 0.5, J)
        y = 0.2 * x + 0.5 * treated + u[g] + rng.normal(size=J * n)
        data = pd.DataFrame({"school": g, "x": x, "treated": treated, "y": y})
        table = mlm.Model(FORMULA, data).fit("ml").fixef().frame
        for name in hits:
            hits[name] += abs(table.loc[name, "estimate"]) > 1.959964 * table.loc[name, "se"]
    for name, count in hits.items():
        power = found.frame.loc[(J, n, name), "power"]
        pooled = (power + count / S) / 2
        # two comparisons: 2.5 standard errors is a Bonferroni bound of 0.025
        assert abs(power - count / S) < 2.5 * np.sqrt(2 * pooled * (1 - pooled) / S)


@pytest.mark.slow
def test_twenty_designs_of_two_hundred_studies_take_two_minutes_of_four_processors():
    """By the processors' time, as other processes may run beside the test."""
    before, started = os.times(), time.perf_counter()
    plan = mlm.plan_study(
        FORMULA,
        VALUES,
        KINDS,
        groups=[10, 20, 30, 40, 60],
        sizes=[5, 10, 20, 30],
        simulations=200,
        seed=1,
        workers=4,
    )
    after = os.times()
    used = after.user + after.children_user - before.user - before.children_user
    used += after.system + after.children_system - before.system - before.children_system
    assert len(plan.frame) == 20 * 5
    assert min(used / 4, time.perf_counter() - started) < 120
