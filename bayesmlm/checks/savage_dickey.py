"""Evidence for a variance of zero: the Savage-Dickey density ratio of an SD at zero.

The Bayes factor of the model without an effect against the model with it is posterior over
prior density of its SD tau at zero, which is p(y | tau = 0) / p(y). Posterior over prior is
p(y | tau) / p(y) at every tau, and even in tau, as effects of SD tau and -tau are alike. So

    log(posterior / prior)(tau) = c + a1 s + a2 s² + …,   s = log(1 + tau² / m²),

m the posterior median, is fitted to counts of draws by Poisson regression, the prior's
probabilities its exposure, and c is the logarithm of the Bayes factor. No density estimate
ends at the boundary.

References
----------
Dickey (1971), doi:10.1214/aoms/1177693507; Verdinelli & Wasserman (1995),
doi:10.1080/01621459.1995.10476554; Efron & Tibshirani (1996), doi:10.1214/aos/1032181161.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.checks.loo import check_posterior
from bayesmlm.errors import StatisticError, message
from bayesmlm.priors import Prior
from bayesmlm.priors.prior import distribution
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import diagnostics

Array = NDArray[np.float64]

BINS, DEGREES, WINDOW = 60, 4, 0.98
"""Counted intervals, the largest degree, and the probability of the draws they cover."""

RESOLVED = 0.5
"""Standard error of the log Bayes factor up to which it is told, and not a bound."""

NEAR = 20
"""Draws nearest to zero that give a bound."""


@dataclass(frozen=True)
class VarianceEvidence:
    """Evidence for an SD of zero.

    Parameters
    ----------
    parameter
        The SD.
    bayes_factor
        For zero, against the model with the effect; an upper bound where not `resolved`.
    log_error
        Standard error of its logarithm, of the draws.
    resolved
        Whether enough draws lie near zero.
    prior
        The SD's prior in words.
    halved, doubled
        The Bayes factor if the scale of the prior were half or twice as large.
    """

    parameter: str
    bayes_factor: float
    log_error: float
    resolved: bool
    prior: str
    halved: float
    doubled: float

    def __str__(self) -> str:
        sign = "" if self.resolved else "below "
        if self.bayes_factor >= 1:
            told = f"{sign}{self.bayes_factor:.3g} to 1 for {self.parameter} = 0"
        else:
            more = "" if self.resolved else "more than "
            told = f"{more}{1 / self.bayes_factor:.3g} to 1 against {self.parameter} = 0"
        error = f" (relative error {self.log_error:.0%})" if self.resolved else ""
        lines = [f"Savage-Dickey: {told}{error}"]
        if not self.resolved:
            lines.append("  a bound: too few draws lie near zero for the ratio itself")
        lines += [
            f"  under the prior {self.prior}; with half its scale "
            f"{sign}{self.halved:.3g}, with twice {sign}{self.doubled:.3g} for zero",
            "  the ratio compares exactly zero with this prior, whatever the SD's size: a wide",
            "  prior favours zero. For prediction compare models: mlm.compare(…)",
        ]
        return "\n".join(lines)

    __repr__ = __str__


def savage_dickey(result: FitResult, group: str, effect: str | None = None) -> VarianceEvidence:
    """Return the evidence for an SD of zero of one effect.

    Parameters
    ----------
    result
        A fit with a posterior.
    group
        The grouping.
    effect
        The effect; None where there is one.

    Raises
    ------
    StatisticError
        For a fit without draws, several effects of which none is named, or a prior that has no
        finite positive density at zero.
    """
    check_posterior(result, "the Savage-Dickey ratio")
    block = result.design.block(group)
    if effect is None and len(block.effects) > 1:
        raise StatisticError(
            message(
                f"no effect of {block.name!r} named, which has {len(block.effects)}",
                ", ".join(block.effects),
                "pass effect= one of these",
            )
        )
    name = block.effect(block.effects[0] if effect is None else effect)
    label = f"{names.sd(block.name)}[{name}]"
    if block.distribution == "points":
        raise StatisticError(
            message(
                f"the Savage-Dickey ratio of mass points of {block.name!r}",
                "normal or Student-t effects, whose likelihood at an SD and minus it is one",
                "compare models by mlm.compare(…)",
            )
        )
    prior = checked(result.priors.sds.get(block.name, {}).get(name), label)
    array = result.posterior[names.sd(block.name)].sel({names.effect_dim(block.name): name})
    draws = np.ravel(array)
    sizes = diagnostics(array)
    ess = float(np.ravel(sizes["ess"] if "ess" in sizes else sizes["ess_bulk"])[0])
    log_factor, error = log_ratio_at_zero(draws, prior)
    error *= np.sqrt(len(draws) / min(ess, len(draws)))
    resolved = bool(error <= RESOLVED)
    factor = np.exp(log_factor) if resolved else bound(draws, prior)
    return VarianceEvidence(
        parameter=label,
        bayes_factor=float(factor),
        log_error=float(error),
        resolved=resolved,
        prior=str(prior),
        halved=float(factor / rescaled(draws, prior, 0.5)),
        doubled=float(factor / rescaled(draws, prior, 2.0)),
    )


def checked(prior: Prior | None, label: str) -> Prior:
    """Return the prior if its density at zero is finite and positive."""
    at_zero = -np.inf if prior is None else float(prior.log_density(np.zeros(1))[0])
    if prior is None or not np.isfinite(at_zero):
        raise StatisticError(
            message(
                f"the Savage-Dickey ratio of {label} under {prior}",
                "a prior whose density at zero is finite and positive",
                "fit with HalfNormal, HalfStudentT, HalfCauchy or Exponential",
            )
        )
    return prior


def log_ratio_at_zero(draws: Array, prior: Prior) -> tuple[float, float]:
    """Return log(posterior / prior) at zero, and its standard error for independent draws.

    The degree is that of least AIC.
    """
    edges = np.linspace(0.0, np.quantile(draws, WINDOW), BINS + 1)
    counts = np.histogram(draws, edges)[0].astype(float)
    exposure = len(draws) * np.diff(distribution_function(prior, edges))
    middle = (edges[1:] + edges[:-1]) / 2
    s = np.log1p((middle / np.median(draws)) ** 2)
    fits = [
        poisson_regression(np.vander(s, d + 1, True), counts, exposure)
        for d in range(1, 1 + DEGREES)
    ]
    best = min(fits, key=lambda fit: fit[2])
    return best[0], best[1]


def poisson_regression(X: Array, counts: Array, exposure: Array) -> tuple[float, float, float]:
    """Return the intercept, its standard error, and AIC of a log-linear model of counts."""
    rate = counts + 0.5
    beta = np.zeros(X.shape[1])
    for _ in range(100):
        z = np.log(rate / exposure) + (counts - rate) / rate
        root = np.sqrt(rate)
        new = np.linalg.lstsq(X * root[:, None], z * root, rcond=None)[0]
        done = np.abs(X @ (new - beta)).max() < 1e-10
        beta = new
        rate = np.maximum(exposure * np.exp(np.clip(X @ beta, -700, 700)), 1e-300)
        if done:
            break
    covariance = np.linalg.pinv(X.T @ (X * rate[:, None]))
    log_likelihood = float((counts * np.log(rate) - rate).sum())
    return float(beta[0]), float(np.sqrt(covariance[0, 0])), 2 * X.shape[1] - 2 * log_likelihood


def distribution_function(prior: Prior, x: Array) -> Array:
    """Return the prior's distribution function by its quantiles' inverse."""
    law: Any = distribution(prior)
    if hasattr(law, "cdf"):
        return np.asarray(law.cdf(x))
    return np.asarray(2 * law.symmetric.cdf(x) - 1)


def bound(draws: Array, prior: Prior) -> float:
    """Return a bound of the ratio at zero, where it increases up to the draws nearest to it."""
    near = np.partition(draws, NEAR)[NEAR]
    return float(NEAR / len(draws) / distribution_function(prior, np.array([near]))[0])


def rescaled(draws: Array, prior: Prior, scale: float) -> float:
    """Return p(y) under the prior with its scale multiplied over p(y), by the draws."""
    wide = prior.log_density(draws / scale) - np.log(scale)
    return float(np.exp(wide - prior.log_density(draws)).mean())
