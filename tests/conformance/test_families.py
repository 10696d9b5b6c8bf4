"""Every family and link of the registries obeys the laws of its floor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
import scipy.stats
from oracles import CASES, OTHERS, N, Rows, drawn, log_density, predictors, variants
from pytensor.compile.mode import Mode

from bayesmlm.errors import DataError, FamilyError
from bayesmlm.families import FAMILIES, Family, family
from bayesmlm.families.link import LINKS, Link
from bayesmlm.spec.terms import CANONICAL_LINKS, ORDERED_FAMILIES

# Stabilised, as every mode but FAST_COMPILE is: PyMC's tails rest on these rewrites.
MODE = Mode(linker="py", optimizer="fast_run")

each = pytest.mark.parametrize(("name", "link"), CASES, ids=["-".join(case) for case in CASES])
each_link = pytest.mark.parametrize("link", LINKS.values(), ids=LINKS)


def given(f: Family, rows: Rows) -> dict[str, Any]:
    """Return the further parameters that are estimated."""
    return {p.name: OTHERS[f.name][p.name] for p in f.parameters(rows)}


def graph_density(f: Family, y: np.ndarray, rows: Rows) -> Callable[[np.ndarray], Any]:
    """Return eta -> log density per row, and its derivative, of the graph."""
    with pm.Model(coords={"obs": range(len(y))}) as model:
        eta = pm.Flat("eta", dims="obs")
        own = {
            key: pm.Data(key, value.astype(int) if key == "trials" else value)
            for key, value in rows.items()
        }
        observed = y.astype(int) if f.counts else y
        others = {key: pt.as_tensor(np.asarray(v, float)) for key, v in given(f, rows).items()}
        f.observe("y", eta, others, own, observed, "obs")
    density = model.logp(vars=[model["y"]], sum=False, jacobian=False)[0]
    value = model.value_vars[0]
    return pytensor.function([value], [density, pt.grad(density.sum(), value)], mode=MODE)


def log_lik(f: Family, y: np.ndarray, eta: np.ndarray, rows: Rows) -> np.ndarray:
    return f.log_density(y, eta, given(f, rows), rows)


def test_every_family_and_link_is_tried() -> None:
    assert set(OTHERS) == set(FAMILIES)
    assert {link for _, link in CASES} == set(LINKS)


def test_a_spec_knows_what_families_it_writes_equations_of() -> None:
    assert {name: family(name).link.name for name in FAMILIES} == CANONICAL_LINKS
    assert {name for name in FAMILIES if family(name).ordered} == set(ORDERED_FAMILIES)


@each
def test_registry(name: str, link: str) -> None:
    f = family(name, link)
    assert (f.name, f.link) == (name, LINKS[link])
    assert f == family(name, link)
    assert family(name) == family(name, FAMILIES[name].links[0])
    assert "weights" in f.additions
    assert set(f.needs) <= set(f.additions)
    assert f.support
    assert {p.name for p in f.further} == set(OTHERS[name])


@each
def test_log_density_is_scipys(name: str, link: str) -> None:
    f = family(name, link)
    for rows in variants(f):
        eta, y = drawn(f, rows)
        expected = log_density(f, y, eta, OTHERS[name], rows)
        got = log_lik(f, y, eta, rows)
        assert got.shape == (N,)
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-11)


@each
def test_log_density_and_gradient_are_those_of_the_graph(name: str, link: str) -> None:
    f = family(name, link)
    for rows in variants(f):
        eta, y = drawn(f, rows)
        density, gradient = graph_density(f, y, rows)(eta)
        np.testing.assert_allclose(density, log_lik(f, y, eta, rows), rtol=1e-10, atol=1e-12)
        step = 1e-5
        numerical = (log_lik(f, y, eta + step, rows) - log_lik(f, y, eta - step, rows)) / (2 * step)
        np.testing.assert_allclose(gradient, numerical, rtol=1e-6, atol=1e-7)


DRAWS = 40_000


@each
def test_simulated_moments_are_mean_and_variance(name: str, link: str) -> None:
    f = family(name, link)
    for rows in variants(f):
        eta = predictors(f)[:4]
        few = {key: value[:4] for key, value in rows.items()}
        many = {key: np.tile(value, (DRAWS, 1)) for key, value in few.items()}
        others, rng = given(f, rows), np.random.default_rng(7)
        y = f.simulate(np.tile(eta, (DRAWS, 1)), others, many, rng)
        assert y.shape == (DRAWS, 4)
        assert f.supports(y.ravel(), {key: value.ravel() for key, value in many.items()}).all()
        y = y / few["trials"] if "trials" in few else y
        mean, variance = f.mean(eta, others, few), f.variance(eta, others, few)
        assert mean.shape == variance.shape == (4,)
        # a Bonferroni bound over all moments of all families, and the kurtosis as drawn
        z = (y.mean(axis=0) - mean) / np.sqrt(variance / DRAWS)
        assert np.abs(z).max() < 4.5
        square = (y - mean) ** 2
        error = (square.mean(axis=0) - variance) / (square.std(axis=0) / np.sqrt(DRAWS))
        assert np.abs(error).max() < 4.5


@each
def test_seeds_repeat_draws(name: str, link: str) -> None:
    f = family(name, link)
    rows = variants(f)[0]
    one, again, other = (drawn(f, rows, 5)[1], drawn(f, rows, 5)[1], drawn(f, rows, 6)[1])
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


TAILS = {"poisson": 20.0, "zero_inflated_poisson": 20.0, "hurdle_poisson": 20.0}
"""Largest linear predictor tried with the log link, where exp is not lost beside the response."""


def far(f: Family) -> np.ndarray:
    """Return linear predictors far out."""
    if f.link.name in ("sqrt", "inverse") or (f.link.name == "identity" and not f.has_scale):
        return np.array([1e-3, 0.1, 5.0, 9.0, 30.0])
    top = TAILS.get(f.name, 3.0 if f.link.name == "cloglog" else 40.0)
    low = -600.0 if f.name.startswith(("beta", "cumulative")) and f.link.name == "logit" else -40.0
    return np.array([low, -37.9, -20.0, -9.0, -5.0, 0.0, min(2.9, top), top])


@each
def test_far_tails_are_finite_and_exact(name: str, link: str) -> None:
    f = family(name, link)
    eta = far(f)
    rows = {"trials": np.full(len(eta), 4.0)} if "trials" in f.needs else {}
    for value in (0.0, 0.3, 1.0, 3.0, 4.0):
        y = np.full(len(eta), value)
        if not f.supports(y, rows).all() or (f.ordered and value > 3):
            continue
        expected = log_lik(f, y, eta, rows)
        assert np.isfinite(expected).all()
        density, gradient = graph_density(f, y, rows)(eta)
        np.testing.assert_allclose(density, expected, rtol=1e-8, atol=1e-12)
        assert np.isfinite(gradient).all()
        step = 1e-4 * np.minimum(1.0, np.abs(eta) + 1e-3 * (eta == 0))
        ahead, behind = log_lik(f, y, eta + step, rows), log_lik(f, y, eta - step, rows)
        numerical = (ahead - behind) / (2 * step)
        lost = 1e-12 * np.abs(expected) / step  # of the difference, in double precision
        assert (np.abs(gradient - numerical) < 1e-4 * np.abs(numerical) + lost + 1e-7).all()


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
        np.testing.assert_allclose(f.log_density(y, eta, {}, rows), log_cdf, rtol=1e-13)
        density, gradient = graph_density(f, y, rows)(eta)
        np.testing.assert_allclose(density, log_cdf, rtol=1e-10)
        np.testing.assert_allclose(np.abs(gradient), mills, rtol=1e-9)


COUNTS = ([-1, 0.5, np.nan, np.inf], [0, 1, 1e6])
REALS = ([np.inf, np.nan], [-1e9, 0, 0.5])
POSITIVE = ([0, -1, np.inf, np.nan], [1e-9, 1, 1e6])
SUCCESSES = ([-1, 0.5, 4, np.nan, np.inf], [0, 1, 3])
SUPPORT = {
    "gaussian": REALS,
    "student": REALS,
    "lognormal": POSITIVE,
    "gamma": POSITIVE,
    "beta": ([0, 1, -0.1, 1.1, np.nan], [1e-9, 0.5, 1 - 1e-9]),
    "bernoulli": ([-1, 0.5, 2, np.nan], [0, 1]),
    "binomial": SUCCESSES,
    "beta_binomial": SUCCESSES,
    "poisson": COUNTS,
    "negbinomial": COUNTS,
    "cumulative": ([-1, 0.5, np.nan, np.inf], [0, 1, 5]),
    "categorical": ([-1, 0.5, 3, np.nan, np.inf], [0, 1, 2]),
    "zero_inflated_poisson": COUNTS,
    "zero_inflated_negbinomial": COUNTS,
    "hurdle_poisson": COUNTS,
    "hurdle_negbinomial": COUNTS,
}
"""Responses outside and inside of each family's support, with three trials."""


@pytest.mark.parametrize("name", FAMILIES)
def test_support(name: str) -> None:
    f = family(name)
    outside, inside = (np.array(values, dtype=float) for values in SUPPORT[name])
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
    if "se" in f.additions:
        assert not f.estimates_scale({"se": np.ones(3)})
    latent = {
        "logit": scipy.stats.logistic.var(),
        "probit": scipy.stats.norm.var(),
        "cloglog": scipy.stats.gumbel_l.var(),
    }
    expected = latent[link] if name in ("bernoulli", "binomial", "cumulative") else None
    assert f.latent_variance() == (expected if expected is None else pytest.approx(expected))


@each_link
def test_link_and_inverse(link: Link) -> None:
    eta = np.linspace(0.2, 4, 41) if link.name in ("inverse", "sqrt") else np.linspace(-6, 3, 41)
    np.testing.assert_allclose(link.link(link.inverse(eta)), eta, rtol=1e-6, atol=1e-10)
    mu = link.inverse(eta)
    assert (np.diff(mu) * (-1 if link.name == "inverse" else 1) > 0).all()


@each_link
def test_inverse_slope_is_the_derivative(link: Link) -> None:
    low = 0.3 if link.name in ("inverse", "sqrt") else -6
    eta, step = np.linspace(low, 6, 49), 1e-5
    numerical = (link.inverse(eta + step) - link.inverse(eta - step)) / (2 * step)
    np.testing.assert_allclose(link.inverse_slope(eta), numerical, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("name", ["inverse", "sqrt"])
def test_a_mean_that_is_not_positive_has_no_inverse(name: str) -> None:
    assert np.isnan(LINKS[name].inverse(np.array([-1.0, 0.0]))).all()


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
