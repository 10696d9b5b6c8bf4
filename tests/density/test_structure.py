"""Which kernel suits the groupings, and its arrays."""

import numpy as np
import pytest

from bayesmlm.density import crossed_arrays, elimination
from bayesmlm.density.nested_arrays import nesting_order
from bayesmlm.density.structure import (
    CROSSED,
    NESTED,
    crossed_structure,
    nested_structure,
    structure,
)


def orders(marginal):
    return [marginal.design.random[k].name for k in marginal.structure.order]


def test_one_grouping_and_none_are_nested(frame, marginal_of):
    assert marginal_of("y ~ x", frame(1)).structure.kernel is NESTED
    one = marginal_of("y ~ x + (x | a)", frame(1)).structure
    assert (one.kernel, one.sizes, one.widths, one.n_effects) == (NESTED, (9,), (2,), 18)


@pytest.mark.parametrize(
    "formula", ["y ~ 1 + (1 | top) + (x | a) + (1 | b)", "y ~ 1 + (x | a) + (1 | b) + (1 | top)"]
)
def test_nested_groupings_go_from_the_innermost_out(formula, frame, marginal_of):
    marginal = marginal_of(formula, frame(1))
    assert orders(marginal) == ["a", "b", "top"]
    assert marginal.structure.sizes == (9, 5, 3)
    assert marginal.structure.widths == (2, 1, 1)
    assert marginal.structure.n_effects == 26


def test_nesting_in_fact_counts_whatever_the_spelling(frame, marginal_of):
    data = frame(1)
    data["inner"] = data["a"] % 2
    assert orders(marginal_of("y ~ 1 + (1 | b/inner)", data)) == ["b:inner", "b"]


def test_crossed_groupings_lead_with_most_effects(frame, marginal_of):
    marginal = marginal_of("y ~ 1 + (1 | c) + (1 | a)", frame(1))
    assert marginal.structure.kernel is CROSSED
    assert orders(marginal) == ["a", "c"]
    wide = marginal_of("y ~ 1 + (1 | a) + (x + w | c)", frame(1))
    assert orders(wide) == ["c", "a"]  # 12 effects against 9


def test_two_names_of_the_same_groups_nest(frame, marginal_of, psi_of, agrees):
    data = frame(1)
    data["again"] = "g" + data["a"].astype(str)
    marginal = marginal_of("y ~ 1 + (1 | a) + (0 + x | again)", data)
    assert nesting_order(marginal.design.random) is not None
    agrees(marginal, psi_of(marginal, 1))


@pytest.mark.parametrize("formula", ["y ~ x + (x | a) + (w | b)", "y ~ 1 + (1 | a) + (1 | top)"])
def test_both_kernels_agree_where_both_apply(formula, frame, marginal_of, psi_of):
    marginal = marginal_of(formula, frame(2))
    blocks, data = marginal.design.random, marginal.data
    order = nesting_order(blocks)
    one, two = nested_structure(blocks, data, order), crossed_structure(blocks, data, order)
    G, sigma = marginal.scales(psi_of(marginal, 2))
    matrix = marginal.prior.matrix
    np.testing.assert_allclose(
        one.evaluate(G, sigma, matrix),
        two.evaluate(G, sigma, matrix),
        rtol=1e-10,
    )
    for ours, theirs in zip(
        one.moments(G[0], sigma[0], matrix),
        two.moments(G[0], sigma[0], matrix),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-9)


def test_no_kernel_where_the_remainder_is_too_large(frame, marginal_of, monkeypatch):
    marginal = marginal_of("y ~ 1 + (1 | a) + (1 | c)", frame(1))
    assert structure(marginal.design.random, marginal.data) is not None
    with monkeypatch.context() as context:
        context.setattr(crossed_arrays, "PAIRS_LIMIT", 3)
        assert structure(marginal.design.random, marginal.data) is None
    monkeypatch.setattr(crossed_arrays, "DENSE_FROM_START", 0)
    monkeypatch.setattr(elimination, "DENSE_FROM_START", 0)
    monkeypatch.setattr(elimination, "DENSE_LIMIT", 0)
    assert structure(marginal.design.random, marginal.data) is not None
    monkeypatch.setattr(elimination, "FILL_LIMIT", 3)
    assert structure(marginal.design.random, marginal.data) is None


@pytest.mark.parametrize("formula", ["y ~ x", "y ~ x + (x | a)", "y ~ x + (x | a) + (1 | c)"])
def test_work_does_not_depend_on_rows(formula, frame, marginal_of):
    few = marginal_of(formula, frame(1, rows=400))
    many = marginal_of(formula, frame(1, rows=4000))
    assert few.structure.work >= 0
    assert few.structure.work == many.structure.work
