"""Modes of known functions."""

import numpy as np
import pytest

from bayesmlm.engines.mode import Counted, find_mode

CENTRE = np.array([3.0, -200.0, 0.01])
PRECISION = np.array([[2.0, 0.3, 0.0], [0.3, 0.5, -0.1], [0.0, -0.1, 40.0]])


def quadratic(x):
    return 5.0 - 0.5 * np.einsum("sa,ab,sb->s", x - CENTRE, PRECISION, x - CENTRE)


def banana(x):
    return -(0.05 * (x[:, 0] - 2) ** 2) - 2 * (x[:, 1] - x[:, 0] ** 2) ** 2


def test_a_quadratic_is_found_exactly():
    mode = find_mode(quadratic, np.zeros(3))
    np.testing.assert_allclose(mode.point, CENTRE, rtol=1e-7)
    assert mode.value == pytest.approx(5, abs=1e-10)
    assert mode.gradient < 1e-6
    np.testing.assert_allclose(mode.hessian, -PRECISION, atol=1e-5)
    np.testing.assert_allclose(mode.covariance(), np.linalg.inv(PRECISION), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("start", [(0.0, 0.0), (-3.0, 5.0), (4.0, -10.0)])
def test_a_bent_ridge(start):
    mode = find_mode(banana, np.array(start))
    np.testing.assert_allclose(mode.point, [2, 4], atol=1e-5)
    curvature = np.array([[0.1 + 4 * 16, -16.0], [-16.0, 4.0]])
    np.testing.assert_allclose(-mode.hessian, curvature, rtol=1e-3)


def test_a_long_tail_to_one_side():
    """A log gamma variable, as the log SD of few groups is."""
    mode = find_mode(lambda x: (2.0 * x - 3.0 * np.exp(x))[:, 0], np.array([4.0]))
    assert mode.point[0] == pytest.approx(np.log(2 / 3), abs=1e-8)
    assert mode.hessian[0, 0] == pytest.approx(-2, rel=1e-5)


def test_where_the_density_is_zero_is_left():
    def half(x):
        inside = np.where(x[:, 0] > 0, x[:, 0], 1.0)
        return np.where(x[:, 0] > 0, np.log(inside) - x[:, 0], -np.inf)

    mode = find_mode(half, np.array([0.2]))
    assert mode.point[0] == pytest.approx(1, abs=1e-6)


def test_flat_directions_have_a_bounded_covariance():
    mode = find_mode(lambda x: -0.5 * x[:, 0] ** 2 - 1e-9 * x[:, 1] ** 2, np.ones(2))
    covariance = mode.covariance(smallest=0.05)
    assert np.linalg.eigvalsh(covariance).max() == pytest.approx(20, rel=1e-6)
    assert np.linalg.eigvalsh(covariance).min() > 0


def test_every_evaluation_is_counted():
    calls = []

    def counting(x):
        calls.append(len(x))
        return quadratic(x)

    mode = find_mode(counting, np.zeros(3))
    assert mode.evaluations == sum(calls)


def test_central_differences():
    x = np.array([0.7, -0.3])
    counted = Counted(lambda p: np.sin(p[:, 0]) * np.exp(p[:, 1]))
    value, gradient = counted.with_gradient(x)
    s, c, e = np.sin(0.7), np.cos(0.7), np.exp(-0.3)
    assert value == pytest.approx(s * e)
    np.testing.assert_allclose(gradient, [c * e, s * e], rtol=1e-7)
    np.testing.assert_allclose(counted.hessian(x), [[-s * e, c * e], [c * e, s * e]], rtol=1e-5)
    assert counted.evaluations == 5 + 7
