"""Predictions of maximum likelihood fits are those of lme4 (`lme4_predict.R` made the figures).

Within 1e-3 residual SDs, or 1e-4 of a probability: what the optimisers leave.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def lme4():
    return json.loads((HERE / "lme4_predict.json").read_text())


def check(fit, truth, data, tolerance, kind="mean"):
    for groups, name in (("existing", "conditional"), ("average", "zero")):
        found = fit.predict(data, groups=groups, kind=kind).frame["mean"]
        assert found.to_numpy() == pytest.approx(np.array(truth[name]), abs=tolerance)


@pytest.mark.parametrize("method", ["ml", "reml"])
def test_slopes(lme4, method):
    data = mlm.datasets.load("sleepstudy")
    fit = mlm.Model("Reaction ~ Days + (Days | Subject)", data).fit(method)
    rows = data.iloc[lme4["rows"]["sleep"]].drop(columns="Reaction")
    check(fit, lme4[f"sleepstudy_{method}"], rows, 0.025)


def test_an_unseen_group_is_at_zero_in_lme4(lme4):
    data = mlm.datasets.load("sleepstudy")
    fit = mlm.Model("Reaction ~ Days + (Days | Subject)", data).fit("ml")
    new = pd.DataFrame({"Days": [0, 5]})
    found = fit.predict(new, groups="average").frame["mean"]
    assert found.to_numpy() == pytest.approx(np.array(lme4["sleepstudy_unseen"]), abs=0.025)


def test_crossed(lme4):
    data = mlm.datasets.load("penicillin")
    fit = mlm.Model("diameter ~ 1 + (1 | plate) + (1 | sample)", data).fit("ml")
    rows = data.iloc[lme4["rows"]["pen"]].drop(columns="diameter")
    check(fit, lme4["penicillin_ml"], rows, 5e-4)


def test_binomial(lme4):
    data = mlm.datasets.load("cbpp")
    model = mlm.Model("incidence | trials(size) ~ C(period) + (1 | herd)", data, family="binomial")
    fit = model.fit(mlm.ML(nodes=9))
    rows = data.iloc[lme4["rows"]["cbpp"]].drop(columns=["incidence", "size"])
    check(fit, lme4["cbpp_response"], rows, 1e-4)
    check(fit, lme4["cbpp_link"], rows, 1e-3, "linear")
