"""Modes of groups against SciPy's, and groups that have none."""

import numpy as np
import pytest
from scipy.optimize import minimize

from bayesmlm.density.chunks import part, room
from bayesmlm.density.group_mode import CLOSE, find_modes
from bayesmlm.families.rows import BINOMIAL_LOGIT, POISSON_LOG

STARTS = np.array([0, 1, 4, 12])


def case(code, q, seed=1):
    rng = np.random.default_rng(seed)
    N = STARTS[-1]
    y = (rng.random(N) < 0.5).astype(float) if code == BINOMIAL_LOGIT else rng.poisson(2.0, N) * 1.0
    rows = (code, y, np.ones((1, 1)), np.ones(1))
    return rows, rng.normal(size=N), 2.0 * rng.normal(size=(q, N))


def found_modes(rows, base, T, start):
    v, q = start.copy(), len(T)
    found = room(STARTS, 32, q)
    others = np.empty((0, 1))
    find_modes(part(rows, 0, STARTS[-1]), base, T, others, STARTS, v, CLOSE, found)
    return v, found[0], found[1]


def log_joint(rows, base, T, g, v):
    code, y, _, _ = rows
    at = slice(STARTS[g], STARTS[g + 1])
    eta = base[at] + v @ T[:, at]
    cost = np.exp(eta) if code == POISSON_LOG else np.logaddexp(0, eta)
    return (y[at] * eta - cost).sum() - 0.5 * v @ v


@pytest.mark.parametrize("code", [BINOMIAL_LOGIT, POISSON_LOG])
@pytest.mark.parametrize("q", [1, 2])
@pytest.mark.parametrize("start", [0.0, 2.0])
def test_modes_and_curvatures_are_scipys(code, q, start):
    rows, base, T = case(code, q)
    v, M, log_M = found_modes(rows, base, T, np.full((3, q), start))
    for g in range(3):
        truth = minimize(
            lambda x, g=g: -log_joint(rows, base, T, g, x), np.zeros(q), options={"gtol": 1e-9}
        ).x
        np.testing.assert_allclose(v[g], truth, atol=1e-6)
        step = 1e-3 * np.eye(q)
        H = np.array(
            [
                [
                    sum(
                        a * b * log_joint(rows, base, T, g, truth + a * one + b * two)
                        for a in (1, -1)
                        for b in (1, -1)
                    )
                    / -4e-6
                    for one in step
                ]
                for two in step
            ]
        )
        np.testing.assert_allclose(M[g] @ M[g].T, np.linalg.inv(H), rtol=1e-4, atol=1e-6)
        assert log_M[g] == pytest.approx(-0.5 * np.linalg.slogdet(H)[1], abs=1e-4)


@pytest.mark.parametrize("q", [1, 2])
def test_a_group_without_a_mode_is_told_and_leaves_the_others_alone(q):
    rows, base, T = case(BINOMIAL_LOGIT, q)
    expected, _, _ = found_modes(rows, base, T, np.zeros((3, q)))
    base[1] = np.nan
    v, _, log_M = found_modes(rows, base, T, np.zeros((3, q)))
    assert np.isnan(log_M).tolist() == [False, True, False]
    np.testing.assert_allclose(v[[0, 2]], expected[[0, 2]], atol=1e-12)


@pytest.mark.parametrize("q", [1, 2])
def test_a_start_that_is_no_number_begins_at_the_origin(q):
    rows, base, T = case(POISSON_LOG, q)
    expected, _, _ = found_modes(rows, base, T, np.zeros((3, q)))
    v, _, log_M = found_modes(rows, base, T, np.full((3, q), np.nan))
    assert np.isfinite(log_M).all()
    np.testing.assert_allclose(v, expected, atol=1e-7)
