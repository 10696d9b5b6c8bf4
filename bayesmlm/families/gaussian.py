"""Gaussian responses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bayesmlm.families.family import Array, Family
from bayesmlm.families.link import LINKS, Link
from bayesmlm.families.parameter import POSITIVE, Parameter

SIGMA = Parameter("sigma", "residual SD", POSITIVE, ("HalfStudentT", (3.0, 2.5)), scaled=True)


@dataclass(frozen=True)
class Gaussian(Family):
    """y ~ Normal(eta, s²).

    s is `sigma`; ``sigma / sqrt(precision)`` with known relative precisions; or the known
    sampling SD ``se``, in which case there is no sigma.
    """

    link: Link = LINKS["identity"]

    name: ClassVar[str] = "gaussian"
    links: ClassVar[tuple[str, ...]] = ("identity",)
    additions: ClassVar[tuple[str, ...]] = ("weights", "se", "precision")
    support: ClassVar[str] = "any finite number"
    further: ClassVar[tuple[Parameter, ...]] = (SIGMA,)
    has_scale: ClassVar[bool] = True
    residual_variance: ClassVar[bool] = True

    def supports(self, y: Array, rows: Mapping[str, Array]) -> NDArray[np.bool_]:
        """Return where y is finite."""
        return np.isfinite(y)

    def parameters(self, rows: Mapping[str, Array]) -> tuple[Parameter, ...]:
        """Return sigma, or nothing where sampling SDs are known."""
        return () if "se" in rows else self.further

    def scale(self, others: Mapping[str, Any], rows: Mapping[str, Any]) -> Any:
        """Return the SD of each row."""
        if "se" in rows:
            return rows["se"]
        sigma = others["sigma"]
        return sigma / rows["precision"] ** 0.5 if "precision" in rows else sigma

    def log_density(
        self, y: Array, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]
    ) -> Array:
        """Return -(log(2 pi s²) + (y - eta)² / s²) / 2."""
        scale = self.scale(others, rows)
        return -0.5 * (np.log(2 * np.pi) + ((y - eta) / scale) ** 2) - np.log(scale)

    def mean(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return eta."""
        return eta

    def variance(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return s²."""
        return np.broadcast_to(np.asarray(self.scale(others, rows)) ** 2, eta.shape)

    def simulate(
        self,
        eta: Array,
        others: Mapping[str, Any],
        rows: Mapping[str, Array],
        rng: np.random.Generator,
    ) -> Array:
        """Draw normal responses."""
        return rng.normal(eta, self.scale(others, rows))

    def known(self, rows: Mapping[str, Array]) -> Array:
        """Return the inverse of each row's SD, relative to sigma."""
        if "se" in rows:
            return 1 / rows["se"][None]
        return np.sqrt(rows["precision"])[None] if "precision" in rows else np.ones((1, 1))

    def observe(
        self,
        name: str,
        eta: Any,
        others: Mapping[str, Any],
        rows: Mapping[str, Any],
        observed: Any,
        dims: str,
    ) -> Any:
        """Add a Normal response."""
        import pymc as pm

        return pm.Normal(name, eta, self.scale(others, rows), observed=observed, dims=dims)


@njit(cache=True, nogil=True, error_model="numpy")
def rows(y, eta, others, known, weights, slope, other_slopes):
    """Return sum -w ((y - eta)² k² / sigma² / 2 + log sigma); see `families.rows.add_rows`."""
    root, free = known[0], len(others) > 0
    # a 1 where the array has a value a row, a 0 where one value serves all
    by_root, by_weight = int(len(root) > 1), int(len(weights) > 1)
    by_sigma = int(free and others.shape[1] > 1)
    log_sigma = others[0, 0] if free else 0.0
    inverse = np.exp(-log_sigma)
    total = 0.0
    for i in range(len(y)):
        if by_sigma:
            log_sigma = others[0, i]
            inverse = np.exp(-log_sigma)
        k, w = root[i * by_root] * inverse, weights[i * by_weight]
        standard = (y[i] - eta[i]) * k
        total -= w * (0.5 * standard * standard + log_sigma)
        slope[i] = w * standard * k
        if free:
            other_slopes[0, i * by_sigma] += w * (standard * standard - 1.0)
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def curvatures(y, eta, others, known, weights, value, first, second, third):
    """Set what `rows` adds up, and its derivatives; see `families.rows.curvatures`."""
    root, free = known[0], len(others) > 0
    by_root, by_weight = int(len(root) > 1), int(len(weights) > 1)
    by_sigma = int(free and others.shape[1] > 1)
    log_sigma = others[0, 0] if free else 0.0
    inverse = np.exp(-log_sigma)
    for i in range(len(y)):
        if by_sigma:
            log_sigma = others[0, i]
            inverse = np.exp(-log_sigma)
        k, w = root[i * by_root] * inverse, weights[i * by_weight]
        standard = (y[i] - eta[i]) * k
        value[i] = -w * (0.5 * standard * standard + log_sigma)
        first[i] = w * standard * k
        second[i] = -w * k * k
        third[i] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def point(y, eta, log_sigma, root):
    """Return the log density of a row and its slopes; see `families.point.point`."""
    k = root * np.exp(-log_sigma)
    standard = (y - eta) * k
    value = -0.5 * standard * standard - log_sigma
    return value, standard * k, -k * k, 0.0, standard * standard - 1.0, 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def expected(log_sigma, root):
    """Return the expected information in eta."""
    return (root * np.exp(-log_sigma)) ** 2
