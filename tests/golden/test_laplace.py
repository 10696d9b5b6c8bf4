"""Laplace with stated priors hits long NUTS runs of Stan within Monte Carlo error.

The same comparison as in test_bayes.py; the Monte Carlo error of the importance draws comes
from the effective sample size that they carry.
"""

import json

import pytest

import bayesmlm as mlm

pytestmark = pytest.mark.slow

MODELS = (
    "hsb_slopes_outcomes",
    "sleepstudy_slope",
    "radon_slope_uranium",
    "mlbook_slope",
    "mlbook_crosslevel",
    "penicillin_crossed",
    "dyestuff2",
)
ENGINE = mlm.Laplace(draws=20000, evaluations=32768)


@pytest.mark.parametrize("name", MODELS)
def test_means_and_quantiles_agree_with_stan(name, stated):
    model, compare = stated(name)
    fit = model.fit(ENGINE, seed=7)
    assert fit.check().ok
    compare(fit)


@pytest.mark.parametrize("folder", ["reference", "reference_ours"])
def test_eight_schools_agree_with_posteriordb(folder, shared_reference, dataset, compare_draws):
    path = f"{folder}/eight_schools-eight_schools_noncentered.summary.json"
    run = json.loads((shared_reference / "posteriordb" / path).read_text())
    priors = {"Intercept": mlm.Normal(0, 5), "sd_school": mlm.HalfCauchy(5)}
    model = mlm.Model("y | se(sigma) ~ 1 + (1 | school)", dataset("eight_schools"), priors=priors)
    fit = model.fit(ENGINE, seed=7)
    assert fit.check().ok
    posterior = fit.tree["posterior"].to_dataset()
    mu, ess = posterior["beta"][..., 0], posterior["beta"].attrs["ess"]
    draws = {"mu": mu, "tau": posterior["sd_school"][..., 0]}
    for j, label in enumerate("ABCDEFGH"):
        theta = mu + posterior["u_school"].sel(school=label)[..., 0]
        draws[f"theta[{j + 1}]"] = theta.assign_attrs(ess=ess)
    compare_draws(f"eight schools, {folder}", draws, {key: run["summary"][key] for key in draws})
