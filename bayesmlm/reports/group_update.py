"""One group's effects after new rows, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesmlm import names
from bayesmlm.predict.one_group import EXACT, GroupPosterior
from bayesmlm.reports.shown import Shown
from bayesmlm.reports.table import Page, Table
from bayesmlm.result import FitResult

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

KHAT_LIMIT = 0.7
"""Pareto shape from which the weights are not to be relied on."""


@dataclass(frozen=True, repr=False)
class GroupUpdate(Shown):
    """The posterior of one group's effects after new rows.

    Parameters
    ----------
    result
        The fit.
    found
        What the rows say.
    probability
        Of the intervals.
    """

    result: FitResult
    found: GroupPosterior
    probability: float

    @property
    def draws(self) -> xr.DataArray:
        """Equally weighted draws, dims (draw, <group>_effect)."""
        import xarray as xr

        block = self.found.block
        effect = names.effect_dim(block.name)
        return xr.DataArray(
            self.found.draws,
            dims=("draw", effect),
            coords={effect: list(block.effects)},
            name=names.effects(block.name),
        )

    @property
    def khat(self) -> float:
        """Pareto shape of the weights; minus infinity where they have no tail."""
        return self.found.khat

    @property
    def ok(self) -> bool:
        """Whether the weights can be relied on."""
        return bool(self.found.khat <= KHAT_LIMIT)

    @property
    def frame(self) -> pd.DataFrame:
        """A row an effect: mean, sd, lower and upper."""
        import pandas as pd

        found, tail = self.found, (1 - self.probability) / 2
        lower, upper = np.quantile(found.draws, [tail, 1 - tail], axis=0)
        columns = {"mean": found.mean, "sd": found.sd, "lower": lower, "upper": upper}
        index = pd.Index(list(found.block.effects), name="effect")
        return pd.DataFrame(columns, index=index)

    def page(self) -> Page:
        """Return the table and how it was made."""
        found = self.found
        kind = "known to the fit" if found.known else "new"
        title = f"{found.block.name} {found.label} ({kind}) after {found.rows:,} more rows"
        exact = self.result.design.family.name in EXACT
        how = "exact given each draw of the hyperparameters" if exact else "by importance weights"
        weights = (
            "no tail" if found.khat == -np.inf else f"Pareto k-hat {found.khat:.2f}"
        ) + f", effective draws {found.ess:,.0f} of {len(found.draws):,}"
        notes = [f"effects: {how}; weights of the draws: {weights}"]
        if not self.ok:
            notes.append(
                f"k-hat above {KHAT_LIMIT}: the rows say more than the draws can tell; fit again "
                "with them"
            )
        return Page((Table(title, self.frame, tuple(notes)),))
