import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.summaries.r2_nakagawa import r2_nakagawa
from bayesmlm.summaries.r2_rights_sterba import parts_by_level, parts_of_total, r2_rights_sterba
from bayesmlm.summaries.r2_snijders_bosker import r2_snijders_bosker

S = 6


def two_levels(make_result, formula):
    rng = np.random.default_rng(0)
    g = np.repeat(range(8), rng.integers(3, 7, 8))
    frame = pd.DataFrame({"g": g, "w": rng.normal(size=8)[g], "x": rng.normal(1, 1, len(g))})
    return drawn(make_result, mlm.Model(formula, frame.assign(y=rng.normal(size=len(g)))))


def drawn(make_result, model):
    rng = np.random.default_rng(1)
    draws = {"beta": rng.normal(size=(1, S, len(model.design.coef)))}
    for block in model.design.random:
        draws[f"sd_{block.name}"] = rng.uniform(0.5, 1.5, (1, S, len(block.effects)))
        if block.pairs:
            draws[f"corr_{block.name}"] = rng.uniform(-0.4, 0.4, (1, S, len(block.pairs)))
    if model.design.estimates_scale:
        draws["sigma"] = rng.uniform(1, 2, (1, S))
    return make_result(model, **draws)


CENTRED = "y ~ within(x, g)*w + between(x, g) + (within(x, g) | g)"


def test_two_levels_by_hand(make_result):
    """Each source of Rights & Sterba (2019) from the columns of its level."""
    result = two_levels(make_result, CENTRED)
    design, posterior = result.design, result.posterior
    beta, sds = posterior["beta"].to_numpy()[0], posterior["sd_g"].to_numpy()[0]
    level1 = [k for k, name in enumerate(design.coef) if "within" in name]
    level2 = [k for k, name in enumerate(design.coef) if "within" not in name]
    f1 = (design.X[:, level1] @ beta[:, level1].T).var(axis=0)
    f2 = (design.X[:, level2] @ beta[:, level2].T).var(axis=0)
    v = sds[:, 1] ** 2 * design.random[0].Z[:, 1].var()
    m, sigma2 = sds[:, 0] ** 2, posterior["sigma"].to_numpy()[0] ** 2
    found = {(p.name, p.level): p.draws for p in parts_by_level(result)}
    for key, value in {
        ("fixed", 1): f1,
        ("fixed", 2): f2,
        ("slopes by g", 1): v,
        ("intercepts by g", 2): m,
        ("residual", 1): sigma2,
    }.items():
        np.testing.assert_allclose(found.pop(key), value, err_msg=str(key))
    assert not found
    table = r2_rights_sterba(result)["mean"]
    total = f1 + f2 + v + m + sigma2
    assert table["total", "slopes by g"] == pytest.approx((v / total).mean())
    assert table["level 1", "fixed"] == pytest.approx((f1 / (f1 + v + sigma2)).mean())
    assert table["level 2 (g)", "fixed"] == pytest.approx((f2 / (f2 + m)).mean())


def test_the_parts_are_the_variance_of_the_simulated_outcome(make_result):
    """The model-implied total is Var(X beta) + E[z' T z] + sigma²."""
    result = two_levels(make_result, CENTRED)
    design, posterior = result.design, result.posterior
    beta, sds = posterior["beta"].to_numpy()[0], posterior["sd_g"].to_numpy()[0]
    corr = posterior["corr_g"].to_numpy()[0, :, 0]
    z = design.random[0].Z[:, 1][:, None]
    random = sds[:, 0] ** 2 + 2 * corr * sds[:, 0] * sds[:, 1] * z + sds[:, 1] ** 2 * z**2
    sigma2 = posterior["sigma"].to_numpy()[0] ** 2
    total = (design.X @ beta.T).var(axis=0) + random.mean(axis=0) + sigma2
    np.testing.assert_allclose(sum(p.draws for p in parts_by_level(result)), total)
    np.testing.assert_allclose(sum(p.draws for p in parts_of_total(result)), total)


def test_the_shares_add_up(make_result):
    table = r2_rights_sterba(two_levels(make_result, CENTRED))["mean"]
    np.testing.assert_allclose(table.groupby(level="of").sum(), 1)


@pytest.mark.parametrize("by_level", [True, False])
def test_it_reduces_to_nakagawa(by_level, make_result):
    result = two_levels(make_result, CENTRED)
    table = r2_rights_sterba(result, by_level=by_level)["mean"]["total"]
    fixed = sum(value for name, value in table.items() if name.startswith("fixed"))
    other = r2_nakagawa(result)["mean"]
    assert fixed == pytest.approx(other["marginal"], rel=1e-12)
    assert 1 - table["residual"] == pytest.approx(other["conditional"], rel=1e-12)


def test_it_reduces_to_snijders_and_bosker_of_a_random_intercept(make_result):
    result = two_levels(make_result, "y ~ within(x, g)*w + between(x, g) + (1 | g)")
    table = r2_rights_sterba(result)["mean"]["total"]
    fixed = table["fixed, level 1"] + table["fixed, level 2 (g)"]
    assert fixed == pytest.approx(r2_snijders_bosker(result).loc["level 1", "mean"], rel=1e-12)


def three_levels(make_result, formula):
    rng = np.random.default_rng(2)
    room = np.repeat(range(12), 4)
    frame = pd.DataFrame({"room": room, "school": room // 3, "x": rng.normal(size=48)})
    frame["a"] = rng.normal(size=12)[room]
    frame["a"] -= frame.groupby("school")["a"].transform("mean")
    frame["b"] = rng.normal(size=4)[frame["school"]]
    return drawn(make_result, mlm.Model(formula, frame.assign(y=rng.normal(size=48))))


def test_three_levels(make_result):
    result = three_levels(
        make_result,
        "y ~ within(x, room) + a + b + (within(x, room) | room) + (within(x, room) + a | school)",
    )
    parts = {(p.name, p.level): p.draws for p in parts_by_level(result)}
    assert set(parts) == {
        ("fixed", 1),
        ("fixed", 2),
        ("fixed", 3),
        ("slopes by room", 1),
        ("intercepts by room", 2),
        ("slopes by school", 1),
        ("slopes by school", 2),
        ("intercepts by school", 3),
        ("residual", 1),
    }
    sds, Z = result.posterior["sd_school"].to_numpy()[0], result.design.block("school").Z
    np.testing.assert_allclose(parts["slopes by school", 2], sds[:, 2] ** 2 * Z[:, 2].var())
    table = r2_rights_sterba(result)["mean"]
    np.testing.assert_allclose(table.groupby(level="of").sum(), 1)
    fixed = sum(v for name, v in table["total"].items() if name.startswith("fixed"))
    other = r2_nakagawa(result)["mean"]
    assert fixed == pytest.approx(other["marginal"], rel=1e-12)
    assert 1 - table["total", "residual"] == pytest.approx(other["conditional"], rel=1e-12)


def test_four_levels_add_up(make_result):
    rng = np.random.default_rng(3)
    item = np.repeat(range(24), 3)
    frame = pd.DataFrame({"item": item, "room": item // 2, "school": item // 6})
    frame = frame.assign(x=rng.normal(size=72), y=rng.normal(size=72))
    formula = "y ~ within(x, item) + (1 | item) + (within(x, item) | room) + (1 | school)"
    table = r2_rights_sterba(drawn(make_result, mlm.Model(formula, frame)))["mean"]
    np.testing.assert_allclose(table.groupby(level="of").sum(), 1)
    assert len(table.index.get_level_values("of").unique()) == 5


def test_shares_by_level_need_centred_predictors(make_result):
    result = two_levels(make_result, "y ~ x + w + (x | g)")
    with pytest.raises(StatisticError, match=r"(?s)'x', which varies on levels 1, 2.*by_level=Fa"):
        r2_rights_sterba(result)
    table = r2_rights_sterba(result, by_level=False)["mean"]
    assert table.index.tolist() == [
        ("total", "fixed"),
        ("total", "slopes by g"),
        ("total", "intercepts by g"),
        ("total", "residual"),
    ]
    assert table.sum() == pytest.approx(1)


def test_crossed_levels_are_refused(make_result):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": np.repeat(range(6), 5), "h": np.tile(range(5), 6)})
    model = mlm.Model("y ~ 1 + (1 | g) + (1 | h)", frame.assign(y=rng.normal(size=30)))
    result = drawn(make_result, model)
    with pytest.raises(StatisticError, match="'g' and 'h', which are crossed"):
        r2_rights_sterba(result)
    assert r2_rights_sterba(result, by_level=False)["mean"].sum() == pytest.approx(1)


def test_a_predictor_of_constant_mean_needs_no_centring(make_result):
    """Days 0 to 9 for every subject: by level the parts are those of the total."""
    data = mlm.datasets.load("sleepstudy")
    model = mlm.Model("Reaction ~ Days + (Days | Subject)", data)
    rng = np.random.default_rng(0)
    result = make_result(
        model,
        beta=rng.normal([250, 10], 1, size=(1, 40, 2)),
        sd_Subject=rng.uniform([20, 5], [30, 7], size=(1, 40, 2)),
        corr_Subject=rng.uniform(-0.5, 0.5, size=(1, 40, 1)),
        sigma=rng.uniform(20, 30, size=(1, 40)),
    )
    by_level = r2_rights_sterba(result).loc["total", "mean"]
    whole = r2_rights_sterba(result, by_level=False).loc["total", "mean"]
    for source in ("slopes by Subject", "intercepts by Subject", "residual"):
        assert by_level[source] == pytest.approx(whole[source], rel=1e-12)
    assert by_level["fixed, level 1"] == pytest.approx(whole["fixed"], rel=1e-12)
    assert by_level.sum() == pytest.approx(1, abs=1e-12)
