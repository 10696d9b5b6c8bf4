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


LINKS: dict[str, Link] = {link.name: link for link in (Identity(), Log(), Logit(), Probit())}
