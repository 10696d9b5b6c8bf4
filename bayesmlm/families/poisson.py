"""Poisson responses: counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bayesmlm.families.family import Array, Family, whole
from bayesmlm.families.link import LINKS, Link


@dataclass(frozen=True)
class Poisson(Family):
    """y ~ Poisson(exp(eta))."""

    link: Link = LINKS["log"]

    name: ClassVar[str] = "poisson"
    links: ClassVar[tuple[str, ...]] = ("log",)
    support: ClassVar[str] = "whole numbers from 0"

    def supports(self, y: Array, rows: Mapping[str, Array]) -> NDArray[np.bool_]:
        """Return where y is a whole number from 0."""
        return whole(y)

    def log_density(
        self, y: Array, eta: Array, rows: Mapping[str, Array], sigma: float | None = None
    ) -> Array:
        """Return y eta - exp(eta) - log y!."""
        from scipy.special import gammaln

        return np.asarray(y * eta - np.exp(eta) - gammaln(y + 1))

    def variance(self, mu: Array, rows: Mapping[str, Array], sigma: float | None = None) -> Array:
        """Return mu."""
        return mu

    def observe(
        self, name: str, eta: Any, rows: Mapping[str, Any], observed: Any, sigma: Any, dims: str
    ) -> Any:
        """Add a Poisson response."""
        import pymc as pm

        return pm.Poisson(name, pm.math.exp(eta), observed=observed, dims=dims)


@njit(cache=True, nogil=True, error_model="numpy")
def rows(y, eta, others, known, weights, slope, other_slopes):
    """Return sum w (y eta - exp(eta)); see `families.rows.add_rows`."""
    by_weight = int(len(weights) > 1)
    total = 0.0
    for i in range(len(y)):
        w, mean = weights[i * by_weight], np.exp(eta[i])
        total += w * (y[i] * eta[i] - mean)
        slope[i] = w * (y[i] - mean)
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def curvatures(y, eta, others, known, weights, first, second, third):
    """Return sum w (y eta - exp(eta)); see `families.rows.curvatures`."""
    by_weight = int(len(weights) > 1)
    total = 0.0
    for i in range(len(y)):
        w, mean = weights[i * by_weight], np.exp(eta[i])
        total += w * (y[i] * eta[i] - mean)
        first[i] = w * (y[i] - mean)
        second[i] = third[i] = -w * mean
    return total
