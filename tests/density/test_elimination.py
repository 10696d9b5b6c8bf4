"""The order of elimination and the pattern of the factor, against a dense factor."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from bayesmlm.density import elimination as module
from bayesmlm.density import lapack, remainder
from bayesmlm.density.elimination import Elimination, cut, dense_elimination, elimination


def random_matrix(seed, n, density):
    """Return a sparse positive definite matrix, dense."""
    rng = np.random.default_rng(seed)
    half = np.where(rng.uniform(size=(n, n)) < density, rng.normal(size=(n, n)), 0.0)
    A = np.triu(half, 1)
    A = A + A.T
    return A + np.diag(np.abs(A).sum(axis=1) + 1)


def laid_out(A, shape):
    """Return the values of a matrix as the pattern lays them out."""
    values = np.zeros(len(shape.rows) + shape.n_dense**2)
    one, other = np.nonzero(A)
    values[shape.positions(one, other)] = A[one, other]
    return values


designs = {
    "seed": st.integers(0, 2**32 - 1),
    "n": st.integers(1, 25),
    "density": st.floats(0, 0.5),
    "share": st.floats(0, 1),
}


@given(**designs)
@settings(max_examples=100)
def test_factor_solve_and_inverse(seed, n, density, share):
    A = random_matrix(seed, n, density)
    shape = elimination(sparse.csr_matrix(A), round(share * n))
    assert sorted(shape.place) == list(range(n))
    inside = np.empty_like(A)
    inside[np.ix_(shape.place, shape.place)] = A  # in the order of elimination
    H = laid_out(A, shape)
    assert remainder.factor(H, shape) == pytest.approx(0.5 * np.linalg.slogdet(A)[1], rel=1e-11)
    right = np.random.default_rng(seed).normal(size=(3, n))
    upper = np.linalg.cholesky(inside).T
    found = right.copy()
    remainder.solve_transposed(H, shape, found)
    np.testing.assert_allclose(found, np.linalg.solve(upper.T, right.T).T, atol=1e-11)
    found = right.copy()
    remainder.solve(H, shape, found)
    np.testing.assert_allclose(found, np.linalg.solve(upper, right.T).T, atol=1e-11)
    remainder.invert(H, shape)
    one, other = np.nonzero(A)
    inverse = np.linalg.inv(A)[one, other]
    np.testing.assert_allclose(H[shape.positions(one, other)], inverse, atol=1e-11)


@pytest.mark.parametrize("columns", [0, 1, 3])
def test_a_matrix_that_is_not_positive_definite_gives_nan(columns):
    A = np.array([[1.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    shape = elimination(sparse.csr_matrix(A), columns)
    assert np.isnan(remainder.factor(laid_out(A, shape), shape))


def test_a_chain_does_not_fill():
    n = 2000
    chain = sparse.diags([np.ones(n - 1), np.ones(n), np.ones(n - 1)], [-1, 0, 1])
    shape = elimination(chain.tocsr())
    assert shape.n_sparse + shape.n_dense == n
    assert shape.n_dense < 100
    assert len(shape.rows) <= 2 * n


def test_small_and_full_matrices_are_dense_from_the_start():
    assert elimination(sparse.identity(module.DENSE_FROM_START, format="csr")).n_sparse == 0
    full = sparse.csr_matrix(np.ones((module.DENSE_FROM_START + 20,) * 2))
    assert elimination(full).n_dense > module.DENSE_FROM_START


def test_what_fills_too_much_has_no_order(monkeypatch):
    monkeypatch.setattr(module, "DENSE_FROM_START", 0)
    full = sparse.csr_matrix(np.ones((30, 30)))
    monkeypatch.setattr(module, "DENSE_LIMIT", 5)
    assert elimination(full).n_dense <= 5
    monkeypatch.setattr(module, "FILL_LIMIT", 100)
    assert elimination(full) is None
    assert cut(np.arange(30, 0, -1)) is None


def test_the_pattern_of_a_dense_matrix():
    shape = dense_elimination(4)
    assert isinstance(shape, Elimination)
    assert (shape.n_sparse, shape.n_dense) == (0, 4)
    assert shape.positions(np.array([0, 3]), np.array([2, 1])).tolist() == [2, 7]


def test_lapack_in_place():
    A = random_matrix(1, 5, 0.8)
    H = np.concatenate([np.full(3, 7.0), np.triu(A).ravel()])
    assert lapack.factor(H, 3, 5)
    np.testing.assert_allclose(np.triu(H[3:].reshape(5, 5)), np.linalg.cholesky(A).T, atol=1e-12)
    lapack.invert(H, 3, 5)
    np.testing.assert_allclose(np.triu(H[3:].reshape(5, 5)), np.triu(np.linalg.inv(A)), atol=1e-12)
    assert (H[:3] == 7.0).all()
    assert not lapack.factor(np.array([1.0, 2.0, 2.0, 1.0]), 0, 2)
    assert lapack.factor(np.empty(0), 0, 0)
