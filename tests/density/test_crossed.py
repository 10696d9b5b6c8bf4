"""Groupings that cross: the kernel against dense algebra."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesmlm.density.structure import crossed_structure

FORMULAS = (
    "y ~ x + (1 | a) + (1 | c)",
    "y ~ 0 + (1 | a) + (1 | c)",
    "y ~ x + (x | a) + (1 | c)",
    "y ~ x + (1 | a) + (x | c)",
    "y ~ w + (x || a) + (x + w | c)",
    "y ~ x + (x + w | a) + (0 + w | c)",
    "y ~ 0 + (x | a) + (w | c) + (1 | b)",
    "y ~ x + (1 | a) + (x | b) + (w || c) + (1 | top)",
)


@pytest.mark.parametrize("formula", FORMULAS)
def test_every_structure_agrees_with_dense_algebra(formula, frame, marginal_of, psi_of, agrees):
    marginal = marginal_of(formula, frame(5))
    assert not marginal.structure.is_nested
    agrees(marginal, psi_of(marginal, 5))


@given(
    formula=st.sampled_from(FORMULAS),
    seed=st.integers(0, 2**32 - 1),
    groups=st.integers(5, 12),
    more=st.integers(8, 30),
)
@settings(max_examples=60)
def test_random_designs(formula, seed, groups, more, frame, marginal_of, psi_of, agrees):
    marginal = marginal_of(formula, frame(seed, groups + more, groups))
    agrees(marginal, psi_of(marginal, seed))


def with_sparse_columns(marginal, number):
    """Return the density with so many sparse columns, of as many as there are."""
    order = marginal.structure.order
    sizes, widths = marginal.structure.sizes[1:], marginal.structure.widths[1:]
    n = sum(J * q for J, q in zip(sizes, widths, strict=True))
    blocks, data = marginal.design.random, marginal.data
    sparse = crossed_structure(blocks, data, order, min(number, n))
    assert sparse.arguments[2].n_sparse == min(number, n)
    return replace(marginal, structure=sparse)


@pytest.mark.parametrize("number", [1, 3, 1000])
@pytest.mark.parametrize("formula", FORMULAS)
def test_sparse_columns_agree_with_dense_algebra(
    formula, number, frame, marginal_of, psi_of, agrees
):
    marginal = with_sparse_columns(marginal_of(formula, frame(6)), number)
    agrees(marginal, psi_of(marginal, 6))


@given(
    formula=st.sampled_from(FORMULAS),
    seed=st.integers(0, 2**32 - 1),
    groups=st.integers(5, 12),
    more=st.integers(8, 30),
    number=st.integers(0, 20),
)
@settings(max_examples=60)
def test_random_designs_with_sparse_columns(
    formula, seed, groups, more, number, frame, marginal_of, psi_of, agrees
):
    marginal = with_sparse_columns(marginal_of(formula, frame(seed, groups + more, groups)), number)
    agrees(marginal, psi_of(marginal, seed))


def test_a_batch_is_its_rows(frame, marginal_of, psi_of):
    marginal = marginal_of("y ~ x + (x | a) + (1 | c)", frame(3))
    psi = psi_of(marginal, 3, 50)
    one_by_one = [marginal.log_likelihood(one[None])[0] for one in psi]
    np.testing.assert_allclose(marginal.log_likelihood(psi), one_by_one, rtol=1e-13)


def test_variances_of_zero(frame, marginal_of):
    """Without variance in the crossed grouping its effects are gone."""
    both = marginal_of("y ~ x + (1 | a) + (1 | c)", frame(4))
    one = marginal_of("y ~ x + (1 | a)", frame(4))
    psi = np.array([[0.3, -400.0, 0.1]])
    expected = one.log_likelihood(np.array([[0.3, 0.1]]))
    np.testing.assert_allclose(both.log_likelihood(psi), expected, rtol=1e-12)
