"""Pathfinder of pymc-extras, an optional extra."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

import bayesmlm as mlm
from bayesmlm.engines import Pathfinder
from bayesmlm.engines.pathfinder import weighted
from bayesmlm.errors import BayesmlmWarning, EngineError


@pytest.fixture(scope="module")
def model():
    data = mlm.datasets.load("sleepstudy")
    return mlm.Model("Reaction ~ Days + (1 | Subject)", data)


def test_without_the_extra_it_says_what_to_install(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "pymc_extras.inference.pathfinder.multipath", None)
    with pytest.raises(EngineError, match=r'pip install "bayesmlm\[extras\]"'):
        model.fit("pathfinder")


@pytest.mark.slow
def test_it_agrees_with_laplace_on_the_marginal_posterior(model):
    pytest.importorskip("pymc_extras")
    fit, again, laplace = (model.fit(name, seed=1) for name in ("pathfinder",) * 2 + ("laplace",))
    for name in ("beta", "sd_Subject", "sigma"):
        ours, theirs = fit.result.posterior[name], laplace.result.posterior[name]
        dims = ("chain", "draw")
        assert np.abs((ours.mean(dims) - theirs.mean(dims)) / theirs.std(dims)).max() < 0.2
        assert np.abs(ours.std(dims) / theirs.std(dims) - 1).max() < 0.2
    assert fit.check().ok
    assert fit.result.posterior.equals(again.result.posterior)


@pytest.mark.slow
def test_what_it_cannot_reach_is_told(model):
    pytest.importorskip("pymc_extras")
    with pytest.warns(BayesmlmWarning, match='Pareto k-hat .*\n.*fit with "nuts"'):
        model.fit("pathfinder", seed=1, random_effects="sample")


def paths(log_density, log_approximation):
    shape = (2, 500)
    points = np.random.default_rng(0).normal(size=(*shape, 3))
    parts = (np.broadcast_to(each, shape).copy() for each in (log_density, log_approximation))
    density, approximation = parts
    return SimpleNamespace(samples=points, logP=density, logQ=approximation)


def test_draws_without_a_density_are_left_out():
    found = paths(0.0, 0.0)
    found.logP[0, :100] = np.nan
    sample, told = weighted(found)
    assert len(sample.points) == 900
    assert told.ess == pytest.approx(900)


def test_no_finite_draw_is_an_engine_error():
    with pytest.raises(EngineError, match="no draw with a finite density"):
        weighted(paths(-np.inf, 0.0))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"paths": 0}, "whole number from 1"),
        ({"draws": "many"}, "whole number from 100"),
        ({"draws_per_path": 1.5}, "whole number from 100"),
        ({"random_effects": None}, "'auto', 'integrate', 'sample'"),
    ],
)
def test_bad_options(options, said):
    with pytest.raises(EngineError, match=said):
        Pathfinder(**options)
