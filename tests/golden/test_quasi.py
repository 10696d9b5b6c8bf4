"""PQL against MASS::glmmPQL with phi = 1, and the order of the approximations.

Replicates: Rodriguez & Goldman (1995), doi:10.2307/2983404. True coefficients are 1 (the
intercept 0.665) and both SDs 1. Averages by RIGLS in MLwiN over 500 replicates of the same
design: Browne & Draper (2006), doi:10.1214/06-BA117.
"""

import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import EngineError

RODGOLD = "y ~ chldcov + famcov + commcov + (1 | community/family)"
CASES = {
    "guimmun": (
        "immun ~ kid2p + mom25p + ord + ethn + momEd + husEd + momWork + rural + pcInd81"
        " + (1 | comm/mom)",
        "bernoulli",
    ),
    "bacteria": ("y ~ trt + late + (1 | ID)", "bernoulli"),
    "epil_ri": ("y ~ lbase*trt + lage + V4 + (1 | subject)", "poisson"),
} | {f"rodgold_sim{k:02d}": (RODGOLD, "bernoulli") for k in (1, 2, 3)}


def prepared(name, folder):
    if name.startswith("rodgold"):
        y = pd.read_csv(folder / "rodgold_sim_y.csv")
        return pd.read_csv(folder / "rodgold_sim_x.csv").assign(y=y[f"y0{name[-2:]}"])
    if name == "guimmun":
        return pd.read_csv(folder / "guImmun.csv")
    if name == "bacteria":
        frame = pd.read_csv(folder / "bacteria.csv")
        treatment = pd.Categorical(frame["trt"], ["placebo", "drug", "drug+"])
        return frame.assign(late=(frame["week"] > 2).astype(float), trt=treatment)
    return pd.read_csv(folder / "epil_mass.csv")


def bare(name):
    return name.replace("[T.", "").replace("]", "").replace("(Intercept)", "Intercept")


@pytest.mark.parametrize("name", CASES)
def test_pql_is_glmm_pql_of_dispersion_one(name, golden, shared_data, quiet_model):
    reference = golden[f"{name}/MASS-glmmPQL-phi1"]
    formula, family = CASES[name]
    model = quiet_model(formula, prepared(name, shared_data), family=family)
    fit = fitted(model, mlm.PQL())
    frame = fit.fixef().frame.rename(index=bare)
    theirs = {bare(term): value for term, value in reference["fixed"].items()}
    assert set(frame.index) == set(theirs)
    n, p = reference["n_obs"], len(theirs)
    for term, (estimate, se) in theirs.items():
        row = frame.loc[term]
        assert abs(row["estimate"] - estimate) < 0.01 * se
        assert row["se"] == pytest.approx(se * np.sqrt((n - p) / n), rel=0.01)  # nlme's factor
    for group, spec in reference["varcorr"].items():
        own = next(b.name for b in model.design.random if b.name.split(":")[-1] == group)
        sd = float(fit.result.posterior[f"sd_{own}"].squeeze())
        assert sd == pytest.approx(spec["sds"]["(Intercept)"], rel=0.01)


def fitted(model, engine):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)  # few rows a group
        return model.fit(engine)


METHODS = (mlm.MQL(), mlm.PQL(), mlm.PQL(order=2))


def components(model):
    """Return the variances of families and communities by each method."""
    found = []
    for engine in METHODS:
        posterior = fitted(model, engine).result.posterior
        found.append([float(posterior[f"sd_{g}"].squeeze()) ** 2 for g in GROUPS])
    return np.array(found)


GROUPS = ("community:family", "community")


@pytest.mark.parametrize("k", [1, 2, 3])
def test_variances_rise_from_mql_to_pql_to_the_second_order(k, shared_data, quiet_model, bayes):
    data = prepared(f"rodgold_sim{k:02d}", shared_data)
    found = components(quiet_model(RODGOLD, data, family="bernoulli"))
    print(found)
    assert (np.diff(found, axis=0) > 0).all()
    assert (found[-1] < 1).all()
    if k == 1:
        posterior = bayes("rodgold_sim01")["summary"]
        means = [posterior[f"sd:{g}:(Intercept)"]["mean"] for g in ("family", "community")]
        assert (np.sqrt(found[-1]) < means).all()


@pytest.mark.slow
def test_the_second_order_falls_short_of_the_truth_on_average(shared_data, quiet_model):
    x = pd.read_csv(shared_data / "rodgold_sim_x.csv")
    y = pd.read_csv(shared_data / "rodgold_sim_y.csv")
    found, failed = [], []
    for column in y:
        model = quiet_model(RODGOLD, x.assign(y=y[column]), family="bernoulli")
        try:
            found.append(components(model))
        except EngineError as error:
            assert "PQL(order=2) did not converge" in str(error)
            failed.append(column)
    assert failed == ["y023"]  # its second order has no fixed point
    mean = np.mean(found, axis=0)
    error = np.std(found, axis=0) / np.sqrt(len(found))
    print(mean, error)
    assert (np.diff(mean, axis=0) > 0).all() and (mean[-1] < 1).all()
    published = np.array([[0.026, 0.550], [0.568, 0.888]])
    assert (np.abs(mean[[0, 2]] - published) < 3 * error[[0, 2]] + 0.02).all()
