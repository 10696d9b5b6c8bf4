"""Draws of a nested approximation, weighted by the likelihood at their own fixed effects."""

import warnings

import numpy as np
import pandas as pd
from scipy.stats import norm

import bayesmlm as mlm
from bayesmlm.engines.nested import (
    Recorded,
    explore_nested,
    find_nested_mode,
    nested_tree,
    require_latent,
)
from bayesmlm.engines.reweight import reweight


def explored(model, evaluations=2048):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)
        latent = require_latent(model.design, model.prior_values, "a test")
    latent, mode, _ = find_nested_mode(latent, 1)
    density = Recorded(latent)
    return density, explore_nested(density, mode, evaluations, 1), mode


def moments(posterior):
    beta = posterior["beta"].to_numpy()[0]
    values = [beta, np.log(posterior["sd_herd"].to_numpy()[0])]
    values = np.hstack([*values, (beta - beta.mean(axis=0)) ** 2])
    errors = values.std(axis=0) / np.sqrt(posterior["beta"].attrs["ess"])
    return values.mean(axis=0), errors


def test_skew_coefficients_are_those_of_a_sample_of_them():
    """The same density with the coefficients explored by importance sampling too."""
    model = mlm.Model(
        "incidence | trials(size) ~ period + (1 | herd)",
        mlm.datasets.load("cbpp"),
        family="binomial",
    )
    density, sample, mode = explored(model, 8192)
    psi = sample.points[sample.choose(8000, np.random.default_rng(1))]
    normal, _ = density.marginal.recover(psi, 1, density.at)
    tree = nested_tree(density, sample, mode, 8000, 1, None)
    found, error = moments(tree["posterior"].to_dataset())
    whole = model.fit(mlm.Quadrature(nodes=1, draws=8000, evaluations=16384), seed=1)
    expected, other = moments(whole.result.posterior)
    scores = (found - expected) / np.hypot(error, other)
    bound = norm.isf(1e-3 / 2 / len(scores))
    assert np.abs(scores).max() < bound
    skew = (normal.mean(axis=0) - expected[:4]) / np.hypot(error, other)[:4]
    assert np.abs(skew).max() > bound


def test_normal_coefficients_are_left_as_they_are():
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(40), 50)
    x = rng.normal(size=2000)
    y = rng.poisson(np.exp(2 + 0.3 * x + 0.4 * rng.normal(size=40)[g]))
    data = pd.DataFrame({"g": g, "x": x, "y": y})
    density, sample, mode = explored(mlm.Model("y ~ x + (1 | g)", data, family="poisson"))
    psi = sample.points[sample.choose(4000, np.random.default_rng(1))]
    beta, _ = density.marginal.recover(psi, 1, density.at)
    kept = reweight(density, mode, psi, beta, 2048, 1)
    assert np.array_equal(kept.chosen, np.arange(4000))
    assert kept.loss == 0 and kept.khat == -np.inf
