"""NUTS on the marginal posterior: fast enough to run for real."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import EngineError


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": np.repeat(np.arange(12), 8), "x": rng.normal(size=96)})
    u = rng.normal(size=12)
    frame["y"] = 10 + u[frame["g"]] + frame["x"] + rng.normal(size=96)
    return mlm.Model("y ~ x + (1 | g)", frame)


@pytest.fixture(scope="module")
def fit(model):
    return model.fit("nuts", seed=3, draws=1000, tune=500, random_effects="integrate")


def test_layout_and_statistics_are_those_of_the_graph(fit):
    posterior = fit.tree["posterior"].to_dataset()
    assert list(posterior) == ["beta", "sd_g", "u_g", "sigma"]
    assert posterior["u_g"].dims == ("chain", "draw", "g", "g_effect")
    assert posterior.sizes["chain"] == 4
    assert posterior.sizes["draw"] == 1000
    assert {"diverging", "maxdepth_reached"} <= set(fit.tree["sample_stats"].to_dataset())
    assert np.array_equal(fit.tree["observed_data"]["y"], fit.result.design.y)
    assert "integrated out exactly" in str(fit.summary())


def test_it_agrees_with_importance_sampling(model, fit):
    other = model.fit("laplace", seed=1)
    assert fit.check().ok
    ours, theirs = fit.fixef().frame, other.fixef().frame
    assert np.allclose(ours["mean"], theirs["mean"], atol=0.06 * ours["sd"])
    assert np.allclose(ours["sd"], theirs["sd"], rtol=0.06)
    first = fit.variance_components().frame
    second = other.variance_components().frame
    assert np.allclose(first["sd"], second["sd"], rtol=0.03)


def test_same_seed_same_draws(model, fit):
    again = model.fit("nuts", seed=3, draws=1000, tune=500, random_effects="integrate")
    for name, array in fit.tree["posterior"].to_dataset().items():
        assert np.array_equal(array, again.tree["posterior"][name]), name


def test_refused_where_the_effects_do_not_integrate(model):
    frame = pd.DataFrame({"g": np.repeat([1, 2, 3], 4), "y": [0, 1, 1, 0] * 3})
    bernoulli = mlm.Model("y ~ 1 + (1 | g)", frame, family="bernoulli")
    with pytest.raises(EngineError, match="the bernoulli family does not integrate"):
        bernoulli.fit("nuts", random_effects="integrate")
    with pytest.raises(EngineError, match="leave the sampler out"):
        mlm.NUTS(random_effects="integrate", sampler="pymc")
    with pytest.raises(EngineError, match=r"NUTS\(random_effects='both'\)"):
        mlm.NUTS(random_effects="both")
