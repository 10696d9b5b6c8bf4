import numpy as np
import pytest
from scipy import stats

import bayesmlm as mlm
from bayesmlm.density.log_prior import STANDARD_NORMAL, STANDARD_STUDENT, coded, log_prior
from bayesmlm.errors import PriorError

POSITIVE = [
    mlm.HalfNormal(2),
    mlm.HalfStudentT(4, 2),
    mlm.HalfCauchy(1.5),
    mlm.Exponential(0.7),
    mlm.Gamma(2, 1.3),
    mlm.InverseGamma(3, 2),
]


def evaluate(psi, kind, first, second):
    gradient = np.zeros(1)
    kinds = np.array([kind], dtype=np.int64)
    value = log_prior(np.array([psi]), kinds, np.array([first]), np.array([second]), gradient)
    return value, gradient[0]


@pytest.mark.parametrize("prior", POSITIVE, ids=str)
def test_an_sd_by_its_logarithm(prior):
    kind, (first, second) = coded(prior)
    at = np.array([-2.0, 0.1, 1.5])
    values, slopes = np.array([evaluate(psi, kind, first, second) for psi in at]).T
    own = prior.log_density(np.exp(at)) + at
    assert np.allclose(np.diff(values), np.diff(own), rtol=1e-12)
    h = 1e-6
    up, down = (prior.log_density(np.exp(at + s)) + at + s for s in (h, -h))
    assert np.allclose(slopes, (up - down) / (2 * h), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("kind", "freedom", "law"),
    [(STANDARD_NORMAL, 0.0, stats.norm()), (STANDARD_STUDENT, 3.0, stats.t(3))],
)
def test_a_standardised_coefficient(kind, freedom, law):
    at = np.array([-4.0, 0.3, 2.0])
    values, slopes = np.array([evaluate(x, kind, freedom, 0.0) for x in at]).T
    assert np.allclose(np.diff(values), np.diff(law.logpdf(at)), rtol=1e-12)
    h = 1e-6
    numeric = (law.logpdf(at + h) - law.logpdf(at - h)) / (2 * h)
    assert np.allclose(slopes, numeric, rtol=1e-6)


def test_a_prior_the_kernel_does_not_know_is_refused():
    with pytest.raises(PriorError, match="as the prior of an SD in the compiled density"):
        coded(mlm.Normal(0, 1))
