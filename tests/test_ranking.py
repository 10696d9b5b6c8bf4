"""Comparison of models by prediction."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar

import bayesmlm as mlm
from bayesmlm.errors import StatisticError


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(3)
    g = np.repeat(range(15), 8)
    made = pd.DataFrame({"g": g, "h": np.tile(range(8), 15), "x": rng.normal(size=120)})
    made["w"] = rng.normal(size=15)[g]
    made["y"] = made["x"] + made["w"] + rng.normal(size=15)[g] + rng.normal(size=120)
    return made


@pytest.fixture(scope="module")
def fits(frame):
    formulas = {
        "both": "y ~ x + w + (1 | g)",
        "group": "y ~ w + (1 | g)",
        "row": "y ~ x + (1 | g)",
        "pooled": "y ~ x + w",
    }
    return {name: mlm.Model(f, frame).fit("laplace", seed=1) for name, f in formulas.items()}


@pytest.mark.parametrize("predict", ["new row", "new group"])
def test_the_model_that_made_the_data_predicts_best(fits, predict):
    found = mlm.compare(fits, predict)
    frame = found.frame
    assert frame.index[0] == "both"
    assert frame["weight"].sum() == pytest.approx(1)
    assert frame["weight"].idxmax() == "both"
    best = found.results["both"].frame["elpd"]
    for name in frame.index:
        own = found.results[name]
        if name != "pooled":
            own = fits[name].loo(predict)
        assert frame.loc[name, "elpd"] == pytest.approx(own.elpd)
        gap = own.frame["elpd"] - best
        assert frame.loc[name, "difference"] == pytest.approx(gap.sum(), abs=1e-9)
        assert frame.loc[name, "se_difference"] == pytest.approx(
            np.sqrt(len(gap) * gap.var(ddof=0))
        )
    assert "Predicting a" in str(found) and "SE of gap" in found._repr_html_()


def test_a_group_level_predictor_tells_of_new_groups_not_of_known_ones(fits):
    rows = mlm.compare({name: fits[name] for name in ("both", "row")})
    groups = mlm.compare({name: fits[name] for name in ("both", "row")}, "new group")
    assert abs(rows.frame.loc["row", "difference"]) < 3
    assert groups.frame.loc["row", "difference"] < rows.frame.loc["row", "difference"] - 2
    assert any("of no consequence: row" in note for note in rows.notes)
    assert any("optimistic" in note for note in groups.notes)


def test_weights_maximise_the_mixtures_score_also_of_groups_of_many_rows(fits):
    """Log densities of groups far below where exponentials underflow."""
    one, other = (fits[name].loo("new group") for name in ("group", "row"))
    far = [each.frame.assign(elpd=each.frame["elpd"] - 2000) for each in (one, other)]
    from dataclasses import replace

    found = mlm.compare({"group": replace(one, frame=far[0]), "row": replace(other, frame=far[1])})
    a, b = one.frame["elpd"].to_numpy(), other.frame["elpd"].to_numpy()
    score = minimize_scalar(
        lambda w: -np.logaddexp(np.log(w) + a, np.log1p(-w) + b).sum(), bounds=(1e-6, 1 - 1e-6),
        method="bounded",
    )  # fmt: skip
    assert found.frame.loc["group", "weight"] == pytest.approx(score.x, abs=0.01)


def test_results_and_fits_side_by_side(fits):
    given = {"weighted": fits["both"].loo("new group"), "folds": fits["both"].kfold(folds=15)}
    found = mlm.compare(given, "new group")
    assert found.frame["elpd"].diff().abs().iloc[1] < 0.5
    assert found.frame["refitted"].loc["folds"] == 15


def test_what_is_refused(fits, frame):
    one = fits["both"]
    for wrong in ([one, one], {"one": one}, {"one": one, "other": 3}):
        with pytest.raises(StatisticError, match="fits by name|of a int"):
            mlm.compare(wrong)
    fewer = mlm.Model("y ~ x + (1 | g)", frame[:-1]).fit("laplace", seed=1)
    with pytest.raises(StatisticError, match="use different rows"):
        mlm.compare({"one": one, "other": fewer})
    moved = mlm.Model("y ~ x + (1 | g)", frame.assign(y=frame["y"] + 1)).fit("laplace", seed=1)
    with pytest.raises(StatisticError, match="have the responses"):
        mlm.compare({"one": one, "other": moved})
    with pytest.raises(StatisticError, match="predict a new row"):
        mlm.compare({"one": one.loo(), "other": one.loo("new group")})
    heavy = mlm.Model("y | weights(k) ~ x + (1 | g)", frame.assign(k=2.0)).fit("laplace", seed=1)
    with pytest.raises(StatisticError, match="weight their rows"):
        mlm.compare({"one": one, "other": heavy})
    counted = frame.assign(y=np.round(np.exp(frame["y"] / 3)))
    pair = {
        "poisson": mlm.Model("y ~ x + (1 | g)", counted, family="poisson").fit("laplace", seed=1),
        "gaussian": mlm.Model("y ~ x + (1 | g)", counted).fit("laplace", seed=1),
    }
    with pytest.raises(StatisticError, match="a density and a probability"):
        mlm.compare(pair)


def test_crossed_groupings_by_name(frame):
    fits = {
        name: mlm.Model(f, frame).fit("laplace", seed=1)
        for name, f in {"crossed": "y ~ x + (1 | g) + (1 | h)", "one": "y ~ x + (1 | g)"}.items()
    }
    with pytest.raises(StatisticError, match="crossed"):
        mlm.compare(fits, "new group")
    found = mlm.compare(fits, "new group", "g")
    assert "those by h known" in found.results["crossed"].method
    assert len(found.results["one"].frame) == 15
