"""Student t responses: gaussian with heavier tails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bayesmlm.families.family import Array, Family
from bayesmlm.families.link import LINKS, Link
from bayesmlm.families.parameter import POSITIVE, Parameter
from bayesmlm.families.special import log_rising, polygammas

FURTHER = (
    Parameter("sigma", "residual scale", POSITIVE, ("HalfStudentT", (3.0, 2.5)), scaled=True),
    Parameter("nu", "degrees of freedom", POSITIVE, ("Gamma", (2.0, 0.1))),
)


@dataclass(frozen=True)
class Student(Family):
    """y = eta + sigma t, t a Student t with nu degrees of freedom.

    Notes
    -----
    The default prior of nu is Gamma(2, 0.1) (Juárez & Steel 2010,
    doi:10.1198/jbes.2009.07145), also the default of brms and Bambi.
    """

    link: Link = LINKS["identity"]

    name: ClassVar[str] = "student"
    links: ClassVar[tuple[str, ...]] = ("identity",)
    support: ClassVar[str] = "any finite number"
    further: ClassVar[tuple[Parameter, ...]] = FURTHER
    has_scale: ClassVar[bool] = True

    def supports(self, y: Array, rows: Mapping[str, Array]) -> NDArray[np.bool_]:
        """Return where y is finite."""
        return np.isfinite(y)

    def log_density(
        self, y: Array, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]
    ) -> Array:
        """Return the log density of the t distribution."""
        from scipy.special import gammaln

        sigma, nu = others["sigma"], others["nu"]
        square = ((y - eta) / sigma) ** 2 / nu
        constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - np.log(nu * np.pi) / 2
        return np.asarray(constant - np.log(sigma) - (nu + 1) / 2 * np.log1p(square))

    def mean(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return eta, NaN where nu <= 1."""
        return np.where(np.asarray(others["nu"]) > 1, eta, np.nan)

    def variance(self, eta: Array, others: Mapping[str, Any], rows: Mapping[str, Array]) -> Array:
        """Return sigma² nu / (nu - 2), infinite where nu <= 2."""
        nu = np.asarray(others["nu"], dtype=float)
        ratio = np.where(nu > 2, nu / np.where(nu > 2, nu - 2, 1.0), np.inf)
        return np.broadcast_to(np.asarray(others["sigma"]) ** 2 * ratio, eta.shape)

    def simulate(
        self,
        eta: Array,
        others: Mapping[str, Any],
        rows: Mapping[str, Array],
        rng: np.random.Generator,
    ) -> Array:
        """Draw t responses."""
        return np.asarray(eta + others["sigma"] * rng.standard_t(others["nu"], eta.shape))

    def observe(
        self,
        name: str,
        eta: Any,
        others: Mapping[str, Any],
        rows: Mapping[str, Any],
        observed: Any,
        dims: str,
    ) -> Any:
        """Add a StudentT response."""
        import pymc as pm

        return pm.StudentT(
            name, nu=others["nu"], mu=eta, sigma=others["sigma"], observed=observed, dims=dims
        )


@njit(cache=True, nogil=True, error_model="numpy")
def point(y, eta, log_sigma, log_nu):
    """Return the log density of a row and its slopes; see `families.point.point`."""
    inverse, nu = np.exp(-log_sigma), np.exp(log_nu)
    z = (y - eta) * inverse
    weight = (nu + 1.0) / (nu + z * z)  # of the row, as in iteratively weighted least squares
    log_tail = np.log1p(z * z / nu)
    value = log_rising(nu / 2, 0.5) - 0.5 * log_nu - log_sigma - 0.5 * (nu + 1.0) * log_tail
    squared = z * weight * z
    first = weight * z * inverse
    second = weight * (z * z - nu) / (nu + z * z) * inverse**2
    third = -2.0 * first * (3.0 * nu - z * z) / (nu + z * z) ** 2 * (inverse**2)
    rise = 0.5 * (polygammas((nu + 1.0) / 2)[0] - polygammas(nu / 2)[0])
    in_nu = nu * (rise - 0.5 * log_tail) - 0.5 + 0.5 * squared
    return value, first, second, third, squared - 1.0, in_nu


@njit(cache=True, nogil=True, error_model="numpy")
def expected(log_sigma, log_nu):
    """Return the expected information in eta, (nu + 1) / ((nu + 3) sigma²)."""
    nu = np.exp(log_nu)
    return (nu + 1.0) / (nu + 3.0) * np.exp(-2.0 * log_sigma)
