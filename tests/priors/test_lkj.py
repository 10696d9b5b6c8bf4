"""The LKJ prior: normalised, and the same density by its partial correlations."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytensor.compile.mode import Mode
from scipy.integrate import quad
from scipy.stats import beta

from bayesmlm.errors import PriorError
from bayesmlm.priors import LKJ, cholesky_factor

MODE = Mode(linker="py", optimizer="fast_compile")


def correlations(partial: np.ndarray, q: int) -> np.ndarray:
    """Return the correlations below the diagonal, row by row; complex in, complex out."""
    rows = cholesky_factor(partial, q, np.sqrt)
    return np.array(
        [sum(rows[i][m] * rows[j][m] for m in range(i + 1)) for j in range(q) for i in range(j)]
    )


def matrix(partial: np.ndarray, q: int) -> np.ndarray:
    """Return the correlation matrix of partial correlations."""
    factor = np.zeros((q, q))
    for j, row in enumerate(cholesky_factor(partial, q, np.sqrt)):
        factor[j, : j + 1] = row
    return factor @ factor.T


def log_jacobian(partial: np.ndarray, q: int) -> float:
    """Return log |d correlations / d partials|, by complex steps (exact to rounding)."""
    steps = [1e-30j * row for row in np.eye(len(partial))]
    columns = [correlations(partial + step, q).imag / 1e-30 for step in steps]
    return float(np.linalg.slogdet(np.array(columns).T)[1])


partials = st.integers(2, 5).flatmap(
    lambda q: st.lists(
        st.floats(-0.95, 0.95), min_size=q * (q - 1) // 2, max_size=q * (q - 1) // 2
    ).map(lambda values: (q, np.array(values)))
)


@given(partials)
def test_cholesky_factor_gives_correlation_matrices(case: tuple[int, np.ndarray]) -> None:
    q, partial = case
    R = matrix(partial, q)
    np.testing.assert_allclose(np.diag(R), 1, atol=1e-12)
    assert np.linalg.eigvalsh(R).min() > 0
    assert R[1, 0] == pytest.approx(partial[0])
    np.testing.assert_allclose(R[np.tril_indices(q, -1)], correlations(partial, q), atol=1e-12)


@given(partials, st.floats(0.6, 8))
def test_partials_have_the_density_of_the_matrix(case: tuple[int, np.ndarray], eta: float) -> None:
    q, partial = case
    lkj = LKJ(eta)
    shapes = lkj.shapes(q)
    log_partials = beta(shapes, shapes, loc=-1, scale=2).logpdf(partial).sum()
    expected = log_partials - log_jacobian(partial, q)
    assert lkj.log_density(matrix(partial, q)) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("eta", [0.7, 1.0, 2.0, 5.5])
def test_density_of_two_effects_integrates_to_one(eta: float) -> None:
    def density(r: float) -> float:
        return float(np.exp(LKJ(eta).log_density(np.array([[1, r], [r, 1]]))))

    # The substitution r = sin(a) takes the poles that eta < 1 has at the ends.
    total = quad(lambda a: density(np.sin(a)) * np.cos(a), -np.pi / 2, np.pi / 2)[0]
    assert total == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("eta", [1.0, 2.0, 3.0])
def test_density_of_three_effects_integrates_to_one(eta: float) -> None:
    nodes, weights = np.polynomial.legendre.leggauss(12)
    angle = nodes * np.pi / 2
    total = 0.0
    for a, wa in zip(angle, weights, strict=True):
        for b, wb in zip(angle, weights, strict=True):
            centre, width = np.sin(a) * np.sin(b), np.cos(a) * np.cos(b)
            measure = wa * wb * np.cos(a) * np.cos(b) * (np.pi / 2) ** 2 * width
            for c, wc in zip(nodes, weights, strict=True):
                s = centre + width * c
                R = np.array([[1, np.sin(a), np.sin(b)], [np.sin(a), 1, s], [np.sin(b), s, 1]])
                total += measure * wc * np.exp(LKJ(eta).log_density(R))
    assert total == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("q", [2, 3, 4])
def test_pymc_density_of_the_partials(q: int) -> None:
    lkj = LKJ(2.5)
    with pm.Model() as model:
        lkj.pymc("half", q)
    logp = model.compile_logp(mode=MODE, jacobian=False)
    partial = np.random.default_rng(q).uniform(-0.9, 0.9, q * (q - 1) // 2)
    half = (partial + 1) / 2
    got = logp({"half_logodds__": np.log(half / (1 - half))})
    expected = lkj.log_density(matrix(partial, q)) + log_jacobian(partial, q)
    assert got == pytest.approx(expected + len(half) * np.log(2), rel=1e-10)


@pytest.mark.parametrize("q", [2, 3, 4])
@pytest.mark.parametrize("eta", [1.0, 2.0])
def test_interval_is_that_of_every_correlation(q: int, eta: float) -> None:
    rng = np.random.default_rng(5)
    shapes = LKJ(eta).shapes(q)
    draws = 40_000
    simulated = correlations((2 * rng.beta(shapes, shapes, size=(draws, len(shapes))) - 1).T, q)
    inside = (np.abs(simulated) < LKJ(eta).interval(q, 0.9)).mean(axis=1)
    # Six correlations at most, six cases: 4.5 standard errors is a Bonferroni bound of 1e-4.
    np.testing.assert_allclose(inside, 0.9, atol=4.5 * np.sqrt(0.9 * 0.1 / draws))


@pytest.mark.parametrize("bad", [0, -1, np.inf, np.nan, "2", None, True])
def test_eta_must_be_positive(bad: object) -> None:
    with pytest.raises(PriorError, match="LKJ"):
        LKJ(bad)


def test_is_a_value() -> None:
    assert LKJ() == LKJ(2.0) == LKJ(np.int64(2))
    assert str(LKJ(1.5)) == "LKJ(1.5)"
