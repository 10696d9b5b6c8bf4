"""From the linear predictor to what is predicted of the response."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import ParameterDesign
from bayesmlm.errors import StatisticError, message
from bayesmlm.families import Family
from bayesmlm.families.categorical import Categorical
from bayesmlm.families.parameter import POSITIVE
from bayesmlm.predict.parameters import by_row

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

MEAN, LINEAR, RESPONSE = KINDS = ("mean", "linear", "response")

RESPONSES = 2
"""Purpose of the noise of responses."""


MEAN_NEEDS: dict[str, tuple[str, ...]] = {
    "student": ("nu",),
    "lognormal": ("sigma",),
    "zero_inflated_poisson": ("zi",),
    "zero_inflated_negbinomial": ("zi",),
    "hurdle_poisson": ("hu",),
    "hurdle_negbinomial": ("shape", "hu"),
}
"""Further parameters that the mean response depends on, by family; on nu whether there is one."""


@dataclass(frozen=True)
class Mean(ABC):
    """A mean as a function of linear predictors.

    Parameters
    ----------
    family
        Of the response.
    others
        Its further parameters without a formula, each of shape (S,), thresholds of shape (S, K).
    further
        Those with a formula.

    Notes
    -----
    Linear predictors are given by parameter, ``"mu"`` the location, each of shape (n, S).
    """

    family: Family
    others: Mapping[str, Array]
    further: tuple[ParameterDesign, ...] = ()

    @property
    def needs(self) -> tuple[str, ...]:
        """The parameters whose linear predictors the mean depends on."""
        return (names.MU,)

    @abstractmethod
    def mean(self, etas: Mapping[str, Array]) -> Array:
        """Return the mean, shape (n, S), or (n, C, S) of C categories."""

    def at(self, draws: Integers) -> Self:
        """Return the same of some draws."""
        return replace(self, others={name: values[draws] for name, values in self.others.items()})

    def grows(self, parameter: str) -> bool:
        """Whether the mean grows exponentially with a linear predictor, or its negative."""
        if parameter == names.MU:
            return bool(np.isinf(self.far(800.0)).any())
        return any(
            part.target == parameter and part.parameter.support == POSITIVE for part in self.further
        )

    @property
    def is_everywhere(self) -> bool:
        """Whether every linear predictor of the location has a mean."""
        return bool(np.isfinite(self.far(-1.0)).all() or np.isnan(self.far(1.0)).all())

    def far(self, eta: float) -> Array:
        """Return the mean at one linear predictor of the location, by the first draw."""
        etas = {name: np.zeros((1, 1)) for name in self.needs} | {names.MU: np.full((1, 1), eta)}
        with np.errstate(all="ignore"):
            return self.at(np.zeros(1, dtype=np.int64)).mean(etas)


@dataclass(frozen=True)
class Outcome(Mean):
    """The response of rows given their linear predictors."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The parameters whose linear predictors the mean depends on."""
        own = [part.target for part in self.further]
        wanted = own if self.family.unordered else MEAN_NEEDS.get(self.family.name, ())
        return (names.MU, *(name for name in own if name in wanted))

    def mean(self, etas: Mapping[str, Array]) -> Array:
        """Return the mean response, of categories the probability of each.

        Parameters
        ----------
        etas
            Linear predictors of at least the parameters that the mean `needs`.

        Returns
        -------
        array, shape (n, S), or (n, C, S) of C categories
            Of a binomial the mean proportion. NaN where there is no mean.
        """
        eta = etas[names.MU]
        if self.family.ordered:
            return self.shares(eta)
        others = {**self.others, **by_row(self.further, etas)}
        with np.errstate(over="ignore"):
            if isinstance(self.family, Categorical):
                return np.moveaxis(self.family.probabilities(eta, others), -1, 1)
            if self.family.link.name == "identity" and not self.family.has_scale:
                eta = np.where(eta > 0, eta, np.nan)  # a mean that must be positive
            return self.family.mean(eta, others, {})

    def shares(self, eta: Array) -> Array:
        """Return the probability of each of C ordered categories, shape (n, C, S)."""
        cuts = self.others[names.THRESHOLDS]
        found = np.empty((len(eta), cuts.shape[1] + 1, eta.shape[1]))
        below = np.zeros_like(eta)
        with np.errstate(over="ignore"):
            for k, cut in enumerate(cuts.T):
                upto = self.family.link.inverse(cut - eta)
                found[:, k] = upto - below
                below = upto
        found[:, -1] = 1 - below
        return found

    def draw(
        self, etas: Mapping[str, Array], additions: Mapping[str, Array], rng: np.random.Generator
    ) -> Array:
        """Draw responses: counts where there are trials, positions of categories.

        Parameters
        ----------
        etas
            The linear predictors of all parameters that have one.
        additions
            Each of shape (n,).
        rng
            The source of randomness.

        Raises
        ------
        StatisticError
            Where a draw has no mean, or one too large to draw from, or an impossible parameter.
        """
        own = {name: values[:, None] for name, values in additions.items()}
        others = {**self.others, **by_row(self.further, etas)}
        return drawn(self.family, etas[names.MU], others, own, rng)


def drawn(
    family: Family,
    eta: Array,
    others: Mapping[str, Array],
    rows: Mapping[str, Array],
    rng: np.random.Generator,
) -> Array:
    """Draw a response per linear predictor; see `Family.simulate`.

    Raises
    ------
    StatisticError
        Where that is impossible.
    """
    reason = "no mean, or one beyond all numbers"
    impossible = [name for name, values in others.items() if np.isnan(values).any()]
    if impossible:
        reason = f"no possible {' and '.join(impossible)}"
    else:
        try:
            with np.errstate(over="ignore"):
                return family.simulate(eta, others, rows, rng)
        except ValueError as error:
            reason += f" ({error})"
    raise StatisticError(
        message(
            f"responses that cannot be drawn: in some draws the {family.name} family has {reason}",
            "linear predictors that the links allow, and means that a computer counts to",
            f"look at kind={LINEAR!r}; predict nearer to the data, give tighter priors, or a "
            "parameter the log or logit link",
        )
    )
