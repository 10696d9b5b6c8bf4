"""Predictions to look at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from bayesmlm.predict import Predictions, population_averaged
from bayesmlm.reports.summary import estimates
from bayesmlm.reports.table import Table
from bayesmlm.result import FitResult

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

TITLES = {
    "mean": "Predicted means",
    "linear": "Linear predictors",
    "response": "Predicted responses",
}


@dataclass(frozen=True)
class Prediction:
    """What `Fit.predict` returns: a table, and the draws behind it on demand.

    Parameters
    ----------
    predictions
        How the rows are predicted, in blocks.
    probability
        Of the intervals.

    Notes
    -----
    ``.frame`` holds mean, SD and interval of every row and never all draws: rows are read
    some at a time. ``.draws()`` holds them all in memory.
    """

    predictions: Predictions
    probability: float

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Mean, SD and interval of every row, of ordered categories by category; unrounded."""
        return self.predictions.frame(self.probability)

    def draws(self) -> xr.DataArray:
        """Return the draws, dims ``(chain, draw, obs)``, and ``category`` where it has any."""
        return self.predictions.draws()

    @property
    def table(self) -> Table:
        """The frame as a table."""
        notes = self.predictions.notes
        absent = int(self.frame["mean"].isna().sum())
        if absent:
            notes = (*notes, f"{absent:,} rows have no mean in some draws: NaN")
        return estimates(TITLES[self.predictions.kind], self.frame, self.probability, notes)

    def __str__(self) -> str:
        return str(self.table)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.table.html()


def population_table(result: FitResult, probability: float) -> Table:
    """Return the table of population-averaged coefficients."""
    frame = population_averaged(result, probability)
    notes = (
        "least squares over the rows of the link of means that are averaged over random effects",
        "conditional: given random effects",
    )
    return estimates("Population-averaged coefficients", frame, probability, notes)
