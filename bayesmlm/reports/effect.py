"""Averages, comparisons and slopes to look at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from bayesmlm.predict import Estimates
from bayesmlm.reports.summary import estimates as estimates_table
from bayesmlm.reports.table import Table

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

OF = {"mean": "the mean response", "linear": "the linear predictor", "response": "responses"}


@dataclass(frozen=True)
class Effect:
    """What `Fit.predictions`, `Fit.comparisons`, `Fit.slopes` and their averages return.

    Parameters
    ----------
    estimates
        How they are computed.
    title
        Of the table.
    probability
        Of the intervals.

    Notes
    -----
    ``.frame`` holds mean, SD and interval of every estimate; ``.draws()`` the draws of
    averages.
    """

    estimates: Estimates
    title: str
    probability: float

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Mean, SD and interval of every estimate, unrounded."""
        return self.estimates.frame(self.probability)

    def draws(self) -> xr.DataArray:
        """Return draws of averages, dims ``(chain, draw, estimate)``."""
        return self.estimates.draws()

    @property
    def table(self) -> Table:
        """The frame as a table."""
        made = self.estimates
        compared = bool(made.versions[0].labels) and made.versions[0].divisor == 1.0
        how = f", {made.compare.replace('_', ' ')}" if compared else ""
        notes = (f"of {OF[made.predictions.kind]}{how}", *made.predictions.notes)
        if made.over is not None:
            notes = (f"averaged over {made.predictions.target.size:,} rows", *notes)
        return estimates_table(self.title, self.frame, self.probability, notes)

    def __str__(self) -> str:
        return str(self.table)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.table.html()
