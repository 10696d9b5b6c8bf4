"""Checks by level of categories without an order: of the share of each category."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.checks.category_statistics import CategoryStatistics, level_statistics
from bayesmlm.checks.level_statistics import LevelStatistics
from bayesmlm.checks.levels import check_levels
from bayesmlm.checks.prior_levels import check_priors
from bayesmlm.checks.residuals import Moments, residuals_of

J, n = 40, 25
G = np.repeat(np.arange(J), n)
X = np.random.default_rng(3).normal(size=J * n)
SDS = {"mub": 0.7, "muc": 0.2}
BETA = {"mub": np.array([0.4, 0.5]), "muc": np.array([-0.2, -0.3])}


def result_of(make_result, effects, slopes=0.0):
    """Return a result whose draws are the truth, of data whose effects are given."""
    rng, utilities = np.random.default_rng(5), np.zeros((J * n, 3))
    for k, name in enumerate(("mub", "muc"), start=1):
        utilities[:, k] = BETA[name] @ [np.ones(J * n), X] + effects[name][G]
    utilities[:, 1] += slopes * np.where(G % 2, 1, -1) * X
    y = np.argmax(utilities + rng.gumbel(size=utilities.shape), axis=1)
    frame = pd.DataFrame({"y": np.array(list("abc"))[y], "x": X, "g": G})
    model = mlm.Model("y ~ x + (1 | g)", frame, family="categorical")
    given = {}
    for name, sd in SDS.items():
        given[f"beta_{name}"] = np.broadcast_to(BETA[name], (1, 50, 2))
        given[f"sd_{name}_g"] = np.full((1, 50, 1), sd)
        given[f"u_{name}_g"] = np.broadcast_to(effects[name][None, None, :, None], (1, 50, J, 1))
    return model, make_result(model, **given)


def normal_effects():
    rng = np.random.default_rng(4)
    return {name: rng.normal(0, sd, J) for name, sd in SDS.items()}


def test_a_model_that_holds_is_not_flagged(make_result):
    _, result = result_of(make_result, normal_effects())
    found = check_levels(result, draws=199, seed=1)
    assert not found.findings
    names = found.frame.reset_index()
    assert set(names["group"]) == {"g"} and set(names["level"]) == {"2"}
    assert list(names["of"][:2]) == ["a", "a: Intercept"]
    assert found.frame["observed"].notna().all()


def test_slopes_that_differ_are_flagged_by_category(make_result):
    _, result = result_of(make_result, normal_effects(), slopes=0.9)
    found = check_levels(result, draws=199, seed=1)
    whats = [finding.what for finding in found.findings]
    assert any("share of b" in what and "slope of x differs" in what for what in whats)


def test_a_group_far_from_the_others_is_named(make_result):
    effects = normal_effects()
    effects["muc"][17] = 5.0
    _, result = result_of(make_result, effects)
    found = check_levels(result, draws=199, seed=1)
    whats = [finding.what for finding in found.findings]
    assert any("share of c" in what and "group 17 of g lies far" in what for what in whats)


def test_each_category_is_checked_as_a_response_of_two_values(make_result):
    model, _ = result_of(make_result, normal_effects())
    Y = np.random.default_rng(6).integers(0, 3, (30, J * n)).astype(float)
    found = level_statistics(model.design, [Y[:20], Y[20:]])
    assert isinstance(found, CategoryStatistics)
    binary = mlm.Model(
        "y ~ x + (1 | g)",
        pd.DataFrame({"y": np.equal(model.design.y, 2).astype(int), "x": X, "g": G}),
        family="bernoulli",
    )
    moments = Moments()
    moments.add((Y == 2).astype(float))
    alone = LevelStatistics(binary.design, residuals_of(binary.design, moments))
    one = [np.ones(J)]
    own = alone.values((Y == 2).astype(float), one, one)
    K = len(alone.listed)
    assert found.values(Y, one * 3, one * 3)[:, -K:] == pytest.approx(own)
    assert len(found.listed) == 3 * K


def test_priors_of_categories(make_result):
    model, _ = result_of(make_result, normal_effects())
    found = check_priors(model.design, model.prior_values, draws=199)
    assert [s.category for s in found.statistics] == list("aabbcc")
    assert not found.findings
    shares = [np.mean(model.design.y == k) for k in range(3)]
    means = found.frame.xs("mean", level="statistic")
    assert means["observed"].to_numpy() == pytest.approx(shares)
