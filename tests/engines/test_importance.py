"""Adaptive importance sampling of densities whose moments are known."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import digamma
from scipy.stats import multivariate_normal, multivariate_t, norm

from bayesmlm.engines.importance import explore
from bayesmlm.engines.mode import find_mode
from bayesmlm.engines.proposals import FREEDOM, Mixture, refit, uniforms_for
from bayesmlm.engines.weights import WeightedSample, effective, smooth


def sample(log_density, start, draws=4096, seed=1):
    mode = find_mode(log_density, np.asarray(start, dtype=float))
    return explore(log_density, mode.point, mode.covariance(), draws=draws, rounds=4, seed=seed)


def z_scores(found, functions, expected):
    """Return the errors of weighted means in their Monte Carlo standard errors."""
    values = np.column_stack([f(found.points) for f in functions])
    mean = found.weights @ values
    return (mean - expected) / np.sqrt(found.weights**2 @ (values - mean) ** 2)


BOUND = norm.isf(1e-3 / 2 / 40)


@pytest.mark.parametrize("d", [1, 2, 4, 7])
def test_a_multivariate_normal(d):
    rng = np.random.default_rng(d)
    mean = rng.normal(0, 5, d)
    A = rng.normal(size=(d, d))
    cov = A @ A.T + 0.1 * np.eye(d)
    target = multivariate_normal(mean, cov)
    found = sample(lambda x: np.atleast_1d(target.logpdf(x)), np.zeros(d))
    functions = [lambda x, a=a: x[:, a] for a in range(d)]
    functions += [lambda x, a=a: (x[:, a] - mean[a]) ** 2 for a in range(d)]
    z = z_scores(found, functions, np.concatenate([mean, np.diag(cov)]))
    assert np.abs(z).max() < BOUND
    assert found.khat < 0.5
    assert found.ess > 0.4 * found.evaluations


def test_a_skewed_density():
    """Log gamma variables: means and variances by polygamma functions."""
    shapes = np.array([0.7, 2.0])
    found = sample(lambda x: (shapes * x - np.exp(x)).sum(axis=1), np.zeros(2))
    functions = [lambda x: x[:, 0], lambda x: x[:, 1]]
    functions += [lambda x: np.exp(x[:, 0]), lambda x: np.exp(x[:, 1])]
    z = z_scores(found, functions, [*digamma(shapes), *shapes])
    assert np.abs(z).max() < BOUND
    assert found.khat < 0.7


def banana(spread):
    """x ~ N(0, 1) and y given x ~ N(x² / 2, spread²)."""
    return lambda p: norm.logpdf(p[:, 0]) + norm.logpdf(p[:, 1], p[:, 0] ** 2 / 2, spread)


@pytest.mark.parametrize("seed", range(3))
def test_a_banana(seed):
    found = sample(banana(1.0), [0.5, 0.0], draws=16384, seed=seed)
    functions = [lambda p: p[:, 0], lambda p: p[:, 0] ** 2, lambda p: p[:, 1]]
    functions += [lambda p: p[:, 0] * p[:, 1], lambda p: p[:, 1] ** 2]
    z = z_scores(found, functions, [0, 1, 0.5, 0, 1.75])
    assert np.abs(z).max() < BOUND
    assert found.khat < 0.5


@pytest.mark.parametrize("seed", range(3))
def test_what_the_proposals_cannot_follow_shows(seed):
    """A banana as thin as a thread: the Pareto shape says that the sample is not to be used."""
    assert sample(banana(0.015), [0.5, 0.0], draws=8192, seed=seed).khat > 0.7


def test_two_modes_far_from_the_start():
    """The wide first proposal finds the second mode, and the mixture keeps both."""

    def both(x):
        return np.logaddexp(norm.logpdf(x[:, 0], -2, 0.8), norm.logpdf(x[:, 0], 2, 0.8))

    found = sample(both, [-2.0], draws=8192)
    assert np.abs(z_scores(found, [lambda x: x[:, 0], lambda x: x[:, 0] ** 2], [0, 4.64])).max() < 4
    assert found.khat < 0.7


def test_the_same_seed_gives_the_same_sample():
    one, two, other = (sample(lambda x: -0.5 * (x**2).sum(1), [1, 1], seed=s) for s in (1, 1, 2))
    assert np.array_equal(one.points, two.points) and np.array_equal(one.weights, two.weights)
    assert not np.array_equal(one.points, other.points)


def test_evaluations_are_counted_and_rounds_are_powers_of_two():
    calls = []

    def density(x):
        calls.append(len(x))
        return -0.5 * (x**2).sum(axis=1)

    found = explore(density, np.zeros(2), np.eye(2), draws=1000, rounds=4, seed=1)
    assert calls == [256] * 4
    assert found.evaluations == len(found.points) == 1024
    assert found.weights.sum() == pytest.approx(1)


def test_points_without_density_have_no_weight():
    def half(x):
        return np.where(x[:, 0] > 0, -0.5 * (x**2).sum(axis=1), -np.inf)

    found = explore(half, np.array([0.5, 0.0]), np.eye(2), draws=4096, rounds=4, seed=1)
    assert (found.weights[found.points[:, 0] <= 0] == 0).all()
    z = z_scores(found, [lambda x: x[:, 0], lambda x: x[:, 1]], [np.sqrt(2 / np.pi), 0])
    assert np.abs(z).max() < BOUND


def test_points_are_chosen_their_expected_number_of_times():
    """Rounded up or down, in random order."""
    rng = np.random.default_rng(0)
    weights = rng.exponential(size=50) ** 3
    weights /= weights.sum()
    found = WeightedSample(np.arange(50.0)[:, None], weights, 0.0, 50)
    chosen = found.choose(2000, np.random.default_rng(1))
    times = np.bincount(chosen, minlength=50)
    assert np.abs(times - 2000 * weights).max() < 1 + 1e-9
    assert not (np.diff(chosen) >= 0).all()
    again = [found.choose(9, np.random.default_rng(3)) for _ in range(2)]
    assert np.array_equal(*again)


@pytest.mark.parametrize("size", [100, 400, 3000])
def test_the_effective_number_of_draws_tells_their_error(size):
    """Means of draws over many runs vary as much as so many independent draws do."""
    points, weights = np.random.default_rng(1).normal(size=(2, 500)) ** [[1], [2]]
    weights /= weights.sum()
    means, told = [], []
    for seed in range(2000):
        rng = np.random.default_rng(seed)
        values = rng.permutation(points)  # no function of the weights
        sample = WeightedSample(values[:, None], weights, 0.0, 500)
        chosen = sample.choose(size, rng)
        means.append(sample.points[chosen].mean())
        told.append(effective(chosen))
    # a permutation of 500 values has less error than independent values have
    expected = points.var(ddof=1) * (1 / np.mean(told) - 1 / 500)
    found = np.var(means)
    assert abs(found / expected - 1) < norm.isf(1e-3) * np.sqrt(2 / 2000)
    assert np.mean(told) <= min(size, sample.ess) * 1.02


def test_draws_that_repeat_one_another_count_for_less():
    assert effective(np.array([0, 1, 2, 3])) == 4
    assert effective(np.array([5, 5, 5, 5])) == 1
    assert effective(np.array([0, 0, 1, 2])) == pytest.approx(16 / 6)


def test_effective_sample_size():
    assert WeightedSample(np.zeros((4, 1)), np.full(4, 0.25), 0, 4).ess == pytest.approx(4)
    assert WeightedSample(np.zeros((4, 1)), np.array([1.0, 0, 0, 0]), 0, 4).ess == 1


def test_even_weights_have_no_tail():
    weights, khat = smooth(np.log(np.random.default_rng(0).uniform(0.5, 1, 1000)))
    assert khat == -np.inf
    assert weights.sum() == pytest.approx(1)


@pytest.mark.parametrize("shape", [0.3, 0.6, 0.9, 1.3])
def test_the_pareto_shape_of_pareto_weights(shape):
    uniform = np.random.default_rng(1).uniform(size=40_000)
    weights, khat = smooth(-shape * np.log(uniform))
    assert khat == pytest.approx(shape, abs=0.12)
    assert weights.sum() == pytest.approx(1)


def test_the_t_density():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(3, 3))
    root = np.linalg.cholesky(A @ A.T + np.eye(3))
    mean, x = rng.normal(size=3), rng.normal(0, 4, (20, 3))
    expected = multivariate_t(mean, root @ root.T, df=FREEDOM).logpdf(x)
    found = Mixture(np.ones(1), mean[None], root[None]).log_density(x)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


MIXTURE = Mixture(np.array([0.7, 0.3]), np.array([[-3.0], [2.0]]), np.array([[[1.0]], [[0.5]]]))


def test_a_mixture_integrates_to_one_and_is_drawn():
    density = lambda x: np.exp(MIXTURE.log_density(np.array([[x]]))[0])  # noqa: E731
    total = quad(density, -np.inf, -3)[0] + quad(density, -3, 2)[0] + quad(density, 2, np.inf)[0]
    assert total == pytest.approx(1, rel=1e-6)
    draws = MIXTURE.transform(np.random.default_rng(0).uniform(size=(50_000, uniforms_for(1))))[
        :, 0
    ]
    for point in (-4, -3, 0, 2, 3):
        expected = quad(density, -np.inf, point, limit=200)[0]
        error = np.sqrt(expected * (1 - expected) / 50_000)
        assert abs((draws < point).mean() - expected) < 4 * error


def test_refitting_moves_to_the_weighted_draws():
    rng = np.random.default_rng(0)
    points = rng.normal(0, 3, (4000, 2))
    log_weights = multivariate_normal([2, -1], [[1, 0.5], [0.5, 1]]).logpdf(points)
    log_weights -= multivariate_normal([0, 0], 9 * np.eye(2)).logpdf(points)
    first = Mixture(np.ones(1), np.zeros((1, 2)), 3 * np.eye(2)[None])
    fitted = refit(points, log_weights, first, rng)
    assert fitted.weights.sum() == pytest.approx(1)
    assert (fitted.weights > 0).all()
    assert any(np.array_equal(mean, first.means[0]) for mean in fitted.means)
    main = fitted.weights[:3] / fitted.weights[:3].sum()
    np.testing.assert_allclose(main @ fitted.means[:3], [2, -1], atol=0.15)


@pytest.mark.parametrize("d", [1, 3])
def test_one_draw_that_has_all_the_weight_ends_the_search(d):
    """A proposal fitted to a single draw would have no covariance."""

    def spike(points):
        return -1e9 * np.abs(points - 0.3).sum(axis=1)

    found = explore(spike, np.zeros(d), np.eye(d), draws=1024, rounds=4, seed=1)
    assert found.khat == np.inf
    assert len(found.points) == 256
