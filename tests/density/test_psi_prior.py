import numpy as np
import pytest

import bayesmlm as mlm
from bayesmlm.density.hyperparameters import log_prior
from bayesmlm.density.psi_prior import psi_prior

SDS = [mlm.HalfNormal(2), mlm.HalfStudentT(4, 2), mlm.Exponential(0.7), mlm.Gamma(2, 1.3)]


@pytest.mark.parametrize("prior", SDS, ids=str)
@pytest.mark.parametrize("formula", ["y ~ x + (1 + x | a)", "y ~ x + (1 + x || a) + (1 | c)"])
def test_a_batch_against_scipy(formula, prior, frame, marginal_of):
    marginal = marginal_of(formula, frame(3), {"sigma": mlm.Exponential(2), "sd_a": prior})
    psi = np.random.default_rng(0).normal(0, 1.5, (40, marginal.layout.size))
    found = psi_prior(marginal.layout, marginal.priors).log_density(psi)
    expected = log_prior(marginal.layout, marginal.priors, psi)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)
