"""Ordered categories and overdispersed counts: quadrature, Laplace and NUTS find one posterior.

Quadrature shares no integral with NUTS: means and 5 and 95 % quantiles of every parameter,
effects included, agree within Monte Carlo error (a Bonferroni bound at 1e-3). Laplace's
approximation and the hybrid are approximations: within 0.1 and 0.15 posterior SDs.
"""

import warnings

import arviz_stats
import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import bayesmlm as mlm

pytestmark = pytest.mark.slow

NUTS = mlm.NUTS(draws=2000, target_accept=0.95, random_effects="sample", backend="density")


def simulated(seed=4, groups=30, size=12):
    rng = np.random.default_rng(seed)
    g, h = np.repeat(np.arange(groups), size), np.tile(np.arange(size), groups)
    x = rng.normal(size=len(g))
    eta = 0.4 + 0.5 * x + 0.8 * rng.normal(size=groups)[g] + 0.5 * rng.normal(size=size)[h]
    return pd.DataFrame(
        {
            "g": g,
            "h": h,
            "x": x,
            "grade": np.digitize(eta + rng.logistic(size=len(g)), [-1.0, 0.4, 1.5]),
            "count": rng.poisson(rng.gamma(1.5, np.exp(eta) / 1.5)),
        }
    )


@pytest.fixture(scope="module")
def fit(dataset):
    """Return a function of a response, groupings and an engine that gives the fit."""
    frames = {"wine": lambda: dataset("wine")}
    fits = {}

    def give(name, right, engine):
        if (name, right, engine) not in fits:
            response, family = {
                "wine": ("rating", "cumulative"),
                "grade": ("grade", "cumulative"),
                "count": ("count", "negbinomial"),
            }[name]
            frame = frames.get(name, simulated)()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", mlm.BayesmlmWarning)
                model = mlm.Model(f"{response} ~ {right}", frame, family=family)
                fits[name, right, engine] = model.fit(engine, seed=7)
        return fits[name, right, engine]

    return give


def figures(fit):
    """Return mean, quantiles, and their errors, of every parameter and effect, (K, 3) each."""
    values, errors = [], []
    for array in fit.tree["posterior"].to_dataset().values():
        draws = array.to_numpy().reshape(array.sizes["chain"] * array.sizes["draw"], -1)
        ess = array.attrs.get("ess")
        own, error = [draws.mean(axis=0)], []
        error.append(draws.std(axis=0) / np.sqrt(ess) if ess else np.ravel(arviz_stats.mcse(array)))
        for p in (0.05, 0.95):
            own.append(np.quantile(draws, p, axis=0))
            low, high = np.quantile(draws, [p - 0.02, p + 0.02], axis=0)
            count = ess or np.ravel(arviz_stats.ess(array, method="quantile", prob=p))
            error.append(np.sqrt(p * (1 - p) / count) * (high - low) / 0.04)
        values.append(np.stack(own, axis=1))
        errors.append(np.stack(error, axis=1))
    return np.concatenate(values), np.concatenate(errors)


def apart(fit, other):
    """Return distances of means in posterior SDs, and ratios of SDs, of all but the effects."""
    moved, ratios = [], []
    for name, array in other.tree["posterior"].to_dataset().items():
        if not str(name).startswith("u_"):
            draws = [fit.tree["posterior"][name].to_numpy(), array.to_numpy()]
            own, far = ((each.mean(axis=(0, 1)), each.std(axis=(0, 1))) for each in draws)
            moved.append(np.ravel((own[0] - far[0]) / far[1]))
            ratios.append(np.ravel(own[1] / far[1]))
    return np.concatenate(moved), np.concatenate(ratios)


ONE = (("wine", "temp + contact + (1 | judge)"), ("grade", "x + (x | g)"), ("count", "x + (1 | g)"))


@pytest.mark.parametrize(("name", "right"), ONE)
def test_quadrature_is_within_monte_carlo_error_of_nuts(name, right, fit):
    found, truth = fit(name, right, mlm.Quadrature(draws=8000)), fit(name, right, NUTS)
    assert found.result.engine.name == "quadrature"
    assert list(found.tree["posterior"].data_vars) == list(truth.tree["posterior"].data_vars)
    (own, error), (expected, other) = figures(found), figures(truth)
    scores = (own - expected) / np.hypot(error, other)
    print(f"{name}: worst score {np.abs(scores).max():.2f}")
    assert np.abs(scores).max() < norm.isf(1e-3 / 2 / scores.size)
    assert not found.check().findings


@pytest.mark.parametrize(("name", "right"), ONE)
def test_laplace_is_near_quadrature(name, right, fit):
    found = fit(name, right, mlm.Laplace())
    assert found.result.engine.name == "laplace"
    moved, ratios = apart(found, fit(name, right, mlm.Quadrature(draws=8000)))
    print(f"{name}: {np.abs(moved).max():.3f} SD, SDs {np.abs(ratios - 1).max():.3f}")
    assert np.abs(moved).max() < 0.1
    assert np.abs(ratios - 1).max() < 0.1
    assert abs(found.check().shift) < 0.25


@pytest.mark.parametrize("name", ["grade", "count"])
def test_the_hybrid_is_near_nuts(name, fit):
    right = "x + (1 | g) + (1 | h)"
    found = fit(name, right, mlm.Quadrature())
    assert found.result.engine.name == "quadrature"
    moved, ratios = apart(found, fit(name, right, NUTS))
    print(f"{name}: {np.abs(moved).max():.3f} SD, SDs {np.abs(ratios - 1).max():.3f}")
    assert np.abs(moved).max() < 0.15
    assert np.abs(ratios - 1).max() < 0.15
