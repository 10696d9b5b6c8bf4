"""The graph's density by a flat vector is that of the compiled densities."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.engines.effects import AUTO
from bayesmlm.engines.graph_target import graph_target


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"g": np.repeat(np.arange(6), 5), "x": rng.normal(size=30)})
    frame["y"] = rng.normal(size=30)
    return mlm.Model("y ~ x + (1 | g)", frame)


def test_integrated_effects(model):
    target = graph_target(model.design, model.prior_values, "auto", None, AUTO, "ADVI")
    theta = np.random.default_rng(1).normal(size=(4, target.size))
    density, (psi,) = target.evaluate(theta)
    assert psi == pytest.approx(theta)  # the graph's own coordinates, for SDs alone
    assert density == pytest.approx(target.marginal.log_density(psi))


def test_effects_in_the_graph(model):
    target = graph_target(model.design, model.prior_values, "sample", None, AUTO, "ADVI")
    assert target.marginal is None
    theta = np.random.default_rng(1).normal(size=(3, target.size))
    _, outputs = target.evaluate(theta)
    groups, _ = target.groups(outputs, 1)
    posterior = groups["posterior"]
    assert posterior["u_g"].dims == ("chain", "draw", "g", "g_effect")
    assert posterior["beta"].coords["coef"].to_numpy().tolist() == ["Intercept", "x"]
    assert set(groups) == {"posterior", "observed_data", "constant_data"}
