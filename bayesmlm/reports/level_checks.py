"""Checks by level as a page with its picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayesmlm.checks.finding import Finding, listed
from bayesmlm.checks.levels import LevelReplication
from bayesmlm.plots.canvas import Picture
from bayesmlm.plots.level_checks import level_checks
from bayesmlm.reports.shown import Shown
from bayesmlm.reports.table import Page, Table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class LevelChecks(Shown):
    """Checks by level: prints a table and what stands out, draws a picture.

    Parameters
    ----------
    title
        Of the table.
    found
        Statistics, replicates and p-values.
    told
        Lines under the table.
    """

    title: str
    found: LevelReplication
    told: tuple[str, ...] = ()

    @property
    def frame(self) -> pd.DataFrame:
        """One row a statistic, unrounded."""
        return self.found.frame

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What stands out, and the next step."""
        return self.found.findings

    @property
    def ok(self) -> bool:
        """Whether nothing stands out."""
        return not self.findings

    def plot(self, *, backend: str = "matplotlib") -> Picture:
        """Draw each statistic among its replicates; see `bayesmlm.plots.level_checks`."""
        return level_checks(self.found, backend=backend)

    def page(self) -> Page:
        """Return the table and the findings."""
        percent = f"{100 * self.found.level:g} %"
        notes = (
            f"lower, upper: 95 % of {len(self.found.replicated):,} replicates",
            f"p adjusted: for all {len(self.frame)} statistics together; one at most "
            f"{self.found.level:g} stands out, in at most {percent} of the data sets that the "
            "model describes",
            *self.told,
        )
        said = (
            "Nothing stands out."
            if self.ok
            else f"{len(self.findings)} of {len(self.frame)} stand out:\n{listed(self.findings)}"
        )
        return Page((Table(self.title, self.frame, notes), said))
