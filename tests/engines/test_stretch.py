"""Coordinates in which the lower tails of log SDs are light."""

import numpy as np
import pytest
from scipy.stats import truncnorm

from bayesmlm.engines.importance import explore
from bayesmlm.engines.stretch import stretch

AT = np.array([0, 2])
MODE, COVARIANCE = np.array([0.3, -1.0, 0.0]), np.diag([0.04, 1.0, 0.25])


def made():
    return stretch(AT, MODE, COVARIANCE)


def test_the_jacobian_is_that_of_the_coordinates():
    z = np.random.default_rng(1).normal(MODE, 2 * np.sqrt(np.diag(COVARIANCE)), (50, 3))
    step = 1e-6
    slopes = np.stack(
        [
            (made().to_psi(z + step * e)[:, k] - made().to_psi(z - step * e)[:, k]) / (2 * step)
            for k, e in enumerate(np.eye(3))
        ]
    )
    np.testing.assert_allclose(made().log_jacobian(z), np.log(slopes).sum(axis=0), atol=1e-6)


def test_only_lower_tails_of_log_sds_move():
    z = np.array([[0.01, -9.0, 5.0]])  # less than 1.5 SDs below, not a log SD, above
    assert np.array_equal(made().to_psi(z), z)
    low = made().to_psi(np.array([[-1.0, 0.0, 0.0]]))
    assert low[0, 0] < -1.0 and np.array_equal(low[0, 1:], [0.0, 0.0])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_tail_to_zero_is_reached(seed):
    """SDs whose density, normal about 0.6, is an eighth of its height at zero."""
    truth = truncnorm(-2, np.inf, 0.6, 0.3)

    def density(psi):
        return truth.logpdf(np.exp(psi)).sum(axis=1) + psi.sum(axis=1)

    mode, covariance = np.full(3, np.log(0.72)), 0.38**2 * np.eye(3)
    own = stretch(np.arange(3), mode, covariance)
    options = {"draws": 2048, "rounds": 4, "seed": seed}
    plain = explore(density, mode, covariance, **options)
    found = explore(
        lambda z: density(own.to_psi(z)) + own.log_jacobian(z), mode, covariance, **options
    )
    assert found.khat < min(0.1, plain.khat)
    below = np.exp(own.to_psi(found.points)) < truth.ppf(0.02)
    for share in found.weights @ below:
        assert share == pytest.approx(0.02, abs=4 * np.sqrt(0.02 * 0.98 / found.ess))
