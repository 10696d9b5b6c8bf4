"""Categorical responses: categories without an order, each with a linear predictor."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bayesmlm.families import custom
from bayesmlm.families.family import Array, Family, whole
from bayesmlm.families.link import LINKS, Link
from bayesmlm.families.parameter import REAL, Parameter


def log_odds(category: str, reference: str) -> Parameter:
    """Return the linear predictor of a category as a further parameter."""
    meaning = f"log odds of {category} against {reference}"
    return Parameter(f"mu{category}", meaning, REAL, ("Normal", (0.0, 2.5)))


@dataclass(frozen=True)
class Categorical(Family):
    """P(y = k) = exp(eta_k) / sum_m exp(eta_m), with eta = 0 of the first category.

    Parameters
    ----------
    categories
        Their names; the first is the reference.

    Notes
    -----
    ``eta`` is the linear predictor of the reference, which models fix at 0; ``others`` has
    those of the other categories, ``mu<category>``, in their order. The default prior of an
    intercept is Normal(0, 2.5) at the means of the predictors.

    References
    ----------
    McFadden (1974), in Frontiers in Econometrics, 105–142.
    """

    link: Link = LINKS["logit"]
    categories: tuple[str, ...] = ("0", "1", "2")

    name: ClassVar[str] = "categorical"
    links: ClassVar[tuple[str, ...]] = ("logit",)
    support: ClassVar[str] = "categories, three or more"
    further: ClassVar[tuple[Parameter, ...]] = (log_odds("1", "0"), log_odds("2", "0"))
    counts: ClassVar[bool] = True
    unordered: ClassVar[bool] = True

    def of(self, categories: Sequence[Any]) -> Categorical:
        """Return the family of other categories, the first the reference."""
        return replace(self, categories=tuple(map(str, categories)))

    def parameters(self, rows: Mapping[str, Array]) -> tuple[Parameter, ...]:
        """Return the linear predictors of the categories after the reference."""
        reference, *rest = self.categories
        return tuple(log_odds(category, reference) for category in rest)

    def supports(self, y: Array, rows: Mapping[str, Array]) -> NDArray[np.bool_]:
        """Return where y is the position of a category, from 0."""
        return whole(y) & (y < len(self.categories))

    def predictors(self, eta: Array, others: Mapping[str, Any]) -> Array:
        """Return the linear predictors of all categories, shape (..., K)."""
        own = [np.broadcast_to(np.asarray(v, dtype=float), eta.shape) for v in others.values()]
        return np.stack([eta, *own], axis=-1)

    def log_density(
        self, y: Array, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]
    ) -> Array:
        """Return eta_y - log sum_m exp(eta_m)."""
        every = self.predictors(eta, others)
        own = np.take_along_axis(every, np.asarray(y, dtype=np.int64)[..., None], axis=-1)[..., 0]
        return np.asarray(own - np.logaddexp.reduce(every, axis=-1))

    def probabilities(self, eta: Array, others: Mapping[str, Any]) -> Array:
        """Return the probability of every category, shape (..., K)."""
        every = self.predictors(eta, others)
        return np.exp(every - np.logaddexp.reduce(every, axis=-1)[..., None])

    def mean(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return the mean position of the category, counted from 0."""
        p = self.probabilities(eta, others)
        return np.asarray(p @ np.arange(p.shape[-1]))

    def variance(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return the variance of the position of the category."""
        p = self.probabilities(eta, others)
        at = np.arange(p.shape[-1])
        return np.asarray(p @ at**2 - (p @ at) ** 2)

    def simulate(
        self,
        eta: Array,
        others: Mapping[str, Any],
        rows: Mapping[str, Array],
        rng: np.random.Generator,
    ) -> Array:
        """Draw positions of categories: the largest of utilities with Gumbel errors."""
        every = self.predictors(eta, others)
        return np.asarray(np.argmax(every + rng.gumbel(size=every.shape), axis=-1), dtype=float)

    def observe(
        self,
        name: str,
        eta: Any,
        others: Mapping[str, Any],
        rows: Mapping[str, Any],
        observed: Any,
        dims: str,
    ) -> Any:
        """Add the categories, stable however far apart the linear predictors are."""
        import pytensor.tensor as pt

        def log_density(y: Any, **every: Any) -> Any:
            first, *rest = every.values()
            own, total = first, first
            for k, other in enumerate(rest, start=1):
                own = pt.switch(pt.eq(y, k), other, own)
                total = pt.logaddexp(total, other)
            return own - total

        def simulate(rng: np.random.Generator, **every: Array) -> Array:
            first, *rest = every.values()
            return self.simulate(first, dict(enumerate(rest)), {}, rng)  # type: ignore[arg-type]

        parts = {f"eta_{k}": each for k, each in enumerate([eta, *others.values()])}
        return custom.observe(name, log_density, simulate, parts, observed, dims)


@njit(cache=True, nogil=True, error_model="numpy")
def log_total(reference, others, at):
    """Return log sum_m exp(eta_m) of a row."""
    top = reference
    for k in range(len(others)):
        top = max(top, others[k, at])
    total = math.exp(reference - top)
    for k in range(len(others)):
        total += math.exp(others[k, at] - top)
    return top + math.log(total)


@njit(cache=True, nogil=True, error_model="numpy")
def rows(y, eta, others, weights, slope, other_slopes):
    """Return the log density of the rows; see `families.rows.add_rows`."""
    by_other, by_weight = others.shape[1] > 1, len(weights) > 1
    total = 0.0
    for i in range(len(y)):
        at = i if by_other else 0
        w, category = weights[i if by_weight else 0], int(y[i])
        normaliser = log_total(eta[i], others, at)
        own = eta[i] if category == 0 else others[category - 1, at]
        total += w * (own - normaliser)
        slope[i] = w * ((1.0 if category == 0 else 0.0) - math.exp(eta[i] - normaliser))
        for k in range(len(others)):
            hit = 1.0 if category == k + 1 else 0.0
            other_slopes[k, at] += w * (hit - math.exp(others[k, at] - normaliser))
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def curvatures(y, eta, others, weights, value, first, second, third):
    """Set the log densities and their derivatives; see `families.rows.curvatures`."""
    by_other, by_weight = others.shape[1] > 1, len(weights) > 1
    for i in range(len(y)):
        at = i if by_other else 0
        w, category = weights[i if by_weight else 0], int(y[i])
        normaliser = log_total(eta[i], others, at)
        own = eta[i] if category == 0 else others[category - 1, at]
        value[i] = w * (own - normaliser)
        p = math.exp(eta[i] - normaliser)
        first[i] = w * ((1.0 if category == 0 else 0.0) - p)
        second[i] = -w * p * (1.0 - p)
        third[i] = second[i] * (1.0 - 2.0 * p)


@njit(cache=True, nogil=True, error_model="numpy")
def information(eta, others, weights, expected_information):
    """Set the expected information of each row, p (1 - p) of the reference."""
    by_other, by_weight = others.shape[1] > 1, len(weights) > 1
    for i in range(len(eta)):
        p = math.exp(eta[i] - log_total(eta[i], others, i if by_other else 0))
        expected_information[i] = weights[i if by_weight else 0] * p * (1.0 - p)
