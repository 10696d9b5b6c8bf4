"""Predictors whose group means are latent, met with data; see `bayesmlm.spec.latent_means`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design.encoding import Encoding, encode, without_factors
from bayesmlm.design.grouping import Grouping, constant_within
from bayesmlm.errors import DataError, message
from bayesmlm.spec.latent_means import arguments, latent_pairs
from bayesmlm.spec.terms import Predictor, Term

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LatentMean:
    """A predictor with latent group means.

    Parameters
    ----------
    x, group
        Its expression, and the grouping.
    values
        Its values, shape (N,).
    """

    x: str
    group: str
    values: Array

    @property
    def text(self) -> str:
        """The factor, as the formula writes it."""
        return f"latent({self.x}, {self.group})"


@dataclass(frozen=True)
class LatentColumn:
    """A column of the fixed part that holds latent means: a product.

    Parameters
    ----------
    name
        Of its coefficient.
    rest
        Product of the observed factors, shape (N,).
    means, deviations
        The predictors x whose latent mean, and whose deviation from it, are factors.
    """

    name: str
    rest: Array
    means: tuple[str, ...]
    deviations: tuple[str, ...]


@dataclass(frozen=True)
class LatentMeans:
    """All latent means of a model, and the columns that hold them."""

    means: tuple[LatentMean, ...] = ()
    columns: tuple[LatentColumn, ...] = ()

    @property
    def reason(self) -> str | None:
        """Why nothing is computed from the columns of the fixed part, or None."""
        if not self.means:
            return None
        listed = ", ".join(mean.text for mean in self.means)
        return f"{listed} {'are' if len(self.means) > 1 else 'is'} not observed"


def latent_means(
    predictor: Predictor, groupings: tuple[Grouping, ...], fixed: Encoding, frame: pd.DataFrame
) -> LatentMeans:
    """Find the latent means of a model.

    Parameters
    ----------
    predictor
        Its terms.
    groupings
        Over which effects vary.
    fixed
        Encoding of the fixed terms.
    frame
        The rows.

    Raises
    ------
    DataError
        If a latent mean has no random effects beside it, or x does not vary within groups.
    """
    pairs = latent_pairs(predictor)
    if not pairs:
        return LatentMeans()
    means = tuple(latent_mean(x, g, groupings, frame) for x, g in pairs)
    named = [name for mean in means for name in own_names(mean.x)]
    taken = names.reserved_for([g.name for g in groupings]) | {
        names.safe(g.name) for g in groupings
    }
    for name in named:
        if name in taken or named.count(name) > 1:
            raise DataError(
                message(
                    f"two things in the posterior that would be called {name!r}",
                    "names other than those of the latent means",
                    "rename the column",
                )
            )
    inside = {f"latent({x}, {g})": x for x, g in pairs} | {f"within({x}, {g})": x for x, g in pairs}
    rest = without_factors(fixed, frozenset(inside), frame)
    columns = []
    for k, name in enumerate(fixed.columns):
        own = [f for f in fixed.terms[fixed.term_of[k]].factors if f in inside]
        if own:
            held = tuple(inside[f] for f in own if arguments(f, "latent"))
            apart = tuple(inside[f] for f in own if arguments(f, "within"))
            columns.append(LatentColumn(name, rest[:, k], held, apart))
    return LatentMeans(means, tuple(columns))


def own_names(x: str) -> tuple[str, ...]:
    """Return the names of the variables of a latent mean."""
    return (*names.latent_parameters(x), names.latent(x))


def latent_mean(x: str, g: str, groupings: tuple[Grouping, ...], frame: pd.DataFrame) -> LatentMean:
    """Return one predictor with latent means."""
    found = [grouping for grouping in groupings if grouping.name == g.strip("`")]
    if not found:
        raise DataError(
            message(
                f"latent({x}, {g}), and no effects that vary over {g}",
                f"groupings of the model: {', '.join(grouping.name for grouping in groupings)}",
                f"add (1 | {g}); for nested groups make one column of their labels",
            )
        )
    columns = encode((Term((x,)),), frame)[1]
    values = columns[:, -1]
    if columns.shape[1] > 1:
        raise DataError(
            message(f"{x!r} in latent({x}, {g}) is no number", "numbers", "make it one column")
        )
    if constant_within(found[0], values):
        raise DataError(
            message(
                f"{x!r} in latent({x}, {g}) does not vary within {g}",
                "predictors of level 1, whose groups' means are to be estimated",
                f"write {x} itself, which is a predictor of {g}",
            )
        )
    return LatentMean(x, found[0].name, values)
