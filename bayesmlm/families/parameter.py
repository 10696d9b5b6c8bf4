"""The further parameters of a family: what they are, and how they lie on the whole line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

POSITIVE, UNIT, ORDERED, REAL = "positive", "unit", "ordered", "real"


LINKS_OF = {
    POSITIVE: ("log", "identity"),
    UNIT: ("logit", "probit", "cloglog", "identity"),
    REAL: ("identity",),
}
"""Links of a parameter that a formula gives a value a row, by its support."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of the response's distribution beside its location.

    Parameters
    ----------
    name
        Of the posterior's variable.
    meaning
        In a few words.
    support
        ``"positive"``, ``"unit"`` (between 0 and 1), ``"ordered"`` (increasing values) or
        ``"real"`` (a linear predictor).
    prior
        The default prior: the name of a distribution and its numbers.
    scaled
        Whether the last of these numbers is multiplied by the scale of the linear predictor.
    labels
        One an entry of an ordered parameter; a scalar has none.
    """

    name: str
    meaning: str
    support: str
    prior: tuple[str, tuple[float, ...]]
    scaled: bool = False
    labels: tuple[str, ...] = ()

    @property
    def links(self) -> tuple[str, ...]:
        """Links that a formula of the parameter may have, its own first."""
        return LINKS_OF.get(self.support, ())

    @property
    def size(self) -> int:
        """Number of entries."""
        return max(len(self.labels), 1)

    @property
    def on_line(self) -> tuple[str, ...]:
        """Names of the entries on the whole line."""
        if self.support == ORDERED:
            steps = (f"log step to {label}" for label in self.labels[1:])
            return (f"{self.name}[{self.labels[0]}]", *(f"{self.name}: {step}" for step in steps))
        if self.support == REAL:
            return (self.name,)
        return (f"{'log' if self.support == POSITIVE else 'logit'} {self.name}",)

    def natural(self, values: Array) -> Array:
        """Return the parameter from its values on the whole line, shape (..., size)."""
        if self.support == POSITIVE:
            return np.exp(values)
        if self.support == REAL:
            return values
        if self.support == UNIT:
            from scipy.special import expit

            return np.asarray(expit(values))
        steps = np.concatenate([values[..., :1], np.exp(values[..., 1:])], axis=-1)
        return np.cumsum(steps, axis=-1)

    def line(self, values: Array) -> Array:
        """Return the values on the whole line, the inverse of `natural`."""
        if self.support == POSITIVE:
            return np.log(values)
        if self.support == REAL:
            return values
        if self.support == UNIT:
            from scipy.special import logit

            return np.asarray(logit(values))
        return np.concatenate([values[..., :1], np.log(np.diff(values, axis=-1))], axis=-1)

    def log_jacobian(self, values: Array) -> Array:
        """Return log |d natural / d value| at values on the whole line, shape (...)."""
        if self.support == UNIT:
            from scipy.special import log_expit

            return np.asarray((log_expit(values) + log_expit(-values)).sum(axis=-1))
        if self.support == REAL:
            return np.zeros(values.shape[:-1])
        first = 0 if self.support == POSITIVE else 1
        return np.asarray(values[..., first:].sum(axis=-1))
