"""What importance weights say of an approximation whose error is known."""

import numpy as np
import pytest

from bayesmlm.engines.audit import audit, log_normal


def compare(scale, n=3, draws=4000):
    """Audit a normal of SD 1 as an approximation of one of SD `scale`."""
    z = np.random.default_rng(1).standard_normal((draws, n))
    target = log_normal(z / scale, n * np.log(scale))
    return audit(target, log_normal(z, 0.0))


def test_the_posterior_itself_has_equal_weights():
    found = compare(1.0)
    assert found.khat == -np.inf
    assert found.elbo == pytest.approx(0, abs=1e-12)
    assert found.ess == pytest.approx(4000)


def test_an_approximation_too_narrow_has_a_heavy_tail():
    assert compare(2.0).khat > 0.7
    assert compare(0.9).khat < 0.5


def test_the_bound_is_minus_the_divergence():
    found = compare(1.5, n=2)
    divergence = 2 * (np.log(1.5) + 1 / (2 * 1.5**2) - 0.5)
    assert found.elbo == pytest.approx(-divergence, abs=4 * found.error)


def test_what_is_no_number_is_told():
    assert audit(np.array([0.0, np.nan]), np.zeros(2)).khat == np.inf
    assert audit(np.full(500, -np.inf), np.zeros(500)).khat == np.inf


def test_draws_that_the_posterior_excludes_have_no_weight():
    density = np.where(np.arange(1000) < 900, 0.0, -np.inf)
    assert audit(density, np.zeros(1000)).ess == pytest.approx(900)
