"""Mean, standard deviation and central interval over draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmlm.errors import StatisticError, message

Array = NDArray[np.float64]

COLUMNS = ("mean", "sd", "lower", "upper")


@dataclass(frozen=True)
class Interval:
    """What is told of draws.

    Parameters
    ----------
    probability
        Of the central interval.

    Raises
    ------
    StatisticError
        For a probability outside (0, 1).
    """

    probability: float = 0.95

    def __post_init__(self) -> None:
        number = isinstance(self.probability, int | float | np.number)
        if not number or not 0 < self.probability < 1:
            raise StatisticError(
                message(
                    f"probability={self.probability!r}",
                    "a number between 0 and 1",
                    "0.95 is the default",
                )
            )

    def of(self, draws: Array) -> Array:
        """Return mean, SD, lower and upper bound, shape (…, 4).

        Parameters
        ----------
        draws
            Shape (…, S). Of one draw only the mean is defined, the rest is NaN. So is all
            where a draw is NaN.
        """
        found = np.full((*draws.shape[:-1], len(COLUMNS)), np.nan)
        found[..., 0] = draws.mean(axis=-1)
        S = draws.shape[-1]
        if S == 1:
            return found
        tail = (1 - self.probability) / 2
        with np.errstate(invalid="ignore"):
            found[..., 1] = draws.std(axis=-1, ddof=1)
            found[..., 2:] = np.moveaxis(np.quantile(draws, [tail, 1 - tail], axis=-1), 0, -1)
        return found
