import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.summaries import rows
from bayesmlm.summaries.rows import (
    fixed_columns,
    full_rank,
    generalised_inverse,
    group_products,
    predictor_blocks,
    row_weights,
    scale_variance,
)


def model_of(formula, **options):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "g": np.repeat(["a", "b", "c", "d"], 6),
            "h": np.tile([1, 2, 3], 8),
            "x": rng.normal(size=24),
            "w": rng.uniform(1, 2, 24),
            "y": rng.normal(size=24),
            "n": rng.poisson(3, 24),
        }
    )
    return mlm.Model(formula, frame, **options)


@pytest.fixture
def result(make_result):
    model = model_of("y ~ x + offset(w) + (x | g) + (1 | h)")
    rng = np.random.default_rng(1)
    return make_result(
        model,
        beta=rng.normal(size=(2, 7, 2)),
        sd_g=np.ones((2, 7, 2)),
        corr_g=np.zeros((2, 7, 1)),
        u_g=rng.normal(size=(2, 7, 4, 2)),
        sd_h=np.ones((2, 7, 1)),
        u_h=rng.normal(size=(2, 7, 3, 1)),
        sigma=np.full((2, 7), 3.0),
    )


@pytest.mark.parametrize("chunk", [1, 100, 2**22])
def test_linear_predictor_row_by_row(result, chunk, monkeypatch):
    monkeypatch.setattr(rows, "CHUNK", chunk)
    design, posterior = result.design, result.posterior
    beta = posterior["beta"].to_numpy().reshape(14, 2)
    u = {name: posterior[f"u_{name}"].to_numpy().reshape(14, -1) for name in "gh"}
    expected = design.X @ beta.T + design.offset[:, None]
    for block in design.random:
        own = u[block.name].reshape(14, block.grouping.size, -1)
        expected += np.einsum("nq,snq->ns", block.Z, own[:, block.grouping.codes])
    found = np.full_like(expected, np.nan)
    for at, eta in predictor_blocks(result):
        found[at] = eta
    np.testing.assert_allclose(found, expected)


def test_without_groups(make_result):
    result = make_result(model_of("y ~ x"), beta=np.ones((1, 3, 2)), sigma=np.ones((1, 3)))
    ((at, eta),) = predictor_blocks(result)
    np.testing.assert_allclose(eta[at], (1 + result.design.X[:, 1:]) * np.ones(3))


def test_an_offset_is_a_column_with_coefficient_one(result):
    X, beta, names = fixed_columns(result)
    assert names == ("Intercept", "x", "offset")
    assert (beta[:, 2] == 1).all()
    np.testing.assert_array_equal(X[:, 2], result.design.offset)


def test_weights_of_the_rows():
    w = model_of("y ~ x").design.X[:, 0]
    assert (row_weights(model_of("y ~ x").design) == w).all()
    design = model_of("y | precision(w) ~ x").design
    np.testing.assert_allclose(row_weights(design), design.outcome.rows["precision"])
    design = model_of("y | se(w) + weights(n + 1) ~ x").design
    given = design.outcome.rows
    np.testing.assert_allclose(row_weights(design), given["weights"] / given["se"] ** 2)


def test_scale_variance(result, make_result):
    assert (scale_variance(result, "it") == 9).all()
    known = make_result(model_of("y | se(2) ~ 1 + (1 | g)"), beta=np.ones((1, 3, 1)))
    assert (scale_variance(known, "it") == np.ones(3)).all()
    counts = make_result(model_of("n ~ 1 + (1 | g)", family="poisson"), beta=np.ones((1, 3, 1)))
    with pytest.raises(StatisticError, match="that with the poisson family"):
        scale_variance(counts, "that")


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_rank_does_not_depend_on_units(unit):
    frame = pd.DataFrame({"g": [1, 1, 1, 2, 2, 2, 3], "y": [1.0, 2, 0, 3, 1, 4, 2]})
    frame["x"] = np.array([0, 1, 2, 5, 5, 5, 1]) * unit
    block = mlm.Model("y ~ 1 + (x | g)", frame).design.random[0]
    products = group_products(block, np.ones(7))
    assert full_rank(products).tolist() == [True, False, False]
    inverse = generalised_inverse(products)
    np.testing.assert_allclose(inverse[0], np.linalg.inv(products[0]), rtol=1e-8)
    for P, G in zip(products, inverse, strict=True):
        scale = np.sqrt(np.outer(np.diag(P), np.diag(P)))
        assert np.abs((P @ G @ P - P) / scale).max() < 1e-10
