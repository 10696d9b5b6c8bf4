import numpy as np
import pytest
from scipy.special import gammaln
from scipy.stats import multivariate_t

from bayesmlm.density.t_mixture import densities, moments

FREEDOM = 5


def mixture(rng, K, d):
    """Return shares, means, roots and the kernels' heights."""
    shares = rng.dirichlet(np.ones(K))
    means = rng.normal(size=(K, d))
    A = rng.normal(size=(K, d, d))
    roots = np.linalg.cholesky(A @ A.transpose(0, 2, 1) + np.eye(d))
    constant = gammaln((FREEDOM + d) / 2) - gammaln(FREEDOM / 2) - d / 2 * np.log(FREEDOM * np.pi)
    heights = shares * np.exp(constant) / np.linalg.det(roots)
    return shares, means, roots, heights


@pytest.mark.parametrize("d", [1, 2, 6])
def test_densities_against_scipy(d):
    rng = np.random.default_rng(d)
    shares, means, roots, heights = mixture(rng, 3, d)
    x = rng.normal(0, 5, (50, d))
    found = np.empty(50)
    densities(0, 50, x, heights, means, np.linalg.inv(roots), FREEDOM, found)
    laws = [multivariate_t(m, R @ R.T, df=FREEDOM) for m, R in zip(means, roots, strict=True)]
    expected = sum(w * law.pdf(x) for w, law in zip(shares, laws, strict=True))
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_moments_of_one_component_are_those_of_the_weighted_points():
    rng = np.random.default_rng(1)
    _, means, roots, heights = mixture(rng, 1, 3)
    x, weights = rng.normal(size=(400, 3)), rng.dirichlet(np.ones(400))
    total, first, second = np.zeros(1), np.zeros((1, 3)), np.zeros((1, 3, 3))
    inverses = np.linalg.inv(roots)
    moments(x, weights, heights, means, inverses, FREEDOM, total, first, second)
    assert total[0] == pytest.approx(1)
    np.testing.assert_allclose(means[0] + first[0], weights @ x, rtol=1e-10)
    whole = (x - means[0]).T @ (weights[:, None] * (x - means[0]))
    np.testing.assert_allclose(np.tril(second[0]), np.tril(whole), rtol=1e-10)


def test_moments_share_the_mass_by_density():
    rng = np.random.default_rng(2)
    _, means, roots, heights = mixture(rng, 2, 2)
    inverses, x = np.linalg.inv(roots), rng.normal(size=(1, 2))
    total, first, second = np.zeros(2), np.zeros((2, 2)), np.zeros((2, 2, 2))
    moments(x, np.ones(1), heights, means, inverses, FREEDOM, total, first, second)
    parts = []
    for k in range(2):
        own = np.empty(1)
        one = slice(k, k + 1)
        densities(0, 1, x, heights[one], means[one], inverses[one], FREEDOM, own)
        parts.append(own[0])
    np.testing.assert_allclose(total, np.array(parts) / sum(parts), rtol=1e-12)
