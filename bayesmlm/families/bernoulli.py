"""Bernoulli responses: success or failure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bayesmlm.families.family import Array, Family
from bayesmlm.families.link import LINKS, Link
from bayesmlm.families.locations import LATENT_VARIANCE, log_probabilities
from bayesmlm.families.tensors import log_odds


@dataclass(frozen=True)
class Bernoulli(Family):
    """y ~ Bernoulli(p), g(p) = eta."""

    link: Link = LINKS["logit"]

    name: ClassVar[str] = "bernoulli"
    links: ClassVar[tuple[str, ...]] = ("logit", "probit", "cloglog")
    support: ClassVar[str] = "0 and 1, True and False, or two categories"
    counts: ClassVar[bool] = True
    proportion: ClassVar[bool] = True
    binary: ClassVar[bool] = True

    def supports(self, y: Array, rows: Mapping[str, Array]) -> NDArray[np.bool_]:
        """Return where y is 0 or 1."""
        return (y == 0) | (y == 1)

    def log_density(
        self, y: Array, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]
    ) -> Array:
        """Return y log p + (1 - y) log(1 - p)."""
        log_p, log_q = log_probabilities(eta, self.link)
        return np.where(y == 1, log_p, log_q)

    def mean(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return p."""
        return self.link.inverse(eta)

    def variance(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return p (1 - p)."""
        p = self.link.inverse(eta)
        return p * (1 - p)

    def simulate(
        self,
        eta: Array,
        others: Mapping[str, Any],
        rows: Mapping[str, Array],
        rng: np.random.Generator,
    ) -> Array:
        """Draw successes."""
        return (rng.uniform(size=eta.shape) < self.link.inverse(eta)).astype(float)

    def known(self, rows: Mapping[str, Array]) -> Array:
        """Return one trial, for the kernel of the binomial family."""
        return np.ones((1, 1))

    def latent_variance(self) -> float | None:
        """Return the variance of the latent response: pi²/3 for logit, 1, pi²/6 for cloglog."""
        return LATENT_VARIANCE[self.link.name]

    def observe(
        self,
        name: str,
        eta: Any,
        others: Mapping[str, Any],
        rows: Mapping[str, Any],
        observed: Any,
        dims: str,
    ) -> Any:
        """Add a Bernoulli response, as one binomial trial.

        PyMC's Bernoulli takes log1p(-p), whose compiled gradient is 0 once p rounds to 1:
        for probit from eta = 8. Its Binomial takes n log(p), stable in both tails.
        """
        import pymc as pm

        logit_p = log_odds(eta, self.link)
        return pm.Binomial(name, 1, logit_p=logit_p, observed=observed, dims=dims)
