"""Link functions: eta = g(mu), with the inverse and its derivative."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Link(ABC):
    """A monotone map between the mean and the linear predictor."""

    name: ClassVar[str]

    @abstractmethod
    def link(self, mu: Array) -> Array:
        """Return eta = g(mu)."""

    @abstractmethod
    def inverse(self, eta: Array) -> Array:
        """Return mu = g⁻¹(eta)."""

    @abstractmethod
    def inverse_slope(self, eta: Array) -> Array:
        """Return d mu / d eta."""


@dataclass(frozen=True)
class Identity(Link):
    """eta = mu."""

    name: ClassVar[str] = "identity"

    def link(self, mu: Array) -> Array:
        """Return mu."""
        return mu

    def inverse(self, eta: Array) -> Array:
        """Return eta."""
        return eta

    def inverse_slope(self, eta: Array) -> Array:
        """Return ones."""
        return np.ones_like(eta)


@dataclass(frozen=True)
class Log(Link):
    """eta = log(mu)."""

    name: ClassVar[str] = "log"

    def link(self, mu: Array) -> Array:
        """Return log(mu)."""
        return np.log(mu)

    def inverse(self, eta: Array) -> Array:
        """Return exp(eta)."""
        return np.exp(eta)

    def inverse_slope(self, eta: Array) -> Array:
        """Return exp(eta)."""
        return np.exp(eta)


@dataclass(frozen=True)
class Logit(Link):
    """eta = log(mu / (1 - mu))."""

    name: ClassVar[str] = "logit"

    def link(self, mu: Array) -> Array:
        """Return the log odds."""
        from scipy.special import logit

        return np.asarray(logit(mu))

    def inverse(self, eta: Array) -> Array:
        """Return the probability."""
        from scipy.special import expit

        return np.asarray(expit(eta))

    def inverse_slope(self, eta: Array) -> Array:
        """Return p (1 - p)."""
        return self.inverse(eta) * self.inverse(-eta)


@dataclass(frozen=True)
class Probit(Link):
    """eta = Phi⁻¹(mu), Phi the standard normal distribution function."""

    name: ClassVar[str] = "probit"

    def link(self, mu: Array) -> Array:
        """Return the standard normal quantile."""
        from scipy.special import ndtri

        return np.asarray(ndtri(mu))

    def inverse(self, eta: Array) -> Array:
        """Return the probability."""
        from scipy.special import ndtr

        return np.asarray(ndtr(eta))

    def inverse_slope(self, eta: Array) -> Array:
        """Return the standard normal density."""
        return np.exp(-0.5 * eta**2) / np.sqrt(2 * np.pi)


@dataclass(frozen=True)
class CLogLog(Link):
    """eta = log(-log(1 - mu)), the complementary log-log link."""

    name: ClassVar[str] = "cloglog"

    def link(self, mu: Array) -> Array:
        """Return the complementary log-log."""
        return np.log(-np.log1p(-mu))

    def inverse(self, eta: Array) -> Array:
        """Return the probability."""
        return np.asarray(-np.expm1(-np.exp(eta)))

    def inverse_slope(self, eta: Array) -> Array:
        """Return exp(eta - exp(eta))."""
        return np.exp(eta - np.exp(eta))


@dataclass(frozen=True)
class Inverse(Link):
    """eta = 1 / mu, of a positive mean."""

    name: ClassVar[str] = "inverse"

    def link(self, mu: Array) -> Array:
        """Return 1 / mu."""
        return 1 / mu

    def inverse(self, eta: Array) -> Array:
        """Return 1 / eta, NaN where eta is not positive."""
        return 1 / np.where(eta > 0, eta, np.nan)

    def inverse_slope(self, eta: Array) -> Array:
        """Return -1 / eta²."""
        return -(self.inverse(eta) ** 2)


@dataclass(frozen=True)
class Sqrt(Link):
    """eta = sqrt(mu), of a positive mean."""

    name: ClassVar[str] = "sqrt"

    def link(self, mu: Array) -> Array:
        """Return the square root."""
        return np.sqrt(mu)

    def inverse(self, eta: Array) -> Array:
        """Return eta², NaN where eta is not positive."""
        return np.where(eta > 0, eta, np.nan) ** 2

    def inverse_slope(self, eta: Array) -> Array:
        """Return 2 eta."""
        return 2 * np.where(eta > 0, eta, np.nan)


LINKS: dict[str, Link] = {
    link.name: link for link in (Identity(), Log(), Logit(), Probit(), CLogLog(), Inverse(), Sqrt())
}
