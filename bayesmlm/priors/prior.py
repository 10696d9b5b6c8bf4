"""Priors as plain values: each knows its log density and writes itself into PyMC."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bayesmlm.errors import PriorError, message

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Prior(ABC):
    """A univariate distribution over a parameter.

    Attributes
    ----------
    positive
        Whether the support is the positive half line.
    unit
        Whether the support is the interval from 0 to 1.
    """

    positive: ClassVar[bool] = False
    unit: ClassVar[bool] = False
    scales: ClassVar[tuple[str, ...]] = ("sigma",)

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
            if not number or not np.isfinite(value):
                raise PriorError(
                    message(
                        f"{type(self).__name__}({field.name}={value!r})",
                        "a finite number",
                        f"give {field.name} a number",
                    )
                )
            if field.name in self.scales and value <= 0:
                raise PriorError(
                    message(
                        f"{type(self).__name__}({field.name}={value!r})",
                        "a positive number",
                        f"give {field.name} a number above zero",
                    )
                )

    def __str__(self) -> str:
        inside = ", ".join(f"{getattr(self, field.name):.4g}" for field in fields(self))
        return f"{type(self).__name__}({inside})"

    @abstractmethod
    def frozen(self) -> Any:
        """Return the SciPy distribution with this prior's parameters."""

    def log_density(self, x: Array) -> Array:
        """Return the log density, minus infinity outside the support."""
        return np.asarray(distribution(self).logpdf(x))

    def interval(self, probability: float = 0.95) -> tuple[float, float]:
        """Return the central interval of a probability."""
        low, high = distribution(self).interval(probability)
        return float(low), float(high)

    def quantile(self, probability: float) -> float:
        """Return a quantile."""
        return float(distribution(self).ppf(probability))

    def draw(self, size: int | tuple[int, ...], rng: np.random.Generator) -> Array:
        """Draw values."""
        return np.asarray(distribution(self).rvs(size=size, random_state=rng))

    def parameters(self) -> dict[str, float]:
        """Return the parameters by PyMC's names."""
        return {field.name: float(getattr(self, field.name)) for field in fields(self)}

    def pymc(self, name: str, **options: Any) -> Any:
        """Add this prior as a random variable to the PyMC model on the context stack."""
        return pymc_vector(name, (self,), **options)


@cache
def distribution(prior: Prior) -> Any:
    """Return the SciPy distribution of a prior, made once: making it costs more than using it."""
    return prior.frozen()


@dataclass(frozen=True)
class Normal(Prior):
    """Normal with mean `mu` and standard deviation `sigma`."""

    mu: float = 0.0
    sigma: float = 1.0

    def frozen(self) -> Any:
        """Return the SciPy distribution."""
        from scipy.stats import norm

        return norm(self.mu, self.sigma)


@dataclass(frozen=True)
class StudentT(Prior):
    """Student's t with `nu` degrees of freedom, location `mu` and scale `sigma`."""

    nu: float = 3.0
    mu: float = 0.0
    sigma: float = 1.0

    scales: ClassVar[tuple[str, ...]] = ("nu", "sigma")

    def frozen(self) -> Any:
        """Return the SciPy distribution."""
        from scipy.stats import t

        return t(self.nu, self.mu, self.sigma)


@dataclass(frozen=True)
class Cauchy(Prior):
    """Cauchy with median `alpha` and scale `beta`."""

    alpha: float = 0.0
    beta: float = 1.0

    scales: ClassVar[tuple[str, ...]] = ("beta",)

    def frozen(self) -> Any:
        """Return the SciPy distribution."""
        from scipy.stats import cauchy

        return cauchy(self.alpha, self.beta)


@dataclass(frozen=True)
class HalfNormal(Prior):
    """The absolute value of a Normal(0, sigma)."""

    sigma: float = 1.0

    positive: ClassVar[bool] = True

    def frozen(self) -> Any:
        """Return the SciPy distribution."""
        from scipy.stats import halfnorm

        return halfnorm(0, self.sigma)


@dataclass(frozen=True)
class HalfStudentT(Prior):
    """The absolute value of a Student t with `nu` degrees of freedom and scale `sigma`."""

    nu: float = 3.0
    sigma: float = 1.0

    positive: ClassVar[bool] = True
    scales: ClassVar[tuple[str, ...]] = ("nu", "sigma")

    def frozen(self) -> Any:
        """Return the distribution of the absolute value."""
        from scipy.stats import t

        return Folded(t(self.nu, 0, self.sigma))


@dataclass(frozen=True)
class HalfCauchy(Prior):
    """The absolute value of a Cauchy(0, beta)."""

    beta: float = 1.0

    positive: ClassVar[bool] = True
    scales: ClassVar[tuple[str, ...]] = ("beta",)

    def frozen(self) -> Any:
        """Return the SciPy distribution."""
        from scipy.stats import halfcauchy

        return halfcauchy(0, self.beta)


@dataclass(frozen=True)
class Exponential(Prior):
    """Exponential with mean `scale`."""

    scale: float = 1.0

    positive: ClassVar[bool] = True
    scales: ClassVar[tuple[str, ...]] = ("scale",)

    def frozen(self) -> Any:
        """Return the SciPy distribution."""
        from scipy.stats import expon

        return expon(0, self.scale)


@dataclass(frozen=True)
class Gamma(Prior):
    """Gamma with shape `alpha` and rate `beta`."""

    alpha: float = 2.0
    beta: float = 0.1

    positive: ClassVar[bool] = True
    scales: ClassVar[tuple[str, ...]] = ("alpha", "beta")

    def frozen(self) -> Any:
        """Return the SciPy distribution."""
        from scipy.stats import gamma

        return gamma(self.alpha, scale=1 / self.beta)


@dataclass(frozen=True)
class InverseGamma(Prior):
    """Inverse gamma with shape `alpha` and scale `beta`."""

    alpha: float = 2.0
    beta: float = 1.0

    positive: ClassVar[bool] = True
    scales: ClassVar[tuple[str, ...]] = ("alpha", "beta")

    def frozen(self) -> Any:
        """Return the SciPy distribution."""
        from scipy.stats import invgamma

        return invgamma(self.alpha, scale=self.beta)


@dataclass(frozen=True)
class Beta(Prior):
    """Beta with shapes `alpha` and `beta`, of a probability."""

    alpha: float = 1.0
    beta: float = 1.0

    unit: ClassVar[bool] = True
    scales: ClassVar[tuple[str, ...]] = ("alpha", "beta")

    def frozen(self) -> Any:
        """Return the SciPy distribution."""
        from scipy.stats import beta

        return beta(self.alpha, self.beta)


@dataclass(frozen=True)
class Folded:
    """The absolute value of a distribution symmetric about zero, with SciPy's methods."""

    symmetric: Any

    def logpdf(self, x: Array) -> Array:
        """Return the log density."""
        x = np.asarray(x, dtype=float)
        return np.where(x >= 0, np.log(2) + self.symmetric.logpdf(x), -np.inf)

    def rvs(self, size: Any, random_state: np.random.Generator) -> Array:
        """Return random values."""
        return np.abs(self.symmetric.rvs(size=size, random_state=random_state))

    def ppf(self, probability: float) -> float:
        """Return a quantile."""
        return float(self.symmetric.ppf((1 + probability) / 2))

    def interval(self, probability: float) -> tuple[float, float]:
        """Return the central interval."""
        return self.ppf((1 - probability) / 2), self.ppf((1 + probability) / 2)


PRIORS: dict[str, type[Prior]] = {
    kind.__name__: kind
    for kind in (
        Normal,
        StudentT,
        Cauchy,
        HalfNormal,
        HalfStudentT,
        HalfCauchy,
        Exponential,
        Gamma,
        InverseGamma,
        Beta,
    )
}


def pymc_vector(name: str, priors: tuple[Prior, ...], **options: Any) -> Any:
    """Add independent priors of one kind to the PyMC model on the context stack.

    Parameters
    ----------
    name
        Name of the random variable.
    priors
        Priors of one class; one gives a scalar unless `dims` is among the options.
    options
        Passed to PyMC, ``dims`` and ``default_transform`` among them.
    """
    import pymc as pm

    kind = type(priors[0])
    values = {
        key: np.array([prior.parameters()[key] for prior in priors])
        for key in priors[0].parameters()
    }
    arguments = {
        key: float(value[0]) if (value == value[0]).all() else value
        for key, value in values.items()
    }
    return getattr(pm, kind.__name__)(name, **arguments, **options)
