"""Zero-inflated Poisson responses: counts with extra zeros."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bayesmlm.families import custom, poisson
from bayesmlm.families.family import Array, Family, whole
from bayesmlm.families.link import LINKS, Link
from bayesmlm.families.mixed_counts import ZI, draw, inflated, tensor_inflated
from bayesmlm.families.parameter import Parameter


@dataclass(frozen=True)
class ZeroInflatedPoisson(Family):
    """y is 0 with probability zi, else Poisson with log mean eta.

    Notes
    -----
    The default prior of zi is Beta(1, 1), the default of brms.
    """

    link: Link = LINKS["log"]

    name: ClassVar[str] = "zero_inflated_poisson"
    links: ClassVar[tuple[str, ...]] = ("log",)
    support: ClassVar[str] = "whole numbers from 0"
    further: ClassVar[tuple[Parameter, ...]] = (ZI,)
    counts: ClassVar[bool] = True

    def supports(self, y: Array, rows: Mapping[str, Array]) -> NDArray[np.bool_]:
        """Return where y is a whole number from 0."""
        return whole(y)

    def log_density(
        self, y: Array, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]
    ) -> Array:
        """Return the log probability of the count."""
        return inflated(y, others["zi"], lambda count: poisson.log_probability(count, eta))

    def mean(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return (1 - zi) mu."""
        return np.asarray((1 - np.asarray(others["zi"])) * np.exp(eta))

    def variance(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return (1 - zi) mu (1 + mu zi)."""
        zi, mu = np.asarray(others["zi"]), np.exp(eta)
        return np.asarray((1 - zi) * mu * (1 + mu * zi))

    def simulate(
        self,
        eta: Array,
        others: Mapping[str, Any],
        rows: Mapping[str, Array],
        rng: np.random.Generator,
    ) -> Array:
        """Draw counts."""
        extra = rng.uniform(size=eta.shape) < others["zi"]
        return np.where(extra, 0.0, draw(np.exp(eta), None, rng))

    def observe(
        self,
        name: str,
        eta: Any,
        others: Mapping[str, Any],
        rows: Mapping[str, Any],
        observed: Any,
        dims: str,
    ) -> Any:
        """Add the counts, stable in both tails."""

        def log_density(y: Any, eta: Any, zi: Any) -> Any:
            return tensor_inflated(y, zi, lambda count: poisson.tensor_log_probability(count, eta))

        return custom.observe(
            name,
            log_density,
            lambda eta, zi, rng: self.simulate(eta, {"zi": zi}, {}, rng),
            {"eta": eta, "zi": others["zi"]},
            observed,
            dims,
        )
