"""Draws of a nested approximation, weighted by the likelihood at their own fixed effects."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import bayesmlm as mlm
from bayesmlm.density.latent_kernel import CONVERGED
from bayesmlm.engines import nested
from bayesmlm.engines.nested import (
    Recorded,
    explore_nested,
    find_nested_mode,
    nested_tree,
    require_latent,
)
from bayesmlm.engines.reweight import AS_THEY_ARE, given, log_normal, predicted, reweight


def explored(model, evaluations=2048, nodes=1):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)
        latent = require_latent(model.design, model.prior_values, "a test")
    latent, mode, _ = find_nested_mode(latent, nodes)
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
    kept = reweight(density, mode, psi, beta, 4000, 1)
    assert kept.chosen is None
    assert kept.loss == 0 and kept.khat == -np.inf


def test_what_is_not_weighted_is_drawn_independently(monkeypatch):
    density, sample, mode = explored(few_rows(5), 256)
    monkeypatch.setattr(nested, "WEIGHTED", 100)
    monkeypatch.setattr(nested, "reweight", lambda *_: AS_THEY_ARE)
    at, beta, effects, _ = nested.drawn(density, sample, mode, 300, 1)
    assert at.shape == (300,) and len(np.unique(beta[:, 0])) == 300
    assert effects["g"].shape == (300, 40, 1) and len(np.unique(effects["g"][:, 0, 0])) == 300


def few_rows(size):
    rng = np.random.default_rng(8)
    g, h = np.repeat(np.arange(40), size), rng.integers(0, 6, 40 * size)
    x = rng.normal(size=len(g))
    eta = x + rng.normal(size=40)[g] + rng.normal(size=6)[h]
    y = (rng.random(len(g)) < 1 / (1 + np.exp(-eta))).astype(int)
    data = pd.DataFrame({"g": g, "h": h, "x": x, "y": y})
    return mlm.Model("y ~ x + (1 | g) + (1 | h)", data, family="bernoulli")


def test_searches_that_begin_close_by_find_the_same():
    """Against searches from one place to the last digit."""
    density, sample, _ = explored(few_rows(5), 256, nodes=7)
    marginal = density.marginal
    psi = sample.points[sample.choose(300, np.random.default_rng(1))]
    beta, _ = marginal.recover(psi, 1, density.at)
    coordinates = beta @ marginal.data.to_X.T
    exact, fields, _ = marginal.solve_given(
        np.ascontiguousarray(coordinates), *marginal.scales(psi)
    )
    p, centres = beta.shape[1], density.at(psi)
    moved = coordinates - centres[:, :p]
    starts = predicted(psi, moved, centres[:, p:], fields[:128])
    off = np.sqrt(((starts - fields[128:]) ** 2).sum(axis=1))
    unmoved = np.sqrt(((centres[128:, p:] - fields[128:]) ** 2).sum(axis=1))
    assert off.mean() < 0.1 * unmoved.mean()
    found, _ = given(marginal, coordinates[128:], psi[128:], starts)
    precision, shift, _ = marginal.prior
    own = coordinates[128:]
    prior = own @ shift - 0.5 * np.einsum("sa,ab,sb->s", own, precision, own)
    assert (found - prior - exact[128:]).std() < 0.02
    assert predicted(psi, moved, centres[:, p:], fields[:3]) is None


@pytest.mark.parametrize("nodes", [1, 7])
def test_weights_do_not_move_hyperparameters(nodes):
    """With many rows a coefficient, the mean weight at psi is the same whatever psi."""
    density, _, mode = explored(few_rows(5), 256, nodes)
    sds = np.sqrt(np.diag(mode.covariance()))
    points = np.stack([mode.point - sds, mode.point + sds])
    density(points)
    psi = np.repeat(points, 500, axis=0)
    beta, _ = density.marginal.recover(psi, 1, density.at)
    values, _ = given(density.marginal, beta @ density.marginal.data.to_X.T, psi)
    found = values - density.values_at(psi) - log_normal(density, mode, psi, beta)
    low, high = np.exp(found - found.mean()).reshape(2, -1)
    error = np.hypot(low.std(), high.std()) / np.sqrt(500)
    assert abs(high.mean() - low.mean()) < 0.03 + 3 * error


def test_fields_are_told_from_those_found_before():
    """Less than half as far from what is found there as the field of the nearest point."""
    density, *_ = explored(few_rows(5), 512)
    first = list(density.fields)[:-128]
    known = {own: density.fields[own] for own in first}
    fresh = np.stack([np.frombuffer(own) for own in list(density.fields)[-128:]])
    exact = density.at(fresh)
    near, told = (Recorded(density.marginal, enough, known) for enough in (CONVERGED, 1e-3))
    off = [np.linalg.norm(own.starts(fresh) - exact, axis=1) for own in (near, told)]
    assert np.median(off[1]) < 0.5 * np.median(off[0])
    assert off[1].max() < off[0].max()
