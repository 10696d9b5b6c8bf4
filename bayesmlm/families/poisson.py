"""Poisson responses: counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bayesmlm.families import locations, tensors
from bayesmlm.families.family import Array, Family, whole
from bayesmlm.families.link import LINKS, Link
from bayesmlm.families.log_location import chain, log_mean
from bayesmlm.families.special import exponential


def log_probability(y: Array, m: Array) -> Array:
    """Return the log probability of counts, given log mu."""
    from scipy.special import gammaln

    return np.asarray(y * m - np.exp(m) - gammaln(y + 1))


def tensor_log_probability(y: Any, m: Any) -> Any:
    """Return what `log_probability` does, as a tensor."""
    import pytensor.tensor as pt

    return y * m - pt.exp(m) - pt.gammaln(y + 1)


@dataclass(frozen=True)
class Poisson(Family):
    """y ~ Poisson(mu), g(mu) = eta.

    With the links identity and sqrt a linear predictor that is not positive is impossible.
    """

    link: Link = LINKS["log"]

    name: ClassVar[str] = "poisson"
    links: ClassVar[tuple[str, ...]] = ("log", "identity", "sqrt")
    support: ClassVar[str] = "whole numbers from 0"
    counts: ClassVar[bool] = True

    def supports(self, y: Array, rows: Mapping[str, Array]) -> NDArray[np.bool_]:
        """Return where y is a whole number from 0."""
        return whole(y)

    def log_density(
        self, y: Array, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]
    ) -> Array:
        """Return y log mu - mu - log y!."""
        return locations.or_impossible(log_probability(y, locations.log_mean(eta, self.link)))

    def mean(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return mu."""
        return self.link.inverse(eta)

    def variance(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return mu."""
        return self.link.inverse(eta)

    def simulate(
        self,
        eta: Array,
        others: Mapping[str, Any],
        rows: Mapping[str, Array],
        rng: np.random.Generator,
    ) -> Array:
        """Draw counts."""
        return rng.poisson(self.link.inverse(eta)).astype(float)

    def observe(
        self,
        name: str,
        eta: Any,
        others: Mapping[str, Any],
        rows: Mapping[str, Any],
        observed: Any,
        dims: str,
    ) -> Any:
        """Add a Poisson response."""
        import pymc as pm

        mu = pm.math.exp(tensors.log_mean(eta, self.link))
        return pm.Poisson(name, mu, observed=observed, dims=dims)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def rows(y, eta, others, known, weights, slope, other_slopes):
    """Return sum w (y eta - exp(eta)); see `families.rows.add_rows`."""
    by_weight = int(len(weights) > 1)
    total = 0.0
    for i in range(len(y)):
        w, mean = weights[i * by_weight], exponential(eta[i])
        total += w * (y[i] * eta[i] - mean)
        slope[i] = w * (y[i] - mean)
    return total


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def densities(y, eta, weights, value):
    """Set w (y eta - exp(eta))."""
    by_weight = int(len(weights) > 1)
    for i in range(len(y)):
        value[i] = weights[i * by_weight] * (y[i] * eta[i] - exponential(eta[i]))


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def curvatures(y, eta, others, known, weights, value, first, second, third):
    """Set w (y eta - exp(eta)) and its derivatives; see `families.rows.curvatures`."""
    by_weight = int(len(weights) > 1)
    for i in range(len(y)):
        w, mean = weights[i * by_weight], exponential(eta[i])
        value[i] = w * (y[i] * eta[i] - mean)
        first[i] = w * (y[i] - mean)
        second[i] = third[i] = -w * mean


@njit(cache=True, nogil=True, error_model="numpy")
def by_log_mean(y, m):
    """Return y m - exp(m) and its three derivatives in m."""
    mean = np.exp(m)
    return y * m - mean, y - mean, -mean, -mean


@njit(cache=True, nogil=True, error_model="numpy")
def point(link, y, eta):
    """Return the log density of a row and its slopes; see `families.point.point`."""
    m, m1, m2, m3 = log_mean(link, eta)
    if np.isnan(m):
        return -np.inf, 0.0, 0.0, 0.0, 0.0, 0.0
    value, one, two, three = by_log_mean(y, m)
    first, second, third = chain(one, two, three, m1, m2, m3)
    return value, first, second, third, 0.0, 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def expected(link, eta):
    """Return the expected information in eta, mu (d log mu / d eta)²."""
    m, slope, _, _ = log_mean(link, eta)
    return np.exp(m) * slope * slope
