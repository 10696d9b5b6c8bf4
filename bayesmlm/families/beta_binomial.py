"""Beta-binomial responses: successes in known trials whose probability varies by row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bayesmlm.families import custom, tensors
from bayesmlm.families.beta import PHI, shapes
from bayesmlm.families.family import Array, Family, whole
from bayesmlm.families.link import LINKS, Link
from bayesmlm.families.locations import log_probabilities
from bayesmlm.families.log_location import chain, log_complement, log_probability
from bayesmlm.families.parameter import Parameter
from bayesmlm.families.special import log_rising, polygammas, scaled_polygammas


@dataclass(frozen=True)
class BetaBinomial(Family):
    """y ~ Binomial(trials, p), p ~ Beta(mu phi, (1 - mu) phi), g(mu) = eta.

    Notes
    -----
    The default prior of phi is HalfCauchy(1), the default of Bambi.
    """

    link: Link = LINKS["logit"]

    name: ClassVar[str] = "beta_binomial"
    links: ClassVar[tuple[str, ...]] = ("logit", "probit", "cloglog")
    additions: ClassVar[tuple[str, ...]] = ("weights", "trials")
    needs: ClassVar[tuple[str, ...]] = ("trials",)
    support: ClassVar[str] = "whole numbers from 0 to the number of trials"
    further: ClassVar[tuple[Parameter, ...]] = (PHI,)
    counts: ClassVar[bool] = True
    proportion: ClassVar[bool] = True

    def supports(self, y: Array, rows: Mapping[str, Array]) -> NDArray[np.bool_]:
        """Return where y is a whole number between 0 and the trials."""
        return whole(y) & (y <= rows["trials"])

    def log_density(
        self, y: Array, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]
    ) -> Array:
        """Return log C(n, y) + log B(y + a, n - y + b) - log B(a, b), a and b the shapes."""
        from scipy.special import gammaln

        n, phi = rows["trials"], others["phi"]
        log_p, log_q = log_probabilities(eta, self.link)

        def rising(count: Array, log_shape: Array) -> Array:
            a = np.exp(log_shape)
            grown = gammaln(a + np.maximum(count, 1)) - gammaln(a + 1) + log_shape
            return np.where(count > 0, grown, 0.0)

        choose = gammaln(n + 1) - gammaln(y + 1) - gammaln(n - y + 1)
        own = rising(y, np.log(phi) + log_p) + rising(n - y, np.log(phi) + log_q)
        return np.asarray(choose + own - gammaln(phi + n) + gammaln(phi))

    def mean(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return mu, the mean of the proportion."""
        return self.link.inverse(eta)

    def variance(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return mu (1 - mu) (1 + (n - 1) / (1 + phi)) / n, the variance of the proportion."""
        mu, n = self.link.inverse(eta), rows["trials"]
        return np.asarray(mu * (1 - mu) * (1 + (n - 1) / (1 + np.asarray(others["phi"]))) / n)

    def simulate(
        self,
        eta: Array,
        others: Mapping[str, Any],
        rows: Mapping[str, Array],
        rng: np.random.Generator,
    ) -> Array:
        """Draw numbers of successes."""
        p = rng.beta(*shapes(eta, others["phi"], self.link))
        return rng.binomial(rows["trials"].astype(np.int64), p).astype(float)

    def known(self, rows: Mapping[str, Array]) -> Array:
        """Return the trials."""
        return rows["trials"][None]

    def observe(
        self,
        name: str,
        eta: Any,
        others: Mapping[str, Any],
        rows: Mapping[str, Any],
        observed: Any,
        dims: str,
    ) -> Any:
        """Add a beta-binomial response, stable where mu rounds to 0 or 1."""
        import pytensor.tensor as pt

        def rising(count: Any, log_shape: Any) -> Any:
            a = pt.exp(log_shape)
            grown = pt.gammaln(a + pt.maximum(count, 1)) - pt.gammaln(a + 1) + log_shape
            return pt.switch(pt.gt(count, 0), grown, 0.0)

        def log_density(y: Any, eta: Any, phi: Any, n: Any) -> Any:
            log_p, log_q = tensors.log_probabilities(eta, self.link)
            choose = pt.gammaln(n + 1) - pt.gammaln(y + 1) - pt.gammaln(n - y + 1)
            own = rising(y, pt.log(phi) + log_p) + rising(n - y, pt.log(phi) + log_q)
            return choose + own - pt.gammaln(phi + n) + pt.gammaln(phi)

        return custom.observe(
            name,
            log_density,
            lambda eta, phi, n, rng: self.simulate(eta, {"phi": phi}, {"trials": n}, rng),
            {"eta": eta, "phi": others["phi"], "n": rows["trials"]},
            observed,
            dims,
        )


@njit(cache=True, nogil=True, error_model="numpy")
def rising_term(n, log_a):
    """Return log Gamma(a + n) - log Gamma(a) and its three derivatives in log a."""
    if n == 0.0:
        return 0.0, 0.0, 0.0, 0.0
    a = np.exp(log_a)
    zero, one, two = polygammas(a + n)
    own = scaled_polygammas(a)
    first = a * zero - own[0]
    bend, twist = a * a * one - own[1], a * a * a * two - own[2]
    value = log_rising(a, n) if a > 1e-300 else log_a + log_rising(1.0, n - 1.0)
    return value, first, first + bend, first + 3.0 * bend + twist


@njit(cache=True, nogil=True, error_model="numpy")
def point(link, y, eta, log_phi, trials):
    """Return the log density of a row and its slopes; see `families.point.point`."""
    p, p1, p2, p3 = log_probability(link, eta)
    q, q1, q2, q3 = log_complement(link, eta)
    a, a1, a2, a3 = rising_term(y, log_phi + p)
    b, b1, b2, b3 = rising_term(trials - y, log_phi + q)
    whole, in_whole, _, _ = rising_term(trials, log_phi)
    first, second, third = chain(a1, a2, a3, p1, p2, p3)
    other = chain(b1, b2, b3, q1, q2, q3)
    in_phi = a1 + b1 - in_whole
    value = a + b - whole
    return value, first + other[0], second + other[1], third + other[2], in_phi, 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def expected(link, eta, log_phi, trials):
    """Return the information in eta of mean and variance alone, at most the expected one."""
    inflated = 1.0 + (trials - 1.0) / (1.0 + np.exp(log_phi))
    return -trials * log_probability(link, eta)[1] * log_complement(link, eta)[1] / inflated
