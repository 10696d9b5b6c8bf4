"""Gamma responses: positive numbers with a constant coefficient of variation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bayesmlm.families import locations
from bayesmlm.families.family import Array, Family
from bayesmlm.families.link import LINKS, Link
from bayesmlm.families.log_location import chain, log_mean
from bayesmlm.families.parameter import POSITIVE, Parameter
from bayesmlm.families.special import polygammas, remainder

SHAPE = Parameter("shape", "shape", POSITIVE, ("HalfCauchy", (1.0,)))


@dataclass(frozen=True)
class GammaFamily(Family):
    """y ~ Gamma(shape, rate = shape / mu), g(mu) = eta; the variance is mu² / shape.

    Notes
    -----
    The default prior of shape is HalfCauchy(1), the default of Bambi. With the links inverse
    and identity a linear predictor that is not positive is impossible.
    """

    link: Link = LINKS["log"]

    name: ClassVar[str] = "gamma"
    links: ClassVar[tuple[str, ...]] = ("log", "inverse", "identity")
    support: ClassVar[str] = "positive finite numbers"
    further: ClassVar[tuple[Parameter, ...]] = (SHAPE,)
    any_unit: ClassVar[bool] = True

    def supports(self, y: Array, rows: Mapping[str, Array]) -> NDArray[np.bool_]:
        """Return where y is positive and finite."""
        return np.isfinite(y) & (y > 0)

    def log_density(
        self, y: Array, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]
    ) -> Array:
        """Return k log k - log Gamma(k) - log y + k (log(y / mu) - y / mu), k the shape."""
        from scipy.special import gammaln

        k = np.asarray(others["shape"], dtype=float)
        distance = np.log(y) - locations.log_mean(eta, self.link)
        constant = k * np.log(k) - gammaln(k) - np.log(y)
        return locations.or_impossible(constant + k * (distance - np.exp(distance)))

    def mean(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return mu."""
        return self.link.inverse(eta)

    def variance(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return mu² / shape."""
        return np.asarray(self.link.inverse(eta) ** 2 / others["shape"])

    def simulate(
        self,
        eta: Array,
        others: Mapping[str, Any],
        rows: Mapping[str, Array],
        rng: np.random.Generator,
    ) -> Array:
        """Draw gamma responses."""
        return rng.gamma(others["shape"], self.link.inverse(eta) / others["shape"])

    def observe(
        self,
        name: str,
        eta: Any,
        others: Mapping[str, Any],
        rows: Mapping[str, Any],
        observed: Any,
        dims: str,
    ) -> Any:
        """Add a Gamma response."""
        import pymc as pm

        shape = others["shape"]
        rate = {
            "log": lambda: shape * pm.math.exp(-eta),
            "inverse": lambda: shape * eta,
            "identity": lambda: shape / eta,
        }[self.link.name]()
        return pm.Gamma(name, alpha=shape, beta=rate, observed=observed, dims=dims)


@njit(cache=True, nogil=True, error_model="numpy")
def point(link, y, eta, log_shape):
    """Return the log density of a row and its slopes; see `families.point.point`."""
    m, m1, m2, m3 = log_mean(link, eta)
    if np.isnan(m):
        return -np.inf, 0.0, 0.0, 0.0, 0.0, 0.0
    k, distance = np.exp(log_shape), np.log(y) - m
    excess, ratio = np.expm1(distance), np.exp(distance)
    first, second, third = chain(k * excess, -k * ratio, k * ratio, m1, m2, m3)
    value = k * (distance - excess) - remainder(k)
    in_shape = k * (distance - excess) + k * (log_shape - polygammas(k)[0])
    return value, first, second, third, in_shape, 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def expected(link, eta, log_shape):
    """Return the expected information in eta."""
    return np.exp(log_shape) * log_mean(link, eta)[1] ** 2
