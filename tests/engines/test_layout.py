"""The posterior's layout from draws, for several groupings and none."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.density import gaussian_marginal
from bayesmlm.density.noise import Noise
from bayesmlm.engines.layout import data_groups, posterior_dataset


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": np.repeat(list("pqrst"), 8), "c": np.tile([10, 2, 33, 4], 10)})
    return frame.assign(x=rng.normal(size=40), s=1.5, y=rng.normal(10, 1, 40))


def build(formula, frame, S=7, seed=0):
    model = mlm.Model(formula, frame)
    marginal = gaussian_marginal(model.design, model.prior_values)
    rng = np.random.default_rng(seed)
    psi = rng.normal(size=(S, marginal.layout.size))
    beta, effects = marginal.recover(psi, Noise(seed))
    return marginal, psi, beta, effects, posterior_dataset(marginal, psi, beta, effects)


def test_names_dims_and_values(frame):
    marginal, psi, beta, effects, posterior = build("y ~ x + (x | a) + (1 | c)", frame)
    assert set(posterior) == {"beta", "sd_a", "corr_a", "u_a", "sd_c", "u_c", "sigma"}
    dims = {name: posterior[name].dims[2:] for name in posterior}
    assert dims == {
        "beta": ("coef",),
        "sd_a": ("a_effect",),
        "corr_a": ("a_pair",),
        "u_a": ("a", "a_effect"),
        "sd_c": ("c_effect",),
        "u_c": ("c", "c_effect"),
        "sigma": (),
    }
    assert all(posterior[name].dims[:2] == ("chain", "draw") for name in posterior)
    assert posterior["a"].to_numpy().tolist() == list("pqrst")
    assert posterior["c"].to_numpy().tolist() == [2, 4, 10, 33]
    assert np.array_equal(posterior["beta"][0], beta)
    assert np.array_equal(posterior["u_a"][0], effects["a"])
    np.testing.assert_allclose(posterior["sd_a"][0], np.exp(psi[:, :2]))
    np.testing.assert_allclose(posterior["corr_a"][0, :, 0], np.tanh(psi[:, 2]))
    np.testing.assert_allclose(posterior["sigma"][0], np.exp(psi[:, marginal.layout.sigma]))


def test_independent_effects_have_no_correlations(frame):
    *_, posterior = build("y ~ x + (x || a)", frame)
    assert "corr_a" not in posterior and "a_pair" not in posterior.coords


def test_nested_groups_keep_their_colon(frame):
    *_, posterior = build("y ~ x + (1 | a/c)", frame)
    assert {"u_a:c", "sd_a:c", "u_a", "sd_a"} <= set(posterior)
    assert posterior["u_a:c"].dims[2:] == ("a:c", "a:c_effect")
    assert posterior["a:c"].to_numpy()[0] == "p:2"


def test_what_the_model_lacks_is_left_out(frame):
    *_, posterior = build("y | se(s) ~ 0 + (1 | a)", frame)
    assert set(posterior) == {"sd_a", "u_a"}
    *_, posterior = build("y ~ x", frame)
    assert set(posterior) == {"beta", "sigma"}


def test_the_data_are_kept_by_row(frame):
    shuffled = frame.assign(y=frame["y"].where(frame.index != 3))
    with pytest.warns(mlm.BayesmlmWarning, match="1 of 40 rows"):
        model = mlm.Model("y | se(s) ~ x + (1 | a)", shuffled, missing="drop")
    groups = data_groups(gaussian_marginal(model.design, model.prior_values))
    assert set(groups) == {"observed_data", "constant_data"}
    assert groups["observed_data"]["obs"].to_numpy().tolist() == [k for k in range(40) if k != 3]
    assert np.array_equal(groups["observed_data"]["y"], frame["y"].drop(3))
    assert groups["constant_data"]["X"].dims == ("obs", "coef")
    assert np.array_equal(groups["constant_data"]["se"], np.full(39, 1.5))
