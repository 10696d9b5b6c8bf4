"""Hurdle Poisson responses: counts with their own probability of zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bayesmlm.families import custom, poisson
from bayesmlm.families.family import Array, Family, whole
from bayesmlm.families.link import LINKS, Link
from bayesmlm.families.mixed_counts import HU, draw_positive, hurdle, tensor_hurdle
from bayesmlm.families.parameter import Parameter


@dataclass(frozen=True)
class HurdlePoisson(Family):
    """y is 0 with probability hu, else Poisson given y > 0, with log mean eta.

    Notes
    -----
    The default prior of hu is Beta(1, 1), the default of brms.
    """

    link: Link = LINKS["log"]

    name: ClassVar[str] = "hurdle_poisson"
    links: ClassVar[tuple[str, ...]] = ("log",)
    support: ClassVar[str] = "whole numbers from 0"
    further: ClassVar[tuple[Parameter, ...]] = (HU,)
    counts: ClassVar[bool] = True

    def supports(self, y: Array, rows: Mapping[str, Array]) -> NDArray[np.bool_]:
        """Return where y is a whole number from 0."""
        return whole(y)

    def log_density(
        self, y: Array, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]
    ) -> Array:
        """Return the log probability of the count."""
        return hurdle(y, others["hu"], lambda count: poisson.log_probability(count, eta))

    def share(self, eta: Array, others: Mapping[str, Any]) -> Array:
        """Return (1 - hu) / (1 - f0)."""
        f0 = poisson.log_probability(0 * eta, eta)
        return np.asarray((1 - np.asarray(others["hu"])) / -np.expm1(f0))

    def mean(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return (1 - hu) mu / (1 - f0), f0 the probability of zero without a hurdle."""
        return self.share(eta, others) * np.exp(eta)

    def variance(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return E y² - (E y)²."""
        share, mu = self.share(eta, others), np.exp(eta)
        return np.asarray(share * (mu + mu**2) - (share * mu) ** 2)

    def simulate(
        self,
        eta: Array,
        others: Mapping[str, Any],
        rows: Mapping[str, Array],
        rng: np.random.Generator,
    ) -> Array:
        """Draw counts."""
        zero = rng.uniform(size=eta.shape) < others["hu"]
        return np.where(zero, 0.0, draw_positive(np.exp(eta), None, rng))

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

        def log_density(y: Any, eta: Any, hu: Any) -> Any:
            return tensor_hurdle(y, hu, lambda count: poisson.tensor_log_probability(count, eta))

        return custom.observe(
            name,
            log_density,
            lambda eta, hu, rng: self.simulate(eta, {"hu": hu}, {}, rng),
            {"eta": eta, "hu": others["hu"]},
            observed,
            dims,
        )
