"""Negative binomial responses: counts with more variance than Poisson's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bayesmlm.families import custom, locations, tensors
from bayesmlm.families.family import Array, Family, whole
from bayesmlm.families.link import LINKS, Link
from bayesmlm.families.log_location import chain, log_mean
from bayesmlm.families.parameter import POSITIVE, Parameter
from bayesmlm.families.special import expit, log_rising, polygammas, softplus

SHAPE = Parameter("shape", "shape", POSITIVE, ("InverseGamma", (0.4, 0.3)))


def log_probability(y: Array, m: Array, k: Any) -> Array:
    """Return the log probability of counts, given log mu and the shape."""
    from scipy.special import gammaln

    log_k = np.log(k)
    choose = gammaln(y + k) - gammaln(k) - gammaln(y + 1)
    return np.asarray(choose - k * np.logaddexp(0, m - log_k) - y * np.logaddexp(0, log_k - m))


def tensor_log_probability(y: Any, m: Any, k: Any) -> Any:
    """Return what `log_probability` does, as a tensor."""
    import pytensor.tensor as pt

    log_k = pt.log(k)
    choose = pt.gammaln(y + k) - pt.gammaln(k) - pt.gammaln(y + 1)
    return choose - k * pt.softplus(m - log_k) - y * pt.softplus(log_k - m)


def draw(mu: Array, k: Any, rng: np.random.Generator) -> Array:
    """Draw counts: Poisson given a gamma mean."""
    return rng.poisson(rng.gamma(k, mu / k)).astype(float)


@dataclass(frozen=True)
class NegBinomial(Family):
    """y ~ Poisson with a mean ~ Gamma(shape, rate = shape / mu): NB2, variance mu + mu² / shape.

    Notes
    -----
    The default prior of shape is InverseGamma(0.4, 0.3), the default of brms.
    """

    link: Link = LINKS["log"]

    name: ClassVar[str] = "negbinomial"
    links: ClassVar[tuple[str, ...]] = ("log", "identity", "sqrt")
    support: ClassVar[str] = "whole numbers from 0"
    further: ClassVar[tuple[Parameter, ...]] = (SHAPE,)
    counts: ClassVar[bool] = True

    def supports(self, y: Array, rows: Mapping[str, Array]) -> NDArray[np.bool_]:
        """Return where y is a whole number from 0."""
        return whole(y)

    def log_density(
        self, y: Array, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]
    ) -> Array:
        """Return the log probability of the count."""
        m = locations.log_mean(eta, self.link)
        with np.errstate(invalid="ignore"):
            return locations.or_impossible(log_probability(y, m, others["shape"]))

    def mean(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return mu."""
        return self.link.inverse(eta)

    def variance(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return mu + mu² / shape."""
        mu = self.link.inverse(eta)
        return np.asarray(mu + mu**2 / others["shape"])

    def simulate(
        self,
        eta: Array,
        others: Mapping[str, Any],
        rows: Mapping[str, Array],
        rng: np.random.Generator,
    ) -> Array:
        """Draw counts."""
        return draw(self.link.inverse(eta), others["shape"], rng)

    def observe(
        self,
        name: str,
        eta: Any,
        others: Mapping[str, Any],
        rows: Mapping[str, Any],
        observed: Any,
        dims: str,
    ) -> Any:
        """Add a negative binomial response, stable for any mean."""
        return custom.observe(
            name,
            lambda y, eta, shape: tensor_log_probability(
                y, tensors.log_mean(eta, self.link), shape
            ),
            lambda eta, shape, rng: draw(self.link.inverse(eta), shape, rng),
            {"eta": eta, "shape": others["shape"]},
            observed,
            dims,
        )


@njit(cache=True, nogil=True, error_model="numpy")
def by_log_mean(y, m, log_shape):
    """Return the log probability, its three derivatives in m, and its slope in log shape."""
    k = np.exp(log_shape)
    s, rest = expit(m - log_shape), expit(log_shape - m)
    above, below = softplus(m - log_shape), softplus(log_shape - m)
    bend = -(k + y) * s * rest
    rise = k * (polygammas(k + y)[0] - polygammas(k)[0]) if y > 0.0 else 0.0
    value = log_rising(k, y) - k * above - y * below
    in_shape = rise - k * above + k * s - y * rest
    return value, y * rest - k * s, bend, bend * (rest - s), in_shape


@njit(cache=True, nogil=True, error_model="numpy")
def point(link, y, eta, log_shape):
    """Return the log density of a row and its slopes; see `families.point.point`."""
    m, m1, m2, m3 = log_mean(link, eta)
    if np.isnan(m):
        return -np.inf, 0.0, 0.0, 0.0, 0.0, 0.0
    value, one, two, three, in_shape = by_log_mean(y, m, log_shape)
    first, second, third = chain(one, two, three, m1, m2, m3)
    return value, first, second, third, in_shape, 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def expected(link, eta, log_shape):
    """Return the expected information in eta, mu k / (mu + k) (d log mu / d eta)²."""
    m, slope, _, _ = log_mean(link, eta)
    return np.exp(log_shape) * expit(m - log_shape) * slope * slope
