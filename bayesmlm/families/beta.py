"""Beta responses: proportions strictly between 0 and 1."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bayesmlm.families import custom, tensors
from bayesmlm.families.family import Array, Family
from bayesmlm.families.link import LINKS, Link
from bayesmlm.families.locations import log_probabilities
from bayesmlm.families.log_location import chain, log_complement, log_probability
from bayesmlm.families.parameter import POSITIVE, Parameter
from bayesmlm.families.special import scaled_polygammas

PHI = Parameter("phi", "precision", POSITIVE, ("HalfCauchy", (1.0,)))


def shapes(eta: Array, phi: Any, link: Link) -> tuple[Array, Array]:
    """Return mu phi and (1 - mu) phi, positive in both tails."""
    log_p, log_q = log_probabilities(eta, link)
    smallest = np.finfo(float).tiny
    return np.maximum(np.exp(log_p) * phi, smallest), np.maximum(np.exp(log_q) * phi, smallest)


@dataclass(frozen=True)
class BetaFamily(Family):
    """y ~ Beta(mu phi, (1 - mu) phi), g(mu) = eta; the variance is mu (1 - mu) / (1 + phi).

    Notes
    -----
    The default prior of phi is HalfCauchy(1), the default of Bambi.

    References
    ----------
    Ferrari & Cribari-Neto (2004), doi:10.1080/0266476042000214501.
    """

    link: Link = LINKS["logit"]

    name: ClassVar[str] = "beta"
    links: ClassVar[tuple[str, ...]] = ("logit", "probit", "cloglog")
    support: ClassVar[str] = "numbers above 0 and below 1"
    further: ClassVar[tuple[Parameter, ...]] = (PHI,)
    proportion: ClassVar[bool] = True

    def supports(self, y: Array, rows: Mapping[str, Array]) -> NDArray[np.bool_]:
        """Return where y is strictly between 0 and 1."""
        return (y > 0) & (y < 1)

    def log_density(
        self, y: Array, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]
    ) -> Array:
        """Return the log density of the beta distribution."""
        from scipy.special import gammaln

        phi = others["phi"]
        log_p, log_q = log_probabilities(eta, self.link)
        a, b = np.exp(log_p) * phi, np.exp(log_q) * phi
        # log Gamma(a) = log Gamma(1 + a) - log a, where a may underflow
        gammas = gammaln(a + 1) + gammaln(b + 1) - log_p - log_q - 2 * np.log(phi)
        powers = (a - 1) * np.log(y) + (b - 1) * np.log1p(-y)
        return np.asarray(gammaln(phi) - gammas + powers)

    def mean(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return mu."""
        return self.link.inverse(eta)

    def variance(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return mu (1 - mu) / (1 + phi)."""
        mu = self.link.inverse(eta)
        return np.asarray(mu * (1 - mu) / (1 + np.asarray(others["phi"])))

    def simulate(
        self,
        eta: Array,
        others: Mapping[str, Any],
        rows: Mapping[str, Array],
        rng: np.random.Generator,
    ) -> Array:
        """Draw proportions; those that round to 0 or 1 are the nearest numbers inside."""
        drawn = rng.beta(*shapes(eta, others["phi"], self.link))
        return np.clip(drawn, np.finfo(float).tiny, np.nextafter(1.0, 0.0))

    def observe(
        self,
        name: str,
        eta: Any,
        others: Mapping[str, Any],
        rows: Mapping[str, Any],
        observed: Any,
        dims: str,
    ) -> Any:
        """Add a beta response, stable where mu rounds to 0 or 1."""
        import pytensor.tensor as pt

        def log_density(y: Any, eta: Any, phi: Any) -> Any:
            log_p, log_q = tensors.log_probabilities(eta, self.link)
            a, b = pt.exp(log_p) * phi, pt.exp(log_q) * phi
            gammas = pt.gammaln(a + 1) + pt.gammaln(b + 1) - log_p - log_q - 2 * pt.log(phi)
            return pt.gammaln(phi) - gammas + (a - 1) * pt.log(y) + (b - 1) * pt.log1p(-y)

        return custom.observe(
            name,
            log_density,
            lambda eta, phi, rng: self.simulate(eta, {"phi": phi}, {}, rng),
            {"eta": eta, "phi": others["phi"]},
            observed,
            dims,
        )


@njit(cache=True, nogil=True, error_model="numpy")
def shape_term(log_y, log_a):
    """Return a log y - log Gamma(a) and its three derivatives in log a, for tiny a too."""
    a = np.exp(log_a)
    zero, one, two = scaled_polygammas(a)
    first = a * log_y - zero
    value = a * log_y - math.lgamma(a + 1.0) + log_a
    return value, first, first - one, first - 3.0 * one - two


@njit(cache=True, nogil=True, error_model="numpy")
def point(link, y, eta, log_phi):
    """Return the log density of a row and its slopes; see `families.point.point`."""
    phi = np.exp(log_phi)
    p, p1, p2, p3 = log_probability(link, eta)
    q, q1, q2, q3 = log_complement(link, eta)
    a, a1, a2, a3 = shape_term(np.log(y), log_phi + p)
    b, b1, b2, b3 = shape_term(np.log1p(-y), log_phi + q)
    first, second, third = chain(a1, a2, a3, p1, p2, p3)
    other = chain(b1, b2, b3, q1, q2, q3)
    in_phi = scaled_polygammas(phi)[0] + a1 + b1
    value = math.lgamma(phi) + a + b
    return value, first + other[0], second + other[1], third + other[2], in_phi, 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def expected(link, eta, log_phi):
    """Return the expected information in eta, phi² mu'² (psi'(mu phi) + psi'((1 - mu) phi))."""
    p, p1, _, _ = log_probability(link, eta)
    q, q1, _, _ = log_complement(link, eta)
    in_a = scaled_polygammas(np.exp(log_phi + p))[1] * p1 * p1
    return in_a + scaled_polygammas(np.exp(log_phi + q))[1] * q1 * q1
