"""Lognormal responses: positive numbers with a gaussian logarithm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bayesmlm.families.family import Array, Family
from bayesmlm.families.gaussian import SIGMA
from bayesmlm.families.link import LINKS, Link
from bayesmlm.families.parameter import Parameter


@dataclass(frozen=True)
class LogNormal(Family):
    """log y ~ Normal(eta, sigma²); eta is the log of the median."""

    link: Link = LINKS["identity"]

    name: ClassVar[str] = "lognormal"
    links: ClassVar[tuple[str, ...]] = ("identity",)
    support: ClassVar[str] = "positive finite numbers"
    further: ClassVar[tuple[Parameter, ...]] = (SIGMA,)
    has_scale: ClassVar[bool] = True
    residual_variance: ClassVar[bool] = True

    def supports(self, y: Array, rows: Mapping[str, Array]) -> NDArray[np.bool_]:
        """Return where y is positive and finite."""
        return np.isfinite(y) & (y > 0)

    def on_link_scale(self, y: Array) -> Array:
        """Return log y."""
        return np.log(y)

    def log_density(
        self, y: Array, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]
    ) -> Array:
        """Return the normal log density of log y, minus log y."""
        sigma, log_y = others["sigma"], np.log(y)
        standard = (log_y - eta) / sigma
        return np.asarray(
            -0.5 * (np.log(2 * np.pi) + standard**2) - np.log(sigma) - log_y, dtype=float
        )

    def mean(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return exp(eta + sigma² / 2)."""
        return np.asarray(np.exp(eta + np.asarray(others["sigma"]) ** 2 / 2))

    def variance(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return (exp(sigma²) - 1) exp(2 eta + sigma²)."""
        square = np.asarray(others["sigma"]) ** 2
        return np.asarray(np.expm1(square) * np.exp(2 * eta + square))

    def simulate(
        self,
        eta: Array,
        others: Mapping[str, Any],
        rows: Mapping[str, Array],
        rng: np.random.Generator,
    ) -> Array:
        """Draw lognormal responses."""
        return rng.lognormal(eta, others["sigma"])

    def observe(
        self,
        name: str,
        eta: Any,
        others: Mapping[str, Any],
        rows: Mapping[str, Any],
        observed: Any,
        dims: str,
    ) -> Any:
        """Add a LogNormal response."""
        import pymc as pm

        return pm.LogNormal(name, eta, others["sigma"], observed=observed, dims=dims)


@njit(cache=True, nogil=True, error_model="numpy")
def point(y, eta, log_sigma):
    """Return the log density of a row and its slopes; see `families.point.point`."""
    inverse = np.exp(-log_sigma)
    z = (np.log(y) - eta) * inverse
    value = -0.5 * z * z - log_sigma
    return value, z * inverse, -inverse * inverse, 0.0, z * z - 1.0, 0.0
