import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import StatisticError


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    g = np.repeat(range(20), 10)
    social, private = rng.normal(0, 2, 20)[g], rng.normal(0, 0.3, 20)[g]
    noise = rng.normal(size=(3, 200))
    frame = pd.DataFrame(
        {"g": g, "h": g // 4, "mood": private + noise[0], "talk": social + noise[1]}
    )
    return frame.assign(said=(social + noise[2] > 0).astype(int))


def test_the_most_social_outcome_comes_first(frame):
    fits = {
        name: mlm.Model(f"{name} ~ 1 + (1 | g)", frame).fit("reml") for name in ("mood", "talk")
    }
    table = mlm.compare_icc(fits)
    assert table.frame.index.tolist() == ["talk", "mood"]
    for name, fit in fits.items():
        own = fit.icc().frame.loc["g", "estimate"]
        assert table.frame.loc[name, "estimate"] == own
    assert table.frame["groups"].tolist() == [20, 20]
    assert table.frame["rows"].tolist() == [200, 200]
    assert "estimates at the maximum" in str(table)


def test_posteriors_beside_a_maximum_and_families_by_their_definition(frame):
    fits = {
        "talk": mlm.Model("talk ~ 1 + (1 | g)", frame).fit("laplace", seed=1),
        "mood": mlm.Model("mood ~ 1 + (1 | g)", frame).fit("ml"),
    }
    table = mlm.compare_icc(fits, probability=0.5)
    assert np.isnan(table.frame.loc["mood", "lower"])
    own = fits["talk"].icc(0.5).frame.loc["g"]
    assert table.frame.loc["talk", "lower"] == own["lower"]
    assert "50 % intervals" in table.title


def test_the_grouping_is_named_where_there_are_several(frame):
    fit = mlm.Model("talk ~ 1 + (1 | h) + (1 | g)", frame).fit("reml")
    table = mlm.compare_icc({"talk": fit}, "h")
    assert table.frame.loc["talk", "estimate"] == fit.icc().frame.loc["h", "estimate"]
    share = mlm.compare_icc({"talk": fit}, "g", kind="share")
    assert share.frame.loc["talk", "estimate"] < fit.icc().frame.loc["g", "estimate"]


def test_refusals(frame):
    one = mlm.Model("talk ~ 1 + (1 | g)", frame).fit("ml")
    other = mlm.Model("mood ~ 1 + (1 | h)", frame).fit("ml")
    with pytest.raises(StatisticError, match="different groupings: g, h"):
        mlm.compare_icc({"talk": one, "mood": other})
    for wrong in ({}, [one], {"talk": one.result}):
        with pytest.raises(StatisticError, match="by the name of their outcome"):
            mlm.compare_icc(wrong)
