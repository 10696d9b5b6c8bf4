"""EM: it never falls, and its masses and coefficients are what they maximise."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.engines.expectation import add_point, em, first, polish, scattered, step
from bayesmlm.engines.mixture import mixture

FAMILIES = ("gaussian", "bernoulli", "poisson")


def density(family, seed=2):
    rng = np.random.default_rng(seed)
    g, x = np.repeat(np.arange(30), 6), rng.normal(size=180)
    eta = 0.4 * x + np.array([-1.0, 1.0])[rng.integers(0, 2, 30)][g]
    y = {
        "gaussian": eta + rng.normal(0, 0.5, 180),
        "bernoulli": rng.binomial(1, 1 / (1 + np.exp(-eta))),
        "poisson": rng.poisson(np.exp(eta)),
    }[family]
    frame = pd.DataFrame({"g": g, "x": x, "y": y})
    return mixture(mlm.Model("y ~ x + (1 | g)", frame, family=family).design)


@pytest.mark.parametrize("family", FAMILIES)
def test_no_step_lowers_the_likelihood(family):
    own = density(family)
    at = scattered(own, first(own), 3, np.random.default_rng(0))
    values = [own.value(at)]
    for _ in range(25):
        at = step(own, at, np.exp(own.log_groups(at)[1]))
        values.append(own.value(at))
    assert (np.diff(values) > -1e-8).all()
    assert values[-1] > values[0] + 1


@pytest.mark.parametrize("family", FAMILIES)
def test_one_point_is_the_regression(family):
    own = density(family)
    at = em(own, first(own), 100)
    gradient = own.with_gradient(at.flat(), 1)[1]
    assert np.abs(gradient).max() < 0.05
    finished, left, _ = polish(own, at)
    assert left < 1e-4 and own.value(finished) - own.value(at) < 1e-3


@pytest.mark.parametrize("family", FAMILIES)
def test_a_point_more_raises_the_likelihood(family):
    own = density(family)
    one = first(own)
    two = polish(own, em(own, add_point(own, one, np.random.default_rng(0))))[0]
    assert own.value(two) > own.value(one) + 2
    assert two.mass.sum() == pytest.approx(1)
