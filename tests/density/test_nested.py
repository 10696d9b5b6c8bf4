"""One grouping, and groupings that nest: the kernel against dense algebra."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesmlm.density.blocks import factor_rows
from bayesmlm.density.nested import evaluate_families

FORMULAS = (
    "y ~ x",
    "y ~ 0 + x + w",
    "y ~ x + (1 | a)",
    "y ~ 0 + (1 | a)",
    "y ~ x + w + (x | a)",
    "y ~ 0 + (x | a)",
    "y ~ x + (x + w | a)",
    "y ~ x + (x || a)",
    "y ~ x + (x || a) + (w | b)",
    "y ~ 1 + (0 + x | a) + (1 | b)",
    "y ~ x + (x | a) + (x | b)",
    "y ~ w + (1 | top/b/a)",
    "y ~ x + (1 | a) + (x | b) + (w || top)",
    "y ~ x + (w + x | a) + (1 | b) + (0 + x | top)",
)


@pytest.mark.parametrize("formula", FORMULAS)
def test_every_structure_agrees_with_dense_algebra(formula, frame, marginal_of, psi_of, agrees):
    marginal = marginal_of(formula, frame(5))
    assert marginal.structure.is_nested
    agrees(marginal, psi_of(marginal, 5))


@given(
    formula=st.sampled_from(FORMULAS),
    seed=st.integers(0, 2**32 - 1),
    groups=st.integers(5, 12),
    more=st.integers(6, 30),
)
@settings(max_examples=60)
def test_random_designs(formula, seed, groups, more, frame, marginal_of, psi_of, agrees):
    marginal = marginal_of(formula, frame(seed, groups + more, groups))
    assert marginal.structure.is_nested
    agrees(marginal, psi_of(marginal, seed))


def test_groups_of_one_row(frame, marginal_of, psi_of, agrees):
    data = frame(2, rows=14, groups=12)
    assert (data["a"].value_counts() == 1).sum() >= 10
    marginal = marginal_of("y ~ 1 + (x | a)", data)
    agrees(marginal, psi_of(marginal, 2))


def test_a_batch_is_its_rows(frame, marginal_of, psi_of):
    marginal = marginal_of("y ~ x + (x | a) + (1 | b)", frame(3))
    psi = psi_of(marginal, 3, 50)
    one_by_one = [marginal.log_likelihood(one[None])[0] for one in psi]
    assert np.array_equal(marginal.log_likelihood(psi), one_by_one)


def test_variances_from_zero_to_huge(frame, marginal_of):
    """At zero the groups are gone; the density is finite and smooth on the way."""
    marginal = marginal_of("y ~ x + (x | a)", frame(4))
    psi = np.zeros((5, 4))
    psi[:, :2] = np.array([-400, -40, 0, 20, 200])[:, None]
    found = marginal.log_likelihood(psi)
    assert np.isfinite(found[:4]).all()
    without = marginal_of("y ~ x", frame(4))
    assert found[0] == pytest.approx(without.log_likelihood(np.zeros((1, 1)))[0], rel=1e-12)
    assert found[1] == pytest.approx(found[0], rel=1e-12)
    assert not np.isnan(marginal.log_density(psi)).any()


def test_a_matrix_that_is_not_positive_definite_gives_nan():
    assert np.isnan(factor_rows(np.array([1.0, 2.0, 2.0, 1.0]), 0, 2, 2))


def test_the_kernel_is_cached_on_disk():
    assert evaluate_families.stats.cache_path is not None
