import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.density import gaussian_marginal
from bayesmlm.density.posterior import posterior

rng = np.random.default_rng(4)
N = 60
FRAME = pd.DataFrame(
    {
        "a": rng.integers(0, 10, N),
        "c": rng.integers(0, 5, N),
        "x": rng.normal(size=N),
        "w": rng.normal(size=N),
        "s": rng.uniform(0.5, 2, N),
        "y": rng.normal(size=N) + 50,
    }
).assign(b=lambda frame: frame["a"] // 3)

CASES = {
    "no effects": ("y ~ x", None),
    "three effects, gamma": (
        "y ~ x + (x + w | a)",
        {"sd_a[x]": mlm.Gamma(2, 1), "sigma": mlm.InverseGamma(2, 3)},
    ),
    "independent, half Cauchy": ("y ~ x + (x || a)", {"sd": mlm.HalfCauchy(2)}),
    "nested, exponential": ("y ~ x + (x + w | a) + (x | b)", {"sd_a": mlm.Exponential(2)}),
    "crossed, half normal": ("y ~ 0 + (x | a) + (1 | c)", {"sd": mlm.HalfNormal(2)}),
    "known sampling SDs": ("y | se(s) ~ x + (1 | a)", None),
}


def build(name):
    formula, priors = CASES[name]
    model = mlm.Model(formula, FRAME, priors=priors)
    return gaussian_marginal(model.design, model.prior_values)


@pytest.mark.parametrize("name", CASES)
def test_value_is_the_marginal_log_density_and_gradient_its_derivative(name):
    marginal = build(name)
    density = posterior(marginal)
    for seed in range(3):
        psi = 0.6 * np.random.default_rng(seed).normal(size=marginal.layout.size)
        value, gradient = density(psi)
        assert value == pytest.approx(float(marginal.log_density(psi)[0]), rel=1e-10)
        steps = 1e-5 * np.eye(len(psi))
        numeric = [
            float(marginal.log_density(psi + h)[0] - marginal.log_density(psi - h)[0]) / 2e-5
            for h in steps
        ]
        assert np.allclose(gradient, numeric, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("name", ["nested, exponential", "crossed, half normal"])
@pytest.mark.parametrize("size", [-800.0, -100.0, 800.0])
def test_far_out_the_density_is_minus_infinity_and_no_exception(name, size):
    marginal = build(name)
    value, gradient = posterior(marginal)(np.full(marginal.layout.size, size))
    assert value == -np.inf or np.isfinite(value)
    assert np.isfinite(gradient).all()
