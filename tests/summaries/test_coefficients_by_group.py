import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.summaries.coefficients_by_group import split


def design_of(formula):
    rng = np.random.default_rng(0)
    g = np.repeat(range(5), [6, 6, 6, 6, 1])
    frame = pd.DataFrame({"g": g, "w": rng.normal(size=5)[g], "x": rng.normal(size=25)})
    return mlm.Model(formula, frame.assign(z=rng.normal(size=25), y=rng.normal(size=25))).design


def test_group_level_predictors_belong_to_the_coefficients_they_explain():
    design = design_of("y ~ x*w + z + (x | g)")
    parts = split(design.X, design.block("g"))
    assert [design.coef[k] for k in parts.common] == ["z"]
    w = [design.X[design.block("g").grouping.codes == j, 2][0] for j in range(5)]
    beta = np.array([[10.0, 2.0, 3.0, 100.0, 0.5]])
    assert design.coef == ("Intercept", "x", "w", "z", "x:w")
    totals = parts.totals(beta)[..., 0]
    np.testing.assert_allclose(totals[:, 0], 10 + 3 * np.array(w))
    np.testing.assert_allclose(totals[:, 1], 2 + 0.5 * np.array(w))


def test_a_column_in_the_span_of_several_effects():
    """x = within(x, g) + between(x, g): a group of one row cannot tell."""
    design = design_of("y ~ x + (within(x, g) | g)")
    block = design.block("g")
    parts = split(design.X, block)
    assert parts.common == ()
    means = np.array([design.X[block.grouping.codes == j, 1].mean() for j in range(5)])
    found = parts.loadings[:, :, parts.own.index(1)]
    np.testing.assert_allclose(found[:4], np.column_stack([means, np.ones(5)])[:4])
    assert np.isnan(found[4]).all()


def test_no_fixed_columns():
    design = design_of("y ~ 0 + (1 | g)")
    parts = split(design.X, design.block("g"))
    assert parts.totals(np.empty((3, 0))).shape == (5, 1, 3)
    assert (parts.totals(np.empty((3, 0))) == 0).all()


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_units_do_not_matter(unit):
    design = design_of("y ~ x*w + z + (x | g)")
    X = design.X * [1, unit, 1, unit, unit]
    assert split(X, design.block("g")).common == (3,)


def test_a_group_without_variation_of_the_predictor():
    """Where x is 0 throughout, its own coefficient is known and that of x:w is not."""
    rng = np.random.default_rng(0)
    g = np.repeat(range(5), 6)
    x = np.where(g == 2, 0.0, rng.normal(size=30))
    frame = pd.DataFrame({"g": g, "w": rng.normal(size=5)[g], "x": x, "y": rng.normal(size=30)})
    design = mlm.Model("y ~ x*w + (x | g)", frame).design
    parts = split(design.X, design.block("g"))
    loadings = dict(zip([design.coef[k] for k in parts.own], parts.loadings[2].T, strict=True))
    np.testing.assert_array_equal(loadings["x"], [0, 1])
    np.testing.assert_array_equal(loadings["x:w"], [0, np.nan])
    np.testing.assert_array_equal(loadings["w"], [frame["w"][12], 0])
