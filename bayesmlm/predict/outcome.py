"""From the linear predictor to what is predicted of the response."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.errors import StatisticError, message
from bayesmlm.families import Family

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

MEAN, LINEAR, RESPONSE = KINDS = ("mean", "linear", "response")

RESPONSES = 2
"""Purpose of the noise of responses."""


@dataclass(frozen=True)
class Mean(ABC):
    """A mean as a function of the linear predictor.

    Parameters
    ----------
    family
        Of the response.
    others
        Its further parameters, each of shape (S,), thresholds of shape (S, K).
    """

    family: Family
    others: Mapping[str, Array]

    @abstractmethod
    def mean(self, eta: Array) -> Array:
        """Return the mean, shape (n, S), or (n, C, S) of C categories; eta of shape (n, S)."""

    def at(self, draws: Integers) -> Self:
        """Return the same of some draws."""
        return replace(self, others={name: values[draws] for name, values in self.others.items()})

    @property
    def grows(self) -> bool:
        """Whether the mean grows exponentially with the linear predictor."""
        return bool(np.isinf(self.far(800.0)).any())

    @property
    def is_everywhere(self) -> bool:
        """Whether every linear predictor has a mean."""
        return bool(np.isfinite(self.far(-1.0)).all() or np.isnan(self.far(1.0)).all())

    def far(self, eta: float) -> Array:
        """Return the mean at one linear predictor, by the first draw."""
        with np.errstate(all="ignore"):
            return self.at(np.zeros(1, dtype=np.int64)).mean(np.full((1, 1), eta))


@dataclass(frozen=True)
class Outcome(Mean):
    """The response of rows given their linear predictor."""

    def mean(self, eta: Array) -> Array:
        """Return the mean response, of ordered categories the probability of each.

        Parameters
        ----------
        eta
            Shape (n, S).

        Returns
        -------
        array, shape (n, S), or (n, C, S) of C categories
            Of a binomial the mean proportion. NaN where there is no mean.
        """
        with np.errstate(over="ignore"):
            if self.family.link.name == "identity" and not self.family.has_scale:
                eta = np.where(eta > 0, eta, np.nan)  # a mean that must be positive
            if not self.family.ordered:
                return self.family.mean(eta, self.others, {})
            cuts = self.others[names.THRESHOLDS]
            found = np.empty((len(eta), cuts.shape[1] + 1, eta.shape[1]))
            below = np.zeros_like(eta)
            for k, cut in enumerate(cuts.T):
                upto = self.family.link.inverse(cut - eta)
                found[:, k] = upto - below
                below = upto
        found[:, -1] = 1 - below
        return found

    def draw(self, eta: Array, additions: Mapping[str, Array], rng: np.random.Generator) -> Array:
        """Draw responses: counts where there are trials, positions of ordered categories.

        Parameters
        ----------
        eta
            Shape (n, S).
        additions
            Each of shape (n,).
        rng
            The source of randomness.

        Raises
        ------
        StatisticError
            Where a draw has no mean, or one too large to draw from.
        """
        own = {name: values[:, None] for name, values in additions.items()}
        try:
            with np.errstate(over="ignore"):
                return self.family.simulate(eta, self.others, own, rng)
        except ValueError as error:
            raise StatisticError(
                message(
                    f"responses that cannot be drawn: in some draws the {self.family.name} family "
                    f"has no mean, or one beyond all numbers ({error})",
                    "linear predictors that the link allows, and means that a computer counts to",
                    f"look at kind={LINEAR!r}; predict nearer to the data, or give tighter priors",
                )
            ) from error
