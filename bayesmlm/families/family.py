"""What every response family provides."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bayesmlm.errors import DataError, message
from bayesmlm.families.link import Link

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Family(ABC):
    """A conditional distribution of the response, given the linear predictor.

    Parameters
    ----------
    link
        The link between mean and linear predictor.

    Notes
    -----
    ``rows`` maps the additions of the response (``se``, ``trials``, ``weights``,
    ``precision``) to arrays of shape (N,).
    """

    link: Link

    name: ClassVar[str]
    links: ClassVar[tuple[str, ...]]
    additions: ClassVar[tuple[str, ...]] = ("weights",)
    needs: ClassVar[tuple[str, ...]] = ()
    support: ClassVar[str]
    binary: ClassVar[bool] = False
    has_scale: ClassVar[bool] = False

    @abstractmethod
    def supports(self, y: Array, rows: Mapping[str, Array]) -> NDArray[np.bool_]:
        """Return, per row, whether y is inside the support; shape (N,)."""

    @abstractmethod
    def log_density(
        self, y: Array, eta: Array, rows: Mapping[str, Array], sigma: float | None = None
    ) -> Array:
        """Return log p(y | eta) per row, normalised, weights not applied; shape (N,)."""

    @abstractmethod
    def variance(self, mu: Array, rows: Mapping[str, Array], sigma: float | None = None) -> Array:
        """Return Var(y | mu) per row, y a proportion where there are trials; shape (N,)."""

    @abstractmethod
    def observe(
        self, name: str, eta: Any, rows: Mapping[str, Any], observed: Any, sigma: Any, dims: str
    ) -> Any:
        """Add the observed response to the PyMC model on the context stack."""

    def known(self, rows: Mapping[str, Array]) -> Array:
        """Return what the compiled kernel must know of the rows, shape (M, 1) or (M, N)."""
        return np.empty((0, 1))

    def estimates_scale(self, rows: Mapping[str, Array]) -> bool:
        """Whether a residual SD is a parameter."""
        return self.has_scale and "se" not in rows

    def latent_variance(self) -> float | None:
        """Level-1 variance on the scale of the linear predictor, where it is a constant."""
        return None

    def check(self, column: str, y: Array, rows: Mapping[str, Array]) -> None:
        """Raise `DataError` unless every response is inside the support."""
        outside = ~self.supports(y, rows)
        if outside.any():
            shown = ", ".join(f"{value:g}" for value in np.unique(y[outside])[:5])
            raise DataError(
                message(
                    f"{column!r} has {int(outside.sum())} of {len(y)} rows outside the support "
                    f"of the {self.name} family: {shown}",
                    self.support,
                    "correct these rows, or choose another family",
                )
            )


def whole(y: Array) -> NDArray[np.bool_]:
    """Return where y is a non-negative whole number."""
    return np.isfinite(y) & (y >= 0) & (y == np.floor(y))
