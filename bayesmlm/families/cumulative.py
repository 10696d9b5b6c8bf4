"""Cumulative responses: ordered categories, cut from a latent response by thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bayesmlm.families import custom
from bayesmlm.families.family import Array, Family, whole
from bayesmlm.families.link import LINKS, Link
from bayesmlm.families.locations import LATENT_VARIANCE, log_probabilities
from bayesmlm.families.parameter import ORDERED, Parameter
from bayesmlm.families.tensors import log_one_minus_exp
from bayesmlm.families.tensors import log_probabilities as tensor_log_probabilities

THRESHOLDS = Parameter(
    "thresholds",
    "thresholds between the categories",
    ORDERED,
    ("StudentT", (3.0, 0.0, 2.5)),
    labels=("0|1",),
)


@dataclass(frozen=True)
class Cumulative(Family):
    """P(y <= k) = F(threshold_k - eta), F the inverse of the link, k counted from 0.

    There is no intercept. A larger eta makes higher categories likelier; with logit these are
    proportional odds, with cloglog proportional hazards.

    Notes
    -----
    The default prior of every threshold is StudentT(3, 0, 2.5) at the means of the
    predictors, increasing, the default of brms.

    References
    ----------
    McCullagh (1980), Journal of the Royal Statistical Society B 42, 109–142.
    """

    link: Link = LINKS["logit"]

    name: ClassVar[str] = "cumulative"
    links: ClassVar[tuple[str, ...]] = ("logit", "probit", "cloglog")
    support: ClassVar[str] = "ordered categories, or successive whole numbers"
    further: ClassVar[tuple[Parameter, ...]] = (THRESHOLDS,)
    counts: ClassVar[bool] = True
    ordered: ClassVar[bool] = True

    def supports(self, y: Array, rows: Mapping[str, Array]) -> NDArray[np.bool_]:
        """Return where y is a whole number from 0, the position of a category."""
        return whole(y)

    def log_density(
        self, y: Array, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]
    ) -> Array:
        """Return log(F(threshold_y - eta) - F(threshold_(y - 1) - eta))."""
        cuts = np.asarray(others["thresholds"], dtype=float)
        k, K = np.asarray(y, dtype=np.int64), len(cuts)
        low, high = cuts[np.clip(k - 1, 0, K - 1)] - eta, cuts[np.clip(k, 0, K - 1)] - eta
        edge = (k == 0) | (k == K)
        gap = np.where(edge, 1.0, high - low)
        (low_p, low_q), (high_p, high_q) = (log_probabilities(x, self.link) for x in (low, high))
        if self.link.name == "logit":
            inside = high_p + low_q + np.log(-np.expm1(-gap))
        elif self.link.name == "cloglog":
            inside = low_q + log_probabilities(high + np.log(-np.expm1(-gap)), self.link)[0]
        else:
            right = low + high > 0
            top, bottom = np.where(right, low_q, high_p), np.where(right, high_q, low_p)
            inside = top + np.log(-np.expm1(-np.where(edge, 1.0, top - bottom)))
        return np.where(k == 0, high_p, np.where(k == K, low_q, inside))

    def probabilities(self, eta: Array, others: Mapping[str, Any]) -> Array:
        """Return the probability of every category, shape (N, K + 1)."""
        K = len(others["thresholds"]) + 1
        each = [self.log_density(np.full(eta.shape, k), eta, others, {}) for k in range(K)]
        return np.exp(np.stack(each, axis=-1))

    def mean(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return the mean position of the category, counted from 0."""
        p = self.probabilities(eta, others)
        return np.asarray(p @ np.arange(p.shape[-1]))

    def variance(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return the variance of the position of the category."""
        p = self.probabilities(eta, others)
        at = np.arange(p.shape[-1])
        return np.asarray(p @ at**2 - (p @ at) ** 2)

    def simulate(
        self,
        eta: Array,
        others: Mapping[str, Any],
        rows: Mapping[str, Array],
        rng: np.random.Generator,
    ) -> Array:
        """Draw positions of categories: a latent response, cut."""
        if self.link.name == "cloglog":
            latent = -rng.gumbel(size=eta.shape)
        else:
            latent = (rng.logistic if self.link.name == "logit" else rng.normal)(size=eta.shape)
        cuts = np.asarray(others["thresholds"], dtype=float)
        return (eta[..., None] + latent[..., None] > cuts).sum(axis=-1).astype(float)

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
        """Add the categories, stable in both tails."""
        import pytensor.tensor as pt

        def log_density(y: Any, eta: Any, cuts: Any) -> Any:
            K = cuts.shape[-1]
            cuts = cuts.reshape((-1, K))[0]  # one set, however PyMC repeats it
            low, high = (cuts[pt.clip(k, 0, K - 1)] - eta for k in (y - 1, y))
            first, last = pt.eq(y, 0), pt.eq(y, K)
            edge = pt.or_(first, last)
            gap = pt.switch(edge, 1.0, high - low)
            low_p, low_q = tensor_log_probabilities(low, self.link)
            high_p, high_q = tensor_log_probabilities(high, self.link)
            if self.link.name == "logit":
                inside = high_p + low_q + log_one_minus_exp(gap)
            elif self.link.name == "cloglog":
                w = high + log_one_minus_exp(gap)
                inside = low_q + tensor_log_probabilities(w, self.link)[0]
            else:
                right = pt.gt(low + high, 0)
                top, bottom = pt.switch(right, low_q, high_p), pt.switch(right, high_q, low_p)
                inside = top + log_one_minus_exp(pt.switch(edge, 1.0, top - bottom))
            return pt.switch(first, high_p, pt.switch(last, low_q, inside))

        return custom.observe(
            name,
            log_density,
            lambda eta, cuts, rng: self.simulate(
                eta, {"thresholds": cuts.reshape(-1, cuts.shape[-1])[0]}, {}, rng
            ),
            {"eta": eta, "cuts": others["thresholds"]},
            observed,
            dims,
            signature="(),(k)->()",
        )
