"""The result of a cross-validation: log predictive densities of what was left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmlm.checks.target import GROUP

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class LeftOut:
    """Expected log predictive density of rows or groups that were left out.

    Parameters
    ----------
    predict
        ``"new row"`` or ``"new group"``.
    of
        The name of the rows or of the grouping.
    frame
        A row each: ``elpd``, its log density without itself; ``p``, how much that is below
        the density with it; ``k_hat``, the Pareto shape of the importance weights, missing
        where none were used; ``refitted``.
    n_draws
        Draws of the posterior.
    good_k
        Pareto shape above which an importance weighted value is unreliable.
    outcome
        What was predicted: the name of the response and its values, which fits that are
        compared must share.
    method
        In words.
    notes
        What is to be known of it.
    """

    predict: str
    of: str
    frame: pd.DataFrame
    n_draws: int
    good_k: float
    outcome: tuple[str, Any] = field(repr=False)
    method: str
    notes: tuple[str, ...] = ()

    @property
    def elpd(self) -> float:
        """The sum of the log predictive densities."""
        return float(self.frame["elpd"].sum())

    @property
    def se(self) -> float:
        """The standard error of `elpd` over rows or groups."""
        values = self.frame["elpd"].to_numpy()
        return float(np.sqrt(len(values)) * values.std())

    @property
    def p(self) -> float:
        """The effective number of parameters."""
        return float(self.frame["p"].sum())

    @property
    def refitted(self) -> int:
        """How many were refitted."""
        return int(self.frame["refitted"].sum())

    @property
    def unreliable(self) -> int:
        """How many have a Pareto shape above `good_k` and were not refitted."""
        return int(((self.frame["k_hat"] > self.good_k) & ~self.frame["refitted"]).sum())

    @property
    def ok(self) -> bool:
        """Whether every value is reliable."""
        return self.unreliable == 0

    def arviz(self) -> Any:
        """Return the `arviz_stats.utils.ELPDDataLOO` that ArviZ's functions take."""
        import xarray as xr
        from arviz_stats.utils import ELPDDataLOO

        dim = "obs" if self.predict != GROUP else "group"
        coords = {dim: [str(label) for label in self.frame.index]}
        k_hat = self.frame["k_hat"].where(~self.frame["refitted"], 0.0).fillna(0.0)
        return ELPDDataLOO(
            elpd=self.elpd,
            se=self.se,
            p=self.p,
            n_samples=self.n_draws,
            n_data_points=len(self.frame),
            scale="log",
            warning=not self.ok,
            good_k=self.good_k,
            elpd_i=xr.DataArray(self.frame["elpd"].to_numpy(), coords, [dim]),
            pareto_k=xr.DataArray(k_hat.to_numpy(), coords, [dim]),
        )

    def __str__(self) -> str:
        what = "rows" if self.predict != GROUP else f"groups of {self.of}"
        lines = [
            f"Predicting a {self.predict}: elpd {self.elpd:,.1f} (SE {self.se:,.1f}) over "
            f"{len(self.frame):,} {what}, {self.p:,.1f} effective parameters",
            f"  {self.method}",
        ]
        if self.refitted:
            lines.append(f"  {self.refitted:,} {what} refitted")
        if not self.ok:
            lines.append(
                f"  unreliable: {self.unreliable:,} {what} with Pareto k-hat above "
                f"{self.good_k:.2f} and not refitted; pass refits={self.unreliable} or more"
            )
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    __repr__ = __str__
