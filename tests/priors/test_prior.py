"""Every prior: one density in NumPy and in PyMC, quantiles that match it, checked parameters."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import numpy as np
import pymc as pm
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytensor.compile.mode import Mode
from scipy.integrate import quad
from scipy.special import logit

from bayesmlm.errors import PriorError
from bayesmlm.priors import PRIORS, HalfStudentT, Normal, Prior, pymc_vector

MODE = Mode(linker="py", optimizer="fast_compile")

kinds = pytest.mark.parametrize("kind", PRIORS.values(), ids=PRIORS)


def drawn(kind: type[Prior], rng: np.random.Generator) -> Prior:
    """Return a prior with random parameters, locations of either sign."""
    return kind(
        **{
            field.name: rng.uniform(0.6, 4.0) if field.name in kind.scales else rng.normal(0, 2)
            for field in fields(kind)
        }
    )


def points(prior: Prior, rng: np.random.Generator, size: int) -> np.ndarray:
    """Return points over the bulk and the tails of a prior."""
    return np.array([prior.quantile(p) for p in rng.uniform(1e-4, 1 - 1e-4, size)])


@kinds
def test_log_density_is_that_of_pymc(kind: type[Prior]) -> None:
    rng = np.random.default_rng(1)
    priors = tuple(drawn(kind, rng) for _ in range(6))
    with pm.Model(coords={"k": range(6)}) as model:
        pymc_vector("v", priors, dims="k")
    logp = model.compile_fn(model.logp(sum=False, jacobian=False)[0], mode=MODE, point_fn=False)
    for _ in range(10):
        x = np.array([points(prior, rng, 1)[0] for prior in priors])
        got = logp(np.log(x) if kind.positive else logit(x) if kind.unit else x)
        expected = [float(prior.log_density(v)) for prior, v in zip(priors, x, strict=True)]
        # PyMC rounds the log(2) of its folded distributions to single precision.
        np.testing.assert_allclose(got, expected, rtol=1e-10, atol=2.5e-9)


@kinds
def test_bounded_priors_are_sampled_on_the_whole_line(kind: type[Prior]) -> None:
    with pm.Model() as model:
        kind().pymc("v")
    suffix = "_log__" if kind.positive else "_logodds__" if kind.unit else ""
    assert [v.name for v in model.value_vars] == [f"v{suffix}"]
    assert model["v"].ndim == 0


def test_a_vector_of_one_keeps_its_dimension() -> None:
    with pm.Model(coords={"k": ["a"]}) as model:
        pymc_vector("v", (Normal(1, 2),), dims="k")
    assert model.initial_point()["v"].shape == (1,)


@kinds
def test_quantiles_match_the_mass(kind: type[Prior]) -> None:
    prior = drawn(kind, np.random.default_rng(2))
    at = [0.02, 0.25, 0.5, 0.8, 0.95, 0.99]
    x = [prior.quantile(p) for p in at]

    def density(v: float) -> float:
        return float(np.exp(prior.log_density(np.array(v))))

    for (p, low), (q, high) in zip(
        zip(at, x, strict=True), list(zip(at, x, strict=True))[1:], strict=False
    ):
        assert quad(density, low, high, epsabs=1e-12)[0] == pytest.approx(q - p, rel=1e-7)
    if kind.positive:
        assert quad(density, 0, x[0], epsabs=1e-12)[0] == pytest.approx(at[0], rel=1e-6)
    assert prior.interval(0.9) == pytest.approx((prior.quantile(0.05), prior.quantile(0.95)))


@kinds
def test_density_is_zero_outside_the_support(kind: type[Prior]) -> None:
    below = kind().log_density(np.array([-3.0, -1e-9]))
    assert below.shape == (2,)
    bounded = kind.positive or kind.unit
    assert np.isneginf(below).all() if bounded else np.isfinite(below).all()


@kinds
@pytest.mark.parametrize("bad", [np.nan, np.inf, "1", None, True, [1.0]], ids=str)
def test_every_parameter_must_be_a_finite_number(kind: type[Prior], bad: object) -> None:
    for field in fields(kind):
        with pytest.raises(PriorError, match=rf"{kind.__name__}\({field.name}="):
            kind(**{field.name: bad})


@kinds
@pytest.mark.parametrize("bad", [0, -1.5])
def test_every_scale_must_be_positive(kind: type[Prior], bad: float) -> None:
    assert kind.scales
    for name in kind.scales:
        with pytest.raises(PriorError, match="positive"):
            kind(**{name: bad})


@kinds
def test_is_a_frozen_value(kind: type[Prior]) -> None:
    prior = drawn(kind, np.random.default_rng(3))
    assert prior == kind(**prior.parameters())
    assert hash(prior) == hash(kind(**prior.parameters()))
    assert prior.parameters() == {f.name: getattr(prior, f.name) for f in fields(kind)}
    with pytest.raises(FrozenInstanceError):
        setattr(prior, fields(kind)[0].name, 2.0)


@pytest.mark.parametrize(
    ("prior", "text"),
    [
        (Normal(0, 2.5), "Normal(0, 2.5)"),
        (Normal(-1234.56, 1e-7), "Normal(-1235, 1e-07)"),
        (HalfStudentT(3, 17.1234), "HalfStudentT(3, 17.12)"),
    ],
)
def test_str(prior: Prior, text: str) -> None:
    assert str(prior) == text


def test_numpy_numbers_are_numbers() -> None:
    assert Normal(np.float32(0), np.int64(2)).parameters() == {"mu": 0.0, "sigma": 2.0}


@given(
    st.floats(0.5, 50), st.floats(1e-3, 1e3), st.floats(0.001, 0.999), st.sampled_from([1.0, -1.0])
)
def test_a_folded_distribution_is_the_absolute_value(
    nu: float, sigma: float, p: float, sign: float
) -> None:
    from scipy.stats import t

    q = HalfStudentT(nu, sigma).quantile(p)
    symmetric = t(nu, 0, sigma)
    assert symmetric.cdf(q) - symmetric.cdf(-q) == pytest.approx(p, rel=1e-8)
    assert HalfStudentT(nu, sigma).log_density(np.array(q)) == pytest.approx(
        np.log(2) + symmetric.logpdf(sign * q)
    )
