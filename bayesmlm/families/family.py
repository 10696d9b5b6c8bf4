"""What every response family provides."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bayesmlm.errors import DataError, message
from bayesmlm.families.link import Link
from bayesmlm.families.parameter import Parameter

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Family(ABC):
    """A conditional distribution of the response, given the linear predictor.

    Parameters
    ----------
    link
        The link between location and linear predictor.

    Attributes
    ----------
    further
        The parameters beside the location.
    counts
        Whether responses are whole numbers.
    proportion
        Whether the location is between 0 and 1.
    binary
        Whether a response of two categories is welcome.
    ordered
        Whether the response is one of ordered categories, and thresholds stand in the
        intercept's place.
    unordered
        Whether the response is one of categories without an order, each but the first with a
        linear predictor, of which the location's, the first's, is 0.
    has_scale
        Whether the linear predictor is the location of the response (or of a known function
        of it, `on_link_scale`) and sigma its scale.
    residual_variance
        Whether sigma² is the level-1 variance on the scale of the linear predictor.
    any_unit
        Whether the unit of the response is arbitrary, though its link is not the identity.

    Notes
    -----
    ``rows`` maps the additions of the response (``se``, ``trials``, ``weights``,
    ``precision``) to arrays of shape (N,). ``others`` maps the further parameters to their
    values, scalars or arrays of shape (N,); thresholds have shape (K,).
    """

    link: Link

    name: ClassVar[str]
    links: ClassVar[tuple[str, ...]]
    additions: ClassVar[tuple[str, ...]] = ("weights",)
    needs: ClassVar[tuple[str, ...]] = ()
    support: ClassVar[str]
    further: ClassVar[tuple[Parameter, ...]] = ()
    counts: ClassVar[bool] = False
    proportion: ClassVar[bool] = False
    binary: ClassVar[bool] = False
    ordered: ClassVar[bool] = False
    unordered: ClassVar[bool] = False
    has_scale: ClassVar[bool] = False
    residual_variance: ClassVar[bool] = False
    any_unit: ClassVar[bool] = False

    @abstractmethod
    def supports(self, y: Array, rows: Mapping[str, Array]) -> NDArray[np.bool_]:
        """Return, per row, whether y is inside the support; shape (N,)."""

    @abstractmethod
    def log_density(
        self, y: Array, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]
    ) -> Array:
        """Return log p(y | eta) per row, normalised, weights not applied; shape (N,)."""

    @abstractmethod
    def mean(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return E(y | eta) per row, y a proportion where there are trials; shape (N,)."""

    @abstractmethod
    def variance(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return Var(y | eta) per row, y a proportion where there are trials; shape (N,)."""

    @abstractmethod
    def simulate(
        self,
        eta: Array,
        others: Mapping[str, Any],
        rows: Mapping[str, Array],
        rng: np.random.Generator,
    ) -> Array:
        """Draw a response per row, a count where there are trials; shape of eta."""

    @abstractmethod
    def observe(
        self,
        name: str,
        eta: Any,
        others: Mapping[str, Any],
        rows: Mapping[str, Any],
        observed: Any,
        dims: str,
    ) -> Any:
        """Add the observed response to the PyMC model on the context stack."""

    def of(self, categories: Sequence[Any]) -> Family:
        """Return the family of a response of these categories: itself, where it has none."""
        return self

    def known(self, rows: Mapping[str, Array]) -> Array:
        """Return what the compiled kernel must know of the rows, shape (M, 1) or (M, N)."""
        return np.empty((0, 1))

    def parameters(self, rows: Mapping[str, Array]) -> tuple[Parameter, ...]:
        """Return the further parameters that are estimated, in the order of the kernel."""
        return self.further

    def estimates_scale(self, rows: Mapping[str, Array]) -> bool:
        """Whether sigma is a parameter."""
        return any(parameter.name == "sigma" for parameter in self.parameters(rows))

    def on_link_scale(self, y: Array) -> Array:
        """Return what the linear predictor is the location of, where `has_scale`."""
        return y

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
