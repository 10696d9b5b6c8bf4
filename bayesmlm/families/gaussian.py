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
    has_scale: ClassVar[bool] = True

    def supports(self, y: Array, rows: Mapping[str, Array]) -> NDArray[np.bool_]:
        """Return where y is finite."""
        return np.isfinite(y)

    def scale(self, rows: Mapping[str, Any], sigma: Any) -> Any:
        """Return the SD of each row."""
        if "se" in rows:
            return rows["se"]
        return sigma / rows["precision"] ** 0.5 if "precision" in rows else sigma

    def log_density(
        self, y: Array, eta: Array, rows: Mapping[str, Array], sigma: float | None = None
    ) -> Array:
        """Return -(log(2 pi s²) + (y - eta)² / s²) / 2."""
        scale = self.scale(rows, sigma)
        return -0.5 * (np.log(2 * np.pi) + ((y - eta) / scale) ** 2) - np.log(scale)

    def variance(self, mu: Array, rows: Mapping[str, Array], sigma: float | None = None) -> Array:
        """Return s²."""
        return np.broadcast_to(np.asarray(self.scale(rows, sigma)) ** 2, mu.shape)

    def known(self, rows: Mapping[str, Array]) -> Array:
        """Return the inverse of each row's SD, relative to sigma."""
        if "se" in rows:
            return 1 / rows["se"][None]
        return np.sqrt(rows["precision"])[None] if "precision" in rows else np.ones((1, 1))

    def observe(
        self, name: str, eta: Any, rows: Mapping[str, Any], observed: Any, sigma: Any, dims: str
    ) -> Any:
        """Add a Normal response."""
        import pymc as pm

        return pm.Normal(name, eta, self.scale(rows, sigma), observed=observed, dims=dims)


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
def curvatures(y, eta, others, known, weights, first, second, third):
    """Return the total of `rows`; see `families.rows.curvatures`."""
    root, free = known[0], len(others) > 0
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
        first[i] = w * standard * k
        second[i] = -w * k * k
        third[i] = 0.0
    return total
