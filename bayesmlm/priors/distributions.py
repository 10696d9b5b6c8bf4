"""The distributions that a prior may be, each with SciPy's of the same parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bayesmlm.priors.prior import Prior

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Normal(Prior):
    """Normal distribution, over the real line.

    Parameters
    ----------
    mu
        Mean.
    sigma
        Standard deviation, above zero.
    """

    mu: float = 0.0
    sigma: float = 1.0

    def frozen(self) -> Any:
        """Return the SciPy distribution."""
        from scipy.stats import norm

        return norm(self.mu, self.sigma)


@dataclass(frozen=True)
class StudentT(Prior):
    """Student's t distribution, over the real line.

    Parameters
    ----------
    nu
        Degrees of freedom, above zero.
    mu
        Location: the median.
    sigma
        Scale, above zero; the SD is sigma sqrt(nu / (nu - 2)), for nu > 2.
    """

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
    """Cauchy distribution, over the real line; it has no mean and no SD.

    Parameters
    ----------
    alpha
        Median.
    beta
        Scale, above zero: half the distance between the quartiles.
    """

    alpha: float = 0.0
    beta: float = 1.0

    scales: ClassVar[tuple[str, ...]] = ("beta",)

    def frozen(self) -> Any:
        """Return the SciPy distribution."""
        from scipy.stats import cauchy

        return cauchy(self.alpha, self.beta)


@dataclass(frozen=True)
class HalfNormal(Prior):
    """The absolute value of a Normal(0, sigma).

    Parameters
    ----------
    sigma
        SD of the normal, above zero; the median is 0.674 sigma.
    """

    sigma: float = 1.0

    positive: ClassVar[bool] = True

    def frozen(self) -> Any:
        """Return the SciPy distribution."""
        from scipy.stats import halfnorm

        return halfnorm(0, self.sigma)


@dataclass(frozen=True)
class HalfStudentT(Prior):
    """The absolute value of a Student t with location zero.

    Parameters
    ----------
    nu
        Degrees of freedom, above zero.
    sigma
        Scale, above zero.
    """

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
    """The absolute value of a Cauchy(0, beta).

    Parameters
    ----------
    beta
        Scale, above zero: the median.
    """

    beta: float = 1.0

    positive: ClassVar[bool] = True
    scales: ClassVar[tuple[str, ...]] = ("beta",)

    def frozen(self) -> Any:
        """Return the SciPy distribution."""
        from scipy.stats import halfcauchy

        return halfcauchy(0, self.beta)


@dataclass(frozen=True)
class Exponential(Prior):
    """Exponential distribution.

    Parameters
    ----------
    scale
        Mean, above zero: one over the rate.
    """

    scale: float = 1.0

    positive: ClassVar[bool] = True
    scales: ClassVar[tuple[str, ...]] = ("scale",)

    def frozen(self) -> Any:
        """Return the SciPy distribution."""
        from scipy.stats import expon

        return expon(0, self.scale)


@dataclass(frozen=True)
class Gamma(Prior):
    """Gamma distribution, of mean alpha / beta.

    Parameters
    ----------
    alpha
        Shape, above zero.
    beta
        Rate, above zero.
    """

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
    """Inverse gamma distribution: of one over a Gamma(alpha, beta).

    Parameters
    ----------
    alpha
        Shape, above zero.
    beta
        Scale, above zero; the mean is beta / (alpha - 1), for alpha > 1.
    """

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
    """Beta distribution of a probability, of mean alpha / (alpha + beta).

    Parameters
    ----------
    alpha, beta
        Shapes, above zero; 1 and 1 are uniform.
    """

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
