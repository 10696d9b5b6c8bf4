"""What the families are held against: SciPy's distributions, and values to try them at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.stats

from bayesmlm.families import FAMILIES, Family, Parameter

Rows = Mapping[str, np.ndarray]
N = 60

OTHERS: dict[str, dict[str, Any]] = {
    "gaussian": {"sigma": 1.7},
    "student": {"sigma": 1.7, "nu": 9.0},
    "lognormal": {"sigma": 0.6},
    "gamma": {"shape": 2.3},
    "beta": {"phi": 6.0},
    "bernoulli": {},
    "binomial": {},
    "beta_binomial": {"phi": 6.0},
    "poisson": {},
    "negbinomial": {"shape": 1.6},
    "cumulative": {"thresholds": np.array([-1.2, 0.1, 1.4])},
    "categorical": {"mu1": 0.4, "mu2": -0.7},
    "zero_inflated_poisson": {"zi": 0.3},
    "zero_inflated_negbinomial": {"shape": 1.6, "zi": 0.3},
    "hurdle_poisson": {"hu": 0.4},
    "hurdle_negbinomial": {"shape": 1.6, "hu": 0.4},
}
"""Further parameters to try each family at."""

CDF = {
    "logit": scipy.stats.logistic.cdf,
    "probit": scipy.stats.norm.cdf,
    "cloglog": lambda x: scipy.stats.gumbel_l.cdf(x),
}


def negative_binomial(mu: np.ndarray, shape: float) -> Any:
    return scipy.stats.nbinom(shape, shape / (shape + mu))


def beta_shapes(f: Family, eta: np.ndarray, phi: float) -> tuple[np.ndarray, np.ndarray]:
    mu = CDF[f.link.name](eta)
    return mu * phi, (1 - mu) * phi


def gaussian_scale(others: Rows, rows: Rows) -> Any:
    return rows.get("se", others["sigma"] / np.sqrt(rows.get("precision", 1.0)))


MEANS = {
    "log": np.exp,
    "identity": lambda eta: eta,
    "sqrt": np.square,
    "inverse": lambda eta: 1 / eta,
    **CDF,
}
"""Inverse links, from NumPy and SciPy."""


def mean(f: Family, eta: np.ndarray) -> np.ndarray:
    return np.asarray(MEANS[f.link.name](eta))


def continuous_or_plain(f: Family, eta: np.ndarray, others: Any, rows: Rows) -> Any:
    """Return SciPy's distribution, of the families that it has."""
    mu = mean(f, eta)
    return {
        "gaussian": lambda: scipy.stats.norm(mu, gaussian_scale(others, rows)),
        "student": lambda: scipy.stats.t(others["nu"], mu, others["sigma"]),
        "lognormal": lambda: scipy.stats.lognorm(others["sigma"], scale=np.exp(mu)),
        "gamma": lambda: scipy.stats.gamma(others["shape"], scale=mu / others["shape"]),
        "beta": lambda: scipy.stats.beta(*beta_shapes(f, eta, others["phi"])),
        "bernoulli": lambda: scipy.stats.bernoulli(mu),
        "binomial": lambda: scipy.stats.binom(rows["trials"], mu),
        "beta_binomial": lambda: scipy.stats.betabinom(
            rows["trials"], *beta_shapes(f, eta, others["phi"])
        ),
        "poisson": lambda: scipy.stats.poisson(mu),
        "negbinomial": lambda: negative_binomial(mu, others["shape"]),
    }[f.name]()


def counts_of(name: str, mu: np.ndarray, others: Any) -> Any:
    if name.endswith("negbinomial"):
        return negative_binomial(mu, others["shape"])
    return scipy.stats.poisson(mu)


def log_density(f: Family, y: np.ndarray, eta: np.ndarray, others: Any, rows: Rows) -> np.ndarray:
    """Return the log density by SciPy, and by the textbook where SciPy lacks the family."""
    if f.name == "cumulative":
        cuts = np.concatenate([[-np.inf], others["thresholds"], [np.inf]])
        k = y.astype(int)
        cdf = CDF[f.link.name]
        return np.log(cdf(cuts[k + 1] - eta) - cdf(cuts[k] - eta))
    if f.name == "categorical":
        every = np.exp([eta, *(np.full(eta.shape, value) for value in others.values())])
        return np.log(every[y.astype(int), np.arange(len(y))] / every.sum(axis=0))
    if f.name.startswith("zero_inflated"):
        law = counts_of(f.name, mean(f, eta), others)
        return np.log(others["zi"] * (y == 0) + (1 - others["zi"]) * law.pmf(y))
    if f.name.startswith("hurdle"):
        law = counts_of(f.name, mean(f, eta), others)
        positive = (1 - others["hu"]) * law.pmf(y) / law.sf(0)
        return np.log(np.where(y == 0, others["hu"], positive))
    law = continuous_or_plain(f, eta, others, rows)
    return np.asarray(law.logpmf(y) if f.counts else law.logpdf(y))


def parameters(f: Family, rows: Rows) -> tuple[Parameter, ...]:
    """Return the family's further parameters, with labels where they have several entries."""
    labels = ("a|b", "b|c", "c|d")
    return tuple(
        replace(p, labels=labels) if p.support == "ordered" else p for p in f.parameters(rows)
    )


def on_line(f: Family, others: Any, rows: Rows) -> np.ndarray:
    """Return the further parameters on the whole line, shape (K, 1)."""
    values = [p.line(np.atleast_1d(others[p.name])) for p in parameters(f, rows)]
    return np.concatenate([*values, np.empty(0)])[:, None].astype(float)


def natural(f: Family, line: np.ndarray, rows: Rows) -> dict[str, Any]:
    """Return what `on_line` took, by name."""
    found, at = {}, 0
    for p in parameters(f, rows):
        values = p.natural(line[at : at + p.size, 0])
        found[p.name] = values if p.support == "ordered" else float(values[0])
        at += p.size
    return found


def predictors(f: Family, seed: int = 5, n: int = N) -> np.ndarray:
    """Return linear predictors that the link allows."""
    rng = np.random.default_rng(seed)
    if f.link.name in ("sqrt", "inverse") or (f.link.name == "identity" and not f.has_scale):
        return rng.uniform(0.4, 4, n)
    return rng.normal(0, 1.2, n)


def variants(f: Family) -> list[dict[str, np.ndarray]]:
    """Return additions that the family takes, in each combination that changes its density."""
    rng = np.random.default_rng(4)
    if "trials" in f.needs:
        return [{"trials": rng.integers(1, 12, N).astype(float)}]
    if f.name == "gaussian":
        return [{}, {"se": rng.uniform(0.3, 2, N)}, {"precision": rng.uniform(0.3, 4, N)}]
    return [{}]


def drawn(f: Family, rows: Rows, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Return linear predictors, and responses given them."""
    eta = predictors(f, seed)
    return eta, f.simulate(eta, OTHERS[f.name], rows, np.random.default_rng(seed))


CASES = [(name, link) for name, kind in FAMILIES.items() for link in kind.links]

Density = Callable[[np.ndarray], np.ndarray]


def expected(f: Family, eta: np.ndarray, others: Any) -> np.ndarray:
    """Return the mean response, of trials the mean proportion; categories on the last axis."""
    if f.name == "categorical":
        every = np.exp(np.stack(np.broadcast_arrays(eta, *others.values()), axis=-1))
        return np.asarray(every / every.sum(axis=-1, keepdims=True))
    if f.name == "cumulative":
        cuts = np.concatenate([[-np.inf], others["thresholds"], [np.inf]])
        return np.diff(CDF[f.link.name](cuts - eta[..., None]), axis=-1)
    mu = mean(f, eta)
    if f.name == "lognormal":
        return np.asarray(scipy.stats.lognorm(others["sigma"], scale=np.exp(mu)).mean())
    if f.name.startswith("zero_inflated"):
        return (1 - others["zi"]) * mu
    if f.name.startswith("hurdle"):
        return np.asarray((1 - others["hu"]) * mu / counts_of(f.name, mu, others).sf(0))
    return mu
