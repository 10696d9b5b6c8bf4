import numpy as np
import pytest
import scipy.stats

from bayesmlm.density import quadrature_groups
from bayesmlm.density.gauss_hermite import gauss_hermite
from bayesmlm.families import family
from bayesmlm.families.rows import code

RNG = np.random.default_rng(2)


def gaussian_rows(y, weights=None):
    weights = np.ones(len(y)) if weights is None else weights
    return code(family("gaussian")), y, np.ones((1, 1)), weights


def evaluate(base, Z, factors, others, rows, starts, rule, by_row):
    """Return values of every parameter vector, searches from the origin."""
    S, J = len(base), len(starts) - 1
    found = np.empty((S, base.shape[1] if by_row else J))
    modes = np.zeros((J, Z.shape[1]))
    given = base, Z, factors, others, rows, starts, rule, modes
    quadrature_groups.evaluate(0, S, *given, by_row, found)
    return found


def test_one_node_is_exact_for_a_gaussian():
    y, base, Z = RNG.normal(size=5), RNG.normal(size=(1, 5)), RNG.normal(size=(5, 2))
    F = np.tril(RNG.normal(size=(2, 2)))[None]
    sigma = 0.7
    found = evaluate(
        base, Z, F, np.log([[sigma]]), gaussian_rows(y), np.array([0, 5]), gauss_hermite(1, 2),
        False,
    )  # fmt: skip
    V = Z @ F[0] @ F[0].T @ Z.T + sigma**2 * np.eye(5)
    expected = scipy.stats.multivariate_normal(base[0], V).logpdf(y) + 2.5 * np.log(2 * np.pi)
    assert found[0, 0] == pytest.approx(expected)


def test_rows_by_the_groups_nodes_and_by_their_own_agree():
    """A row whose weight is small shares the nodes, one of weight one gets its own."""
    y, base, Z = RNG.normal(size=40), np.zeros((1, 40)), np.ones((40, 1))
    sigma, tau = 1.0, 0.8
    for count in (40, 3):
        found = evaluate(
            base[:, :count], Z[:count], np.array([[[tau]]]), np.log([[sigma]]),
            gaussian_rows(y[:count]), np.array([0, count]), gauss_hermite(21, 1),
            True,
        )  # fmt: skip
        P = np.linalg.inv(tau**2 + sigma**2 * np.eye(count))
        p, r = np.diag(P), P @ y[:count]
        expected = scipy.stats.norm(0, 1 / np.sqrt(p)).logpdf(r / p) + 0.5 * np.log(2 * np.pi)
        np.testing.assert_allclose(found[0], expected, atol=1e-6)


def test_each_row_and_log_sum():
    y, w = RNG.poisson(3, 4).astype(float), np.array([1.0, 2, 0, 1])
    eta = RNG.normal(size=4)
    own = code(family("poisson")), y, np.empty((0, 1)), w
    found = quadrature_groups.each_row(own, eta, np.empty((0, 1)))
    np.testing.assert_allclose(found - w * (y * eta - np.exp(eta)), 0, atol=1e-12)
    assert quadrature_groups.log_sum(np.array([-800.0, -801, -802])) == pytest.approx(
        -800 + np.log(1 + np.exp(-1) + np.exp(-2))
    )


def test_no_mode_gives_nan():
    y = np.array([np.nan, 1.0])
    found = evaluate(
        np.zeros((1, 2)), np.ones((2, 1)), np.ones((1, 1, 1)), np.zeros((1, 1)), gaussian_rows(y),
        np.array([0, 2]), gauss_hermite(3, 1), False,
    )  # fmt: skip
    assert np.isnan(found).all()
