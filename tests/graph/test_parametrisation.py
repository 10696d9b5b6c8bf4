"""Centred or non-centred: the quick reliability, the choice, and the user's own."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayesmlm.errors import BayesmlmWarning, EngineError
from bayesmlm.graph import choose
from bayesmlm.graph.parametrisation import ENOUGH, quick_reliability, scale_reliability
from bayesmlm.model import Model


def simulated(groups: int, n: int, tau: float, sigma: float = 1.0, seed: int = 1) -> pd.DataFrame:
    """Return balanced data: y = 5 + 2 x + u + e."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), n)
    x = rng.normal(size=len(g))
    u = rng.normal(0, tau, groups)
    y = 5 + 2 * x + u[g] + rng.normal(0, sigma, len(g))
    return pd.DataFrame({"y": y, "x": x, "g": g, "u": u[g]})


def reliability(formula: str, data: pd.DataFrame, **options: Any) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmlmWarning)
        design = Model(formula, data, **options).design
    return quick_reliability(design, design.random[0])


@pytest.mark.parametrize(("n", "tau"), [(4, 0.5), (4, 1.5), (30, 0.3), (30, 1.0)])
def test_is_near_the_truth_in_balanced_data(n: int, tau: float) -> None:
    true = tau**2 / (tau**2 + 1 / n)
    (estimate,) = reliability("y ~ x + (1 | g)", simulated(400, n, tau))
    assert estimate == pytest.approx(true, abs=0.06)


@pytest.mark.parametrize("family", ["poisson", "bernoulli", "binomial"])
def test_is_near_the_truth_for_counts_and_successes(family: str) -> None:
    n, tau = 30, 0.4
    data = simulated(400, n, tau, sigma=0.0)
    eta = (data["u"] + 0.1 * data["x"]).to_numpy()
    rng = np.random.default_rng(2)
    # Information on eta of one row, at the mean.
    if family == "poisson":
        response, information = rng.poisson(np.exp(eta)), 1.0
    else:
        trials = 4 if family == "binomial" else 1
        response, information = rng.binomial(trials, 1 / (1 + np.exp(-eta))), trials / 4
    left = "r | trials(4)" if family == "binomial" else "r"
    data["r"] = response
    (estimate,) = reliability(f"{left} ~ x + (1 | g)", data, family=family)
    assert estimate == pytest.approx(tau**2 / (tau**2 + 1 / (n * information)), abs=0.1)


def test_known_standard_errors() -> None:
    data = simulated(300, 1, 1.0).assign(s=1.0)
    (estimate,) = reliability("y | se(s) ~ x + (1 | g)", data)
    assert estimate == pytest.approx(0.5, abs=0.08)


def test_is_zero_for_less_than_noise() -> None:
    data = simulated(50, 10, 0.0)
    data["y"] -= data.groupby("g")["y"].transform("mean")  # every group has the same mean
    (estimate,) = reliability("y ~ 1 + (1 | g)", data)
    assert estimate == 0


def test_is_small_for_noise() -> None:
    assert reliability("y ~ x + (1 | g)", simulated(300, 10, 0.0))[0] < 0.15


def test_groups_without_rank_are_left_out() -> None:
    data = simulated(60, 8, 2.0)
    thin = data["g"] < 20
    data.loc[thin, "x"] = 1.0  # no slope within these groups
    data = data.drop(data.index[(data["g"] == 21) & (data.index % 8 > 0)])  # one row
    estimate = reliability("y ~ x + (x | g)", data)
    assert np.isfinite(estimate).all()
    assert estimate[0] > 0.8


@pytest.mark.parametrize("formula", ["y ~ (f | g)", "y ~ (0 + f | g)"])
def test_an_effect_column_of_zeros_in_every_group(formula: str) -> None:
    data = simulated(10, 6, 1.0).assign(f=lambda d: np.where(d.g % 2, "a", "b"))
    assert (reliability(formula, data) == 0).all()


def test_no_fixed_part() -> None:
    (estimate,) = reliability("y ~ 0 + (1 | g)", simulated(50, 10, 1.0).assign(x=0))
    assert np.isfinite(estimate)


def test_choice_follows_the_reliability() -> None:
    for tau, expected in ((0.1, "non-centred"), (3.0, "centred")):
        (chosen,) = choose(Model("y ~ x + (1 | g)", simulated(50, 10, tau)).design)
        assert (chosen.choice, chosen.by_user) == (expected, False)
        assert (chosen.reliability >= ENOUGH) == (expected == "centred")
        assert str(chosen) == (
            f"Intercept by g: {expected} (reliability about {chosen.reliability:.2f})"
        )


def test_the_user_chooses() -> None:
    data = simulated(20, 10, 1.0)
    design = Model("y ~ x + (x | g)", data).design
    assert [c.choice for c in choose(design, "centred")] == ["centred"] * 2
    assert [c.choice for c in choose(design, {"g": "non-centred"})] == ["non-centred"] * 2
    mixed = choose(design, {"g": "non-centred", "g[x]": "centred"})
    assert [c.choice for c in mixed] == ["non-centred", "centred"]
    assert all(c.by_user for c in mixed)
    assert str(mixed[1]) == "x by g: centred (as asked)"
    partly = choose(design, {"g[x]": "centred"})
    assert [c.by_user for c in partly] == [False, True]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("centered", "allowed: 'centred', 'non-centred'"),
        ({"g": "half"}, "parametrisation 'half' for 'g'"),
        ({"h": "centred"}, "a parametrisation for 'h'"),
        ({"g[z]": "centred"}, "did you mean"),
        (3, "parametrisation 3"),
        (True, "parametrisation True"),
    ],
)
def test_a_choice_that_does_not_exist(asked: Any, words: str) -> None:
    design = Model("y ~ x + (x | g)", simulated(20, 10, 1.0)).design
    with pytest.raises(EngineError, match=words):
        choose(design, asked)


def test_a_model_without_groups_has_nothing_to_choose() -> None:
    design = Model("y ~ x", simulated(20, 10, 1.0)).design
    assert choose(design) == choose(design, "centred") == ()
    with pytest.raises(EngineError, match="parametrisation 'centered'"):
        choose(design, "centered")
    with pytest.raises(EngineError, match="no random effects"):
        choose(design, {"g": "centred"})


@pytest.mark.parametrize(("groups", "n", "tau"), [(400, 30, 0.4), (400, 8, 0.4), (400, 30, 0.15)])
def test_effects_on_sigma_are_near_the_truth(groups: int, n: int, tau: float) -> None:
    rng = np.random.default_rng(6)
    g = np.repeat(np.arange(groups), n)
    x, u, v = rng.normal(size=len(g)), rng.normal(size=groups), rng.normal(0, tau, groups)
    y = 1 + u[g] + 0.5 * x + np.exp(0.3 * x + v[g]) * rng.normal(size=len(g))
    model = Model("y ~ x + (1 | g); sigma ~ x + (1 | g)", pd.DataFrame({"y": y, "x": x, "g": g}))
    (estimate,) = scale_reliability(model.design, model.design.further[0].random[0])
    # the log of a normal sample's SD has the variance 1 / (2 n)
    assert estimate == pytest.approx(tau**2 / (tau**2 + 1 / (2 * n)), abs=0.12)
    own = next(each for each in choose(model.design) if each.group == "sigma_g")
    assert own.choice == ("centred" if estimate >= ENOUGH else "non-centred")


def test_effects_on_other_parameters_have_no_quick_reliability() -> None:
    data = simulated(20, 10, 1.0)
    for text, family in (
        ("y ~ x; identity(sigma) ~ (1 | g)", "gaussian"),
        ("y ~ x; nu ~ (1 | g)", "student"),
    ):
        design = Model(text, data, family=family).design
        np.testing.assert_array_equal(scale_reliability(design, design.further[0].random[0]), 0)
