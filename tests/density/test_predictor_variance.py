"""The variance of each row's random part against a dense inverse."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.density.crossproducts import columns
from bayesmlm.density.predictor_variance import predictor_variance
from bayesmlm.density.structure import structure

FORMULAS = {
    "y ~ x + (x | a)": True,
    "y ~ x + (1 | a/b)": True,
    "y ~ x + (x | a) + (x | a:b) + (1 | a:b:c)": True,
    "y ~ x + (1 | a) + (x || b)": False,
    "y ~ x + (x | a) + (x | b) + (1 | c)": False,
}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    codes = {name: rng.integers(0, size, 200) for name, size in zip("abc", (6, 15, 9), strict=True)}
    return pd.DataFrame(codes | {"x": rng.normal(size=200), "y": rng.normal(size=200)})


@pytest.mark.parametrize("formula", FORMULAS)
def test_it_is_the_diagonal_of_a_dense_inverse(formula, data):
    design = mlm.Model(formula, data).design
    kernel = structure(design.random, columns(design))
    assert kernel.is_nested == FORMULAS[formula]
    rng = np.random.default_rng(1)
    factors = [rng.normal(size=(len(b.effects), len(b.effects))) for b in design.random]
    weight = rng.uniform(0.1, 2, len(data))
    parts = []
    for block, F in zip(design.random, factors, strict=True):
        own = np.eye(block.grouping.size)[block.grouping.codes]
        parts.append((own[:, :, None] * (block.Z @ F)[:, None, :]).reshape(len(data), -1))
    E = np.hstack(parts)
    inverse = np.linalg.inv(np.eye(E.shape[1]) + E.T @ (weight[:, None] * E))
    expected = np.einsum("na,ab,nb->n", E, inverse, E)
    found = predictor_variance(design.random, kernel, factors, weight)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_rows_in_blocks_are_the_same(data, monkeypatch):
    for formula in FORMULAS:
        design = mlm.Model(formula, data).design
        kernel = structure(design.random, columns(design))
        factors = [np.eye(len(block.effects)) for block in design.random]
        arguments = (design.random, kernel, factors, np.ones(len(data)))
        whole = predictor_variance(*arguments)
        with monkeypatch.context() as patch:
            patch.setattr("bayesmlm.density.predictor_variance.ROWS", 7)
            np.testing.assert_allclose(predictor_variance(*arguments), whole, rtol=1e-12)


def test_a_variance_of_zero_leaves_none(data):
    design = mlm.Model("y ~ x + (1 | a)", data).design
    kernel = structure(design.random, columns(design))
    assert not predictor_variance(design.random, kernel, [np.zeros((1, 1))], np.ones(200)).any()


def test_without_groups_there_is_none(data):
    design = mlm.Model("y ~ x", data).design
    kernel = structure(design.random, columns(design))
    assert not predictor_variance((), kernel, [], np.ones(200)).any()
