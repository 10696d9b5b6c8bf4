"""Probabilities of categories over normal effects: closed sums, integration, one another."""

import numpy as np
import pytest
from scipy import integrate
from scipy.special import expit, softmax
from scipy.stats import norm

from bayesmlm.density import category_shares
from bayesmlm.density.category_shares import by_utility, multiplied, nodes

RNG = np.random.default_rng(2)


def both(means, sds):
    """Return the probabilities by either way, shape (P, K + 1)."""
    one, other = (np.empty((len(means), means.shape[1] + 1)) for _ in range(2))
    multiplied(means, sds, *nodes(float(sds.max()), np.pi), one)
    by_utility(means, sds, *nodes(float(sds.max()), np.pi / 2), other)
    return one, other


@pytest.mark.parametrize("sd", [0.1, 1.0, 4.0])
def test_two_categories_by_numerical_integration(sd):
    means = np.array([[-6.0], [0.3], [2.0], [9.0]])
    for found in both(means, np.full(means.shape, sd)):
        for p, mean in enumerate(means[:, 0]):
            truth, _ = integrate.quad(
                lambda z, mean=mean: expit(mean + sd * z) * norm.pdf(z), -12, 12, limit=400
            )
            assert found[p] == pytest.approx([1 - truth, truth], abs=1e-9)


def test_three_categories_by_numerical_integration():
    means, sds = np.array([[0.5, -1.0]]), np.array([[1.5, 0.7]])

    def share(a, b, k):
        x = np.array([0.0, means[0, 0] + sds[0, 0] * a, means[0, 1] + sds[0, 1] * b])
        return softmax(x)[k] * norm.pdf(a) * norm.pdf(b)

    truth = [integrate.dblquad(share, -9, 9, -9, 9, args=(k,))[0] for k in range(3)]
    for found in both(means, sds):
        assert found[0] == pytest.approx(truth, abs=1e-7)


@pytest.mark.parametrize("largest", [0.5, 2.5])
def test_the_two_ways_agree(largest):
    means, sds = RNG.normal(0, 3, (20, 3)), RNG.uniform(0, largest, (20, 3))
    sds[0], sds[1, 1] = 0.0, 0.0
    one, other = both(means, sds)
    assert one == pytest.approx(other, abs=1e-9)
    assert one.sum(axis=1) == pytest.approx(np.ones(20), abs=1e-9)
    assert one[0] == pytest.approx(softmax(np.append(0.0, means[0])), rel=1e-9)


def test_far_predictors_do_not_overflow():
    found = category_shares.category_shares(np.array([[800.0], [-800.0]]), np.ones((2, 1)))
    assert found[:, 0] == pytest.approx([0.0, 1.0, 0.0], abs=1e-12)


def test_many_categories_against_draws():
    K, size = 6, 400_000
    means, sds = RNG.normal(0, 1, (K, 1)), RNG.uniform(0.2, 1.5, (K, 1))
    drawn = means + sds * RNG.normal(size=(K, size))
    shares = softmax(np.vstack([np.zeros(size), drawn]), axis=0)
    error = shares.std(axis=1) / np.sqrt(size)
    found = category_shares.category_shares(means, sds)[:, 0]
    assert np.all(np.abs(found - shares.mean(axis=1)) < 4.5 * error)
