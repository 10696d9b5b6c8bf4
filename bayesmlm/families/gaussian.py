"""Gaussian responses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
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

    def observe(
        self, name: str, eta: Any, rows: Mapping[str, Any], observed: Any, sigma: Any, dims: str
    ) -> Any:
        """Add a Normal response."""
        import pymc as pm

        return pm.Normal(name, eta, self.scale(rows, sigma), observed=observed, dims=dims)
