"""A C function gives what the kernel gives, from the arrays of its table."""

import ctypes
import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.density import conditional_posterior, gaussian_marginal
from bayesmlm.density.callback import (
    COPY_SIGNATURE,
    NOT_FINITE,
    address_of,
    conditional_as_callback,
    copy_callback,
    marginal_as_callback,
)
from bayesmlm.density.posterior import posterior
from bayesmlm.errors import BayesmlmWarning
from bayesmlm.graph import choose

rng = np.random.default_rng(8)
FRAME = pd.DataFrame(
    {"g": np.arange(40) % 8, "k": rng.integers(0, 3, 40), "x": rng.normal(size=40)}
).assign(y=lambda frame: frame["x"] + rng.normal(10, 1, 40), count=rng.poisson(2, 40))

DOUBLES = ctypes.POINTER(ctypes.c_double)
DENSITY = ctypes.CFUNCTYPE(
    ctypes.c_int64, ctypes.c_uint64, DOUBLES, DOUBLES, DOUBLES, ctypes.c_void_p
)


def call(target, theta):
    theta, gradient, value = np.array(theta), np.empty(target.size), np.empty(1)
    pointers = [array.ctypes.data_as(DOUBLES) for array in (theta, gradient, value)]
    status = DENSITY(target.function)(target.size, *pointers, target.table.ctypes.data)
    return status, value[0], gradient


def build(formula, family="gaussian"):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmlmWarning)
        return mlm.Model(formula, FRAME, family=family)


@pytest.mark.parametrize("formula", ["y ~ x", "y ~ x + (x | g)", "y ~ x + (x | g) + (1 | k)"])
def test_the_marginal_posterior(formula):
    model = build(formula)
    density = posterior(gaussian_marginal(model.design, model.prior_values))
    target = marginal_as_callback(density)
    for seed in range(2):
        psi = np.random.default_rng(seed).normal(size=target.size)
        status, value, gradient = call(target, psi)
        expected, slopes = density(psi)
        assert status == 0
        assert value + density.constant == pytest.approx(expected, rel=1e-14)
        assert np.allclose(gradient, slopes, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(
    ("formula", "family"),
    [("y ~ x + (x | g) + (1 | k)", "gaussian"), ("count ~ x + (1 | g)", "poisson")],
)
def test_the_conditional_posterior(formula, family):
    model = build(formula, family)
    density = conditional_posterior(model.design, model.prior_values, choose(model.design))
    target = conditional_as_callback(density)
    theta = np.random.default_rng(4).normal(size=target.size)
    status, value, gradient = call(target, theta)
    expected, slopes = density(theta)
    assert status == 0
    assert value + density.constant == pytest.approx(expected, rel=1e-14)
    assert np.array_equal(gradient, slopes)


def test_a_density_that_is_not_finite_is_told():
    model = build("count ~ x + (1 | g)", "poisson")
    density = conditional_posterior(model.design, model.prior_values, choose(model.design))
    target = conditional_as_callback(density)
    assert call(target, np.full(target.size, 1e4))[0] == NOT_FINITE


def test_a_draw_is_copied():
    out, theta = np.empty(5), np.arange(5.0)
    copy = ctypes.CFUNCTYPE(
        ctypes.c_int64, ctypes.c_uint64, ctypes.c_uint64, DOUBLES, DOUBLES, ctypes.c_void_p
    )(address_of(copy_callback, COPY_SIGNATURE))
    copy(5, 5, theta.ctypes.data_as(DOUBLES), out.ctypes.data_as(DOUBLES), None)
    assert np.array_equal(out, theta)
