"""The working response: a Taylor series of the mean."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.engines.working import CURVATURES, starting_predictor, working
from bayesmlm.families.link import LINKS


@pytest.mark.parametrize("name", CURVATURES)
def test_the_curvature_is_the_second_derivative_of_the_mean(name):
    link, eta, h = LINKS[name], np.linspace(-4, 4, 41), 1e-5
    found = CURVATURES[name](eta, link.inverse(eta), link.inverse_slope(eta))
    expected = (link.inverse_slope(eta + h) - link.inverse_slope(eta - h)) / (2 * h)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


def counts():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": rng.normal(size=60), "t": np.log(rng.uniform(1, 3, 60))})
    frame["n"] = rng.integers(1, 9, 60)
    frame["k"] = rng.binomial(frame["n"], 0.3)
    frame["y"] = rng.poisson(np.exp(0.5 + 0.3 * frame["x"] + frame["t"]))
    return frame


CASES = (
    ("y ~ x + offset(t)", "poisson", None),
    ("k | trials(n) ~ x", "binomial", None),
    ("k | trials(n) ~ x", "binomial", "probit"),
)


@pytest.mark.parametrize(("formula", "family", "link"), CASES)
def test_the_second_order_centres_the_response(formula, family, link):
    """Where y is its expected value, z is the expected linear predictor to the second order."""
    design = mlm.Model(formula, counts(), family=family, link=link).design
    eta, square = np.linspace(-1, 1, 60), np.full(60, 1e-3)
    root = np.sqrt(square)
    mean = design.family.link.inverse
    trials = design.outcome.rows.get("trials", 1.0)
    y = trials * (mean(eta + root) + mean(eta - root)) / 2  # mean zero and variance s²
    from dataclasses import replace

    at = replace(design, outcome=replace(design.outcome, y=y))
    first, second = (working(at, eta, s).z for s in (0 * square, square))
    assert np.abs(first - eta).max() > 1e-5
    np.testing.assert_allclose(second, eta, atol=1e-6)


def test_weights_are_the_information():
    design = mlm.Model("k | trials(n) ~ x", counts(), family="binomial").design
    eta = np.linspace(-2, 2, 60)
    p = 1 / (1 + np.exp(-eta))
    n = design.outcome.rows["trials"]
    np.testing.assert_allclose(working(design, eta, 0 * eta).weight, n * p * (1 - p), rtol=1e-12)


def test_it_starts_near_the_regression_without_groups():
    design = mlm.Model("y ~ x + offset(t)", counts(), family="poisson").design
    eta = starting_predictor(design)
    score = design.X.T @ (design.y - np.exp(eta))  # zero at the maximum
    assert np.abs(score).max() < 1e-2 * design.y.sum()
