"""Every family and link of the registries obeys the laws of its floor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
import scipy.stats
from pytensor.compile.mode import Mode

from bayesmlm.errors import DataError, FamilyError
from bayesmlm.families import FAMILIES, Family, family
from bayesmlm.families.link import LINKS, Link
from bayesmlm.families.rows import add_rows, code, curvatures

# Stabilised, as every mode but FAST_COMPILE is: PyMC's tails rest on these rewrites.
MODE = Mode(linker="py", optimizer="fast_run")

Rows = Mapping[str, np.ndarray]

ORACLE: dict[str, Callable[[np.ndarray, Rows, float], Any]] = {
    "gaussian": lambda mu, rows, sigma: scipy.stats.norm(
        mu, rows.get("se", sigma / np.sqrt(rows.get("precision", 1.0)))
    ),
    "bernoulli": lambda mu, rows, sigma: scipy.stats.bernoulli(mu),
    "binomial": lambda mu, rows, sigma: scipy.stats.binom(rows["trials"], mu),
    "poisson": lambda mu, rows, sigma: scipy.stats.poisson(mu),
}
"""SciPy's distribution of y given its mean (of a proportion where there are trials)."""

CASES = [(name, link) for name, kind in FAMILIES.items() for link in kind.links]
each = pytest.mark.parametrize(("name", "link"), CASES, ids=["-".join(case) for case in CASES])
each_link = pytest.mark.parametrize("link", LINKS.values(), ids=LINKS)

N = 60
SIGMA = 1.7


def variants(f: Family) -> list[dict[str, np.ndarray]]:
    """Return additions that the family takes, in each combination that changes its density."""
    rng = np.random.default_rng(4)
    if f.name == "binomial":
        return [{"trials": rng.integers(1, 12, N).astype(float)}]
    if f.name == "gaussian":
        return [{}, {"se": rng.uniform(0.3, 2, N)}, {"precision": rng.uniform(0.3, 4, N)}]
    return [{}]


def simulate(f: Family, rows: Rows, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Return linear predictors, and responses given them."""
    rng = np.random.default_rng(seed)
    eta = rng.normal(0, 1.2, N)
    y = ORACLE[f.name](f.link.inverse(eta), rows, SIGMA).rvs(N, random_state=rng)
    return eta, np.asarray(y, dtype=float)


def graph_density(f: Family, y: np.ndarray, rows: Rows) -> Callable[[np.ndarray], Any]:
    """Return eta -> log density per row, and its derivative, of the graph."""
    with pm.Model(coords={"obs": range(len(y))}) as model:
        eta = pm.Flat("eta", dims="obs")
        own = {
            key: pm.Data(key, value.astype(int) if key == "trials" else value)
            for key, value in rows.items()
        }
        observed = y if f.has_scale else y.astype(int)
        f.observe("y", eta, own, observed, None if "se" in rows else SIGMA, "obs")
    density = model.logp(vars=[model["y"]], sum=False, jacobian=False)[0]
    value = model.value_vars[0]
    return pytensor.function([value], [density, pt.grad(density.sum(), value)], mode=MODE)


def log_lik(f: Family, y: np.ndarray, eta: np.ndarray, rows: Rows) -> np.ndarray:
    return f.log_density(y, eta, rows, None if "se" in rows else SIGMA)


def test_every_family_has_an_oracle() -> None:
    assert set(ORACLE) == set(FAMILIES)
    assert {link for _, link in CASES} == set(LINKS)


@each
def test_registry(name: str, link: str) -> None:
    f = family(name, link)
    assert (f.name, f.link) == (name, LINKS[link])
    assert f == family(name, link)
    assert family(name) == family(name, FAMILIES[name].links[0])
    assert "weights" in f.additions
    assert set(f.needs) <= set(f.additions)
    assert f.support


@each
def test_log_density_is_scipys(name: str, link: str) -> None:
    f = family(name, link)
    for rows in variants(f):
        eta, y = simulate(f, rows)
        truth = ORACLE[name](f.link.inverse(eta), rows, SIGMA)
        expected = truth.logpdf(y) if f.has_scale else truth.logpmf(y)
        got = log_lik(f, y, eta, rows)
        assert got.shape == (N,)
        np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


@each
def test_log_density_and_gradient_are_those_of_the_graph(name: str, link: str) -> None:
    f = family(name, link)
    for rows in variants(f):
        eta, y = simulate(f, rows)
        density, gradient = graph_density(f, y, rows)(eta)
        np.testing.assert_allclose(density, log_lik(f, y, eta, rows), rtol=1e-10, atol=1e-12)
        step = 1e-5
        numerical = (log_lik(f, y, eta + step, rows) - log_lik(f, y, eta - step, rows)) / (2 * step)
        np.testing.assert_allclose(gradient, numerical, rtol=1e-6, atol=1e-7)


@each
def test_variance_is_scipys(name: str, link: str) -> None:
    f = family(name, link)
    for rows in variants(f):
        eta, _ = simulate(f, rows)
        mu = f.link.inverse(eta)
        expected = np.broadcast_to(ORACLE[name](mu, rows, SIGMA).var(), (N,))
        expected = expected / rows["trials"] ** 2 if "trials" in rows else expected
        got = f.variance(mu, rows, None if "se" in rows else SIGMA)
        np.testing.assert_allclose(got, expected, rtol=1e-10)
        assert got.shape == (N,)


@each
def test_far_tails_are_finite_and_exact(name: str, link: str) -> None:
    f = family(name, link)
    top = 20.0 if name == "poisson" else 40.0
    eta = np.array([-40.0, -37.9, -20.0, -9.0, -5.0, 0.0, 5.0, 9.0, min(top, 37.9), top])
    rows = {"trials": np.full(len(eta), 4.0)} if name == "binomial" else {}
    for value in (0.0, 1.0, 4.0):
        y = np.full(len(eta), value)
        if not f.supports(y, rows).all():
            continue
        expected = log_lik(f, y, eta, rows)
        assert np.isfinite(expected).all()
        density, gradient = graph_density(f, y, rows)(eta)
        np.testing.assert_allclose(density, expected, rtol=1e-9, atol=1e-14)
        step = 1e-4
        ahead, behind = log_lik(f, y, eta + step, rows), log_lik(f, y, eta - step, rows)
        np.testing.assert_allclose(gradient, (ahead - behind) / (2 * step), rtol=1e-5, atol=1e-8)


def inverse_mills(t: float) -> float:
    """Return phi(t) / Phi(-t) by its continued fraction t + 1/(t + 2/(t + 3/(t + …)))."""
    value = t
    for k in range(400, 0, -1):
        value = t + k / value
    return value


@pytest.mark.parametrize("name", ["bernoulli", "binomial"])
def test_probit_tails_against_the_continued_fraction(name: str) -> None:
    t = np.array([5.0, 10.0, 20.0, 40.0])
    mills = np.array([inverse_mills(float(v)) for v in t])
    log_cdf = -(t**2) / 2 - 0.5 * np.log(2 * np.pi) - np.log(mills)
    f, rows = family(name, "probit"), {"trials": np.ones(4)} if name == "binomial" else {}
    zero, one = np.zeros(4), np.ones(4)
    for y, eta in ((one, -t), (zero, t)):
        np.testing.assert_allclose(f.log_density(y, eta, rows), log_cdf, rtol=1e-13)
        density, gradient = graph_density(f, y, rows)(eta)
        np.testing.assert_allclose(density, log_cdf, rtol=1e-10)
        np.testing.assert_allclose(np.abs(gradient), mills, rtol=1e-9)


OUTSIDE = {
    "gaussian": [np.inf, np.nan],
    "bernoulli": [-1, 0.5, 2, np.nan],
    "binomial": [-1, 0.5, 4, np.nan, np.inf],
    "poisson": [-1, 0.5, np.nan, np.inf],
}
INSIDE = {
    "gaussian": [-1e9, 0, 0.5],
    "bernoulli": [0, 1],
    "binomial": [0, 1, 3],
    "poisson": [0, 1, 1e6],
}


@pytest.mark.parametrize("name", FAMILIES)
def test_support(name: str) -> None:
    f = family(name)
    inside, outside = np.array(INSIDE[name], dtype=float), np.array(OUTSIDE[name], dtype=float)
    assert f.supports(inside, {"trials": np.full(len(inside), 3.0)}).all()
    assert not f.supports(outside, {"trials": np.full(len(outside), 3.0)}).any()
    f.check("y", inside, {"trials": np.full(len(inside), 3.0)})
    y = np.concatenate([inside, outside[:1]])
    with pytest.raises(DataError, match=f"1 of {len(y)} rows outside the support"):
        f.check("y", y, {"trials": np.full(len(y), 3.0)})


@each
def test_residual_scale_and_latent_variance(name: str, link: str) -> None:
    f = family(name, link)
    assert f.estimates_scale({}) == f.has_scale
    assert not f.estimates_scale({"se": np.ones(3)})
    latent = {
        "logit": scipy.stats.logistic.var(),
        "probit": scipy.stats.norm.var(),
    }.get(link)
    assert f.latent_variance() == (latent if latent is None else pytest.approx(latent))


@each_link
def test_link_and_inverse(link: Link) -> None:
    eta = np.linspace(-6, 4, 41)
    np.testing.assert_allclose(link.link(link.inverse(eta)), eta, rtol=1e-9, atol=1e-10)
    mu = link.inverse(eta)
    assert (np.diff(mu) > 0).all()


@each_link
def test_inverse_slope_is_the_derivative(link: Link) -> None:
    eta, step = np.linspace(-6, 6, 49), 1e-5
    numerical = (link.inverse(eta + step) - link.inverse(eta - step)) / (2 * step)
    np.testing.assert_allclose(link.inverse_slope(eta), numerical, rtol=1e-5, atol=1e-10)


@pytest.mark.parametrize("name", ["logit", "probit"])
def test_inverse_slope_is_symmetric_in_the_tails(name: str) -> None:
    slope, tail = LINKS[name].inverse_slope, np.array([9.0, 20.0, 35.0])
    np.testing.assert_allclose(slope(tail), slope(-tail), rtol=1e-12)
    assert (slope(tail) > 0).all()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("gausian",), "did you mean 'gaussian'"),
        (("",), "unknown family"),
        (("gaussian", "log"), "no link 'log'"),
        (("poisson", "logit"), "no link 'logit'"),
    ],
)
def test_unknown_families_and_links(args: tuple[str, ...], words: str) -> None:
    with pytest.raises(FamilyError, match=words):
        family(*args)


def compiled(f: Family, y: np.ndarray, rows: Rows, weights: np.ndarray) -> Callable[..., Any]:
    """Return eta -> (total, first, second, third) and eta -> (total, slope) of the kernels."""
    which = code(f)
    assert which is not None
    others = np.full((1 if f.estimates_scale(rows) else 0, 1), np.log(SIGMA))
    given = others, f.known(rows), weights

    def evaluate(eta: np.ndarray) -> tuple[Any, ...]:
        found = np.empty((3, len(y)))
        total = curvatures(which, y, eta, *given, *found)
        slope = np.empty(len(y))
        assert total == pytest.approx(
            add_rows(which, y, eta, *given, slope, np.zeros_like(others)), rel=1e-12, abs=1e-12
        )
        np.testing.assert_allclose(found[0], slope, rtol=1e-12, atol=1e-300)
        return total, *found

    return evaluate


@each
def test_curvatures_are_derivatives(name: str, link: str) -> None:
    f, rng = family(name, link), np.random.default_rng(8)
    for rows in variants(f):
        for weights in (np.ones(1), rng.uniform(0.5, 3, N)):
            eta, y = simulate(f, rows)
            evaluate, step = compiled(f, y, rows, weights), 1e-4
            total, first, second, third = evaluate(eta)
            apart = (weights * (log_lik(f, y, eta, rows) - log_lik(f, y, 0 * eta, rows))).sum()
            assert total - evaluate(0 * eta)[0] == pytest.approx(apart, rel=1e-10)
            ahead, behind = evaluate(eta + step), evaluate(eta - step)
            for order, got in ((0, None), (1, second), (2, third)):
                if got is not None:
                    numerical = (ahead[order] - behind[order]) / (2 * step)
                    np.testing.assert_allclose(got, numerical, rtol=1e-6, atol=1e-7)
            assert first.shape == (N,)


@each
def test_curvatures_in_the_tails(name: str, link: str) -> None:
    """Against the derivative of the order below by differences relative to its own size."""
    f = family(name, link)
    eta = np.array([-300.0, -40.0, -20.0, -9.0, -5.001, -4.999, 5.0, 9.0, 12.0])
    rows = {"trials": np.full(len(eta), 4.0)} if name == "binomial" else {}
    for value in (0.0, 1.0, 4.0):
        y = np.full(len(eta), value)
        if not f.supports(y, rows).all():
            continue
        evaluate, step = compiled(f, y, rows, np.ones(1)), 1e-3
        _, first, second, third = evaluate(eta)
        assert np.isfinite(first).all() and np.isfinite(second).all() and np.isfinite(third).all()
        ahead, behind = evaluate(eta + step), evaluate(eta - step)
        for order, got in ((1, second), (2, third)):
            numerical = (ahead[order] - behind[order]) / (2 * step)
            noise = 1e-15 * np.abs(ahead[order]).max() / step
            np.testing.assert_allclose(got, numerical, rtol=1e-5, atol=noise + 1e-12)
        if not f.has_scale:
            assert (second <= 0).all()
