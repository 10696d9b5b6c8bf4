"""Rows of planned studies: covariates by kind, stand-ins, simulated responses."""

import numpy as np
import pytest

import bayesmlm as mlm
from bayesmlm.families import FAMILIES
from bayesmlm.families import family as family_of
from bayesmlm.predict.study_rows import (
    simulated_study,
    stand_in,
    study_design,
    study_frame,
)

KINDS = {"a": "normal", "b": "binary", "t": "time", "w": "group normal", "s": "group binary"}


def rng():
    return np.random.default_rng(3)


def test_kinds_vary_where_they_say():
    spec = mlm.formula("y ~ a + (1 | g)")
    frame = study_frame(spec, KINDS | {"c": 2.5}, 40, 7, rng())
    by = frame.groupby("g")
    assert len(frame) == 280 and (by.size() == 7).all()
    assert (frame["c"] == 2.5).all()
    assert all(values.tolist() == list(range(7)) for _, values in by["t"])
    assert set(by["b"].sum()) == {3, 4} and (by["w"].nunique() == 1).all()
    assert by["s"].first().sum() == 20 and (by["s"].nunique() == 1).all()
    assert frame["a"].nunique() == 280


@pytest.mark.parametrize("name", FAMILIES)
def test_stand_ins_are_allowed(name):
    family = family_of(name, None)
    y = stand_in(family, 30, {"thresholds[0|1]": 0, "thresholds[1|2]": 1})
    assert family.supports(y, {"trials": np.ones(30)}).all() and len(np.unique(y)) > 1


def test_the_response_is_simulated_from_the_values():
    spec = mlm.formula("y ~ w + (1 | g)").with_family("gaussian", None)
    family = family_of("gaussian", None)
    values = {"Intercept": 3, "w": -2, "sd_g": 1.5, "sigma": 0.5}
    frame = study_frame(spec, KINDS, 2000, 3, rng())
    design, truth = simulated_study(study_design(spec, family, frame, values), values, rng())
    rest = (design.y - 3 + 2 * frame["w"]).to_numpy().reshape(2000, 3)
    assert truth.beta.tolist() == [[3, -2]]
    assert rest.mean() == pytest.approx(0, abs=4 * 1.55 / np.sqrt(2000))
    assert rest.mean(axis=1).var() == pytest.approx(2.25 + 0.25 / 3, rel=0.13)
    assert rest.var(axis=1, ddof=1).mean() == pytest.approx(0.25, rel=0.1)


def test_ordered_responses_keep_their_categories():
    spec = mlm.formula("y ~ w + (1 | g)").with_family("cumulative", None)
    cuts = {"thresholds[0|1]": -1.0, "thresholds[1|2]": 1.0}
    values = {"w": 0.5, "sd_g": 0.5} | cuts
    frame = study_frame(spec, {"w": "normal"}, 50, 5, rng())
    design, _ = simulated_study(
        study_design(spec, family_of("cumulative", None), frame, values), values, rng()
    )
    assert set(np.unique(design.y)) == {0.0, 1.0, 2.0}
    assert design.outcome.categories == (0, 1, 2)
