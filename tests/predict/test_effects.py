"""Effects of new groups against the moments and distributions they are drawn from."""

import numpy as np
import pytest
import scipy.stats

from bayesmlm.predict.effects import Normal, Points, roots

S = 200_000
COVARIANCE = np.array([[1.5, -0.4, 0.0], [-0.4, 0.5, 0.0], [0.0, 0.0, 2.0]])
BLOCKS = ((0, 1), (2,))


def drawn(nu=None):
    factors = np.broadcast_to(roots(COVARIANCE[None]), (S, 3, 3))
    degrees = None if nu is None else np.full(S, nu)
    return Normal(factors, BLOCKS, degrees, (1, 1, 0)).take(np.array([3, 7]))


def test_normal_effects():
    u = drawn()
    error = np.sqrt((COVARIANCE**2 + np.outer(*[np.diag(COVARIANCE)] * 2)) / S)
    for group in u:
        assert np.all(np.abs(np.cov(group) - COVARIANCE) < 4 * error)
    assert abs(np.corrcoef(u[0, 0], u[1, 0])[0, 1]) < 4 / np.sqrt(S)
    again = Normal(np.broadcast_to(roots(COVARIANCE[None]), (S, 3, 3)), BLOCKS, None, (1, 1, 0))
    assert np.array_equal(again.take(np.array([7]))[0], u[1])


def test_student_effects_have_the_covariance_and_the_tails():
    nu = 7.0
    u = drawn(nu)[0]
    assert np.cov(u) == pytest.approx(COVARIANCE, abs=0.03)
    unit = np.sqrt(np.diag(COVARIANCE) * (nu - 2) / nu)
    for k in range(3):
        assert scipy.stats.kstest(u[k, :20_000] / unit[k], "t", args=(nu,)).pvalue > 0.01
    size = np.abs(u)
    together = np.corrcoef(size[0] ** 2, size[1] ** 2)[0, 1]
    apart = np.corrcoef(size[0] ** 2, size[2] ** 2)[0, 1]
    assert together > 0.1 > 0.02 > abs(apart)  # one block shares its tails, two do not


def test_a_singular_covariance():
    covariance = np.array([[[4.0, 2.0], [2.0, 1.0]], [[0.0, 0.0], [0.0, 1.0]]])
    found = roots(covariance)
    assert found @ found.transpose(0, 2, 1) == pytest.approx(covariance)


def test_mass_points():
    points = np.broadcast_to(np.array([[-1.0, 0.0], [0.5, 2.0], [3.0, 1.0]]), (S, 3, 2))
    mass = np.broadcast_to(np.array([0.5, 0.3, 0.2]), (S, 3))
    found = Points(points, mass, (1, 1, 0)).take(np.array([0, 4]))
    for group in found:
        share = [(group[0] == value).mean() for value in (-1.0, 0.5, 3.0)]
        assert share == pytest.approx([0.5, 0.3, 0.2], abs=4 * 0.5 / np.sqrt(S))
        assert set(zip(*group.tolist(), strict=True)) == {(-1.0, 0.0), (0.5, 2.0), (3.0, 1.0)}
    both = (found[0, 0] == -1) & (found[1, 0] == -1)
    assert both.mean() == pytest.approx(0.25, abs=4 * 0.5 / np.sqrt(S))
