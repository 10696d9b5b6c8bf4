"""Normal priors of the fixed effects as one quadratic form."""

import numpy as np
import pytest

import bayesmlm as mlm
from bayesmlm.density.fixed_prior import flat, is_normal


@pytest.mark.parametrize(
    "priors", [None, {"Intercept": mlm.Normal(15, 3), "w": mlm.Normal(-1, 0.2)}]
)
def test_the_form_is_the_joint_prior(priors, frame, marginal_of):
    marginal = marginal_of("y ~ x + w + (1 | a)", frame(1), priors)
    design, data = marginal.design, marginal.data
    own = [marginal.priors.coefficients[name] for name in design.coef]
    rng = np.random.default_rng(1)
    for _ in range(5):
        beta = rng.normal(0, 10, 3)
        values = beta.copy()
        if priors is None:
            values[0] = design.X.mean(axis=0) @ beta  # the intercept at the means
        expected = sum(((v - p.mu) / p.sigma) ** 2 for v, p in zip(values, own, strict=True))
        inner = np.append(data.to_X @ (beta - data.start), -1)
        assert inner @ marginal.prior.matrix @ inner == pytest.approx(expected, rel=1e-9)


def test_the_determinant_is_that_of_the_precision(frame, marginal_of):
    marginal = marginal_of("y ~ x + w + (1 | a)", frame(1))
    precision = marginal.prior.matrix[:3, :3]
    assert marginal.prior.log_det == pytest.approx(np.linalg.slogdet(precision)[1], rel=1e-10)


def test_no_fixed_effects(frame, marginal_of):
    prior = marginal_of("y ~ 0 + (1 | a)", frame(1)).prior
    assert prior.matrix.shape == (1, 1) and prior.matrix[0, 0] == 0 and prior.log_det == 0


def test_the_flat_prior_is_zero():
    assert not flat(2).matrix.any() and flat(2).matrix.shape == (3, 3)
    assert flat(2).log_det == 0


def test_only_normal_priors_integrate_out(frame):
    data = frame(1)
    assert is_normal(mlm.Model("y ~ x", data).prior_values)
    for prior in (mlm.StudentT(3, 0, 1), mlm.Cauchy(0, 1), mlm.HalfNormal(1)):
        model = mlm.Model("y ~ x", data, priors={"x": prior})
        assert not is_normal(model.prior_values)
