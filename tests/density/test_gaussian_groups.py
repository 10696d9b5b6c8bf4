import numpy as np
import pytest
import scipy.stats

from bayesmlm.density import gaussian_groups

RNG = np.random.default_rng(2)


def test_eliminate_is_the_schur_complement():
    A = RNG.normal(size=(7, 5))
    D = np.tril(A.T @ A)
    expected = A.T @ A + np.diag([1.0, 1, 1, 0, 0])
    found = gaussian_groups.eliminate(D, 0, 3)
    assert found == pytest.approx(np.linalg.slogdet(expected[:3, :3])[1])
    rest = expected[3:, 3:] - expected[3:, :3] @ np.linalg.solve(expected[:3, :3], expected[:3, 3:])
    np.testing.assert_allclose(np.tril(D[3:, 3:]), np.tril(rest))


def test_three_nested_groupings():
    """Two outer groups, the first of one middle group, the second of two; innermost 1, 2, 1."""
    starts = np.array([0, 3, 5, 6, 10])
    last = np.array([[True, True], [False, False], [True, False], [True, True]])
    middle, outer = np.repeat([0, 1, 1, 2], np.diff(starts)), np.repeat([0, 1], [3, 7])
    codes = (np.repeat(range(4), np.diff(starts)), middle, outer)
    Z, residual, weight = RNG.normal(size=(10, 3)), RNG.normal(size=(1, 10)), np.ones(10)
    factor = np.diag([0.7, 1.3, 0.9])[None]
    widths = np.array([1, 1, 1])
    found = np.empty((1, 2))
    given = residual, np.array([0.8]), Z, factor, weight, starts
    gaussian_groups.groups(0, 1, *given, last, widths, found)
    V = 0.64 * np.eye(10)
    for k, code in enumerate(codes):
        scaled = Z[:, k] * factor[0, k, k]
        V += (code[:, None] == code) * np.outer(scaled, scaled)
    for j, rows in enumerate((slice(0, 3), slice(3, 10))):
        own = V[rows, rows]
        n = len(own)
        expected = scipy.stats.multivariate_normal(np.zeros(n), own).logpdf(residual[0, rows])
        constant = 0.5 * n * np.log(2 * np.pi * 0.64)
        assert found[0, j] == pytest.approx(expected + constant)


def test_a_row_alone_has_the_density_of_its_group():
    residual, Z, weight = np.array([[1.3]]), np.array([[2.0]]), np.array([0.5])
    sigma, factor, starts = np.array([0.8]), np.array([[[1.1]]]), np.array([0, 1])
    alone, group = np.empty((1, 1)), np.empty((1, 1))
    given = residual, sigma, Z, factor, weight, starts
    gaussian_groups.rows(0, 1, *given, alone)
    gaussian_groups.groups(0, 1, *given, np.ones((1, 0), bool), np.array([1]), group)
    np.testing.assert_allclose(alone, group)
