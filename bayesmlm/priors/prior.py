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
        """Return the log density at values of any shape, minus infinity outside the support."""
        return np.asarray(distribution(self).logpdf(x))

    def interval(self, probability: float = 0.95) -> tuple[float, float]:
        """Return the bounds of the central interval of a probability between 0 and 1."""
        low, high = distribution(self).interval(probability)
        return float(low), float(high)

    def quantile(self, probability: float) -> float:
        """Return the value that lies above a probability between 0 and 1."""
        return float(distribution(self).ppf(probability))

    def draw(self, size: int | tuple[int, ...], rng: np.random.Generator) -> Array:
        """Draw values of a shape from a generator."""
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
