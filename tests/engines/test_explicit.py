"""NUTS on the compiled density with the effects explicit."""

import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import BayesmlmWarning, EngineError

rng = np.random.default_rng(12)
J, N = 12, 240
GROUP = np.arange(N) % J
FRAME = pd.DataFrame({"g": GROUP, "x": rng.normal(2, 1, N)})
FRAME["count"] = rng.poisson(np.exp(0.3 + 0.2 * FRAME["x"] + 0.5 * rng.normal(size=J)[GROUP]))
SHORT = {"draws": 300, "tune": 300, "chains": 2}


@pytest.fixture(scope="module")
def model():
    return mlm.Model("count ~ x + (1 | g)", FRAME, family="poisson")


def fit(model, engine, seed=2):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmlmWarning)
        return model.fit(engine, seed=seed)


def test_layout_and_seed(model):
    first, same = (fit(model, mlm.NUTS(**SHORT)) for _ in range(2))
    posterior = first.tree["posterior"].to_dataset()
    assert list(posterior) == ["beta", "sd_g", "u_g"]
    assert posterior["u_g"].dims == ("chain", "draw", "g", "g_effect")
    assert posterior["u_g"].shape == (2, 300, J, 1)
    assert {"diverging", "maxdepth_reached", "depth", "logp"} <= set(
        first.tree["sample_stats"].to_dataset()
    )
    for name, array in posterior.items():
        assert np.array_equal(array, same.tree["posterior"][name])
    other = fit(model, mlm.NUTS(**SHORT), seed=3)
    assert not np.array_equal(posterior["beta"], other.tree["posterior"]["beta"])


@pytest.mark.parametrize("choice", ["centred", "non-centred"])
def test_it_samples_either_parametrisation(model, choice):
    engine = mlm.NUTS(draws=1000, tune=500, parametrisation=choice)
    found = fit(model, engine)
    assert found.check().ok
    assert found.result.notes == (f"Sampled Intercept by g: {choice} (as asked).",)


def test_the_density_is_asked_for_where_there_is_none(model):
    bounded = mlm.Model(
        "count ~ x + (1 | g)", FRAME, family="poisson", priors={"x": mlm.HalfNormal(1)}
    )
    with pytest.raises(EngineError, match="the prior of x is bounded"):
        fit(bounded, mlm.NUTS(backend="density"))


def test_options_that_exclude_each_other_are_refused():
    with pytest.raises(EngineError, match=r"NUTS\(backend='jax'\)"):
        mlm.NUTS(backend="jax")
    with pytest.raises(EngineError, match="leave the backend out"):
        mlm.NUTS(random_effects="integrate", backend="graph")
    with pytest.raises(EngineError, match="leave the sampler out"):
        mlm.NUTS(backend="density", sampler="pymc")


@pytest.mark.slow
def test_density_and_graph_agree(model):
    one, two = (fit(model, mlm.NUTS(backend=backend)) for backend in ("density", "graph"))
    assert "Sampled the PyMC graph: as asked." in two.result.notes
    for ours, theirs in (
        (one.fixef().frame, two.fixef().frame),
        (one.ranef().frame, two.ranef().frame),
    ):
        assert np.allclose(ours["mean"], theirs["mean"], atol=0.12 * ours["sd"])
        assert np.allclose(ours["sd"], theirs["sd"], rtol=0.1)
