"""`fit.plot`: the pictures of one fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bayesmlm.plots.canvas import Picture
from bayesmlm.plots.caterpillar import caterpillar
from bayesmlm.plots.lines import lines
from bayesmlm.plots.prior_posterior import prior_posterior
from bayesmlm.plots.qq import qq
from bayesmlm.plots.r2 import r2
from bayesmlm.plots.rights_sterba import rights_sterba
from bayesmlm.plots.scatter_matrix import scatter_matrix
from bayesmlm.plots.shrinkage import shrinkage
from bayesmlm.plots.spaghetti import spaghetti
from bayesmlm.plots.variance_components import variance_components
from bayesmlm.plots.variance_function import variance_function
from bayesmlm.plots.within_between import within_between
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import PROBABILITY


@dataclass(frozen=True)
class Plots:
    """Pictures of a fit; each takes ``backend="matplotlib"``, ``"plotly"`` or ``"bokeh"``.

    Parameters
    ----------
    result
        The fit.

    Notes
    -----
    A picture shows itself in a notebook; ``picture.savefig("x.png")`` saves it, and
    ``picture.figure`` is the figure of the backend. `group` may be left out where the model
    has one grouping.
    """

    result: FitResult

    def __repr__(self) -> str:
        known = ", ".join(name for name in vars(Plots) if not name.startswith("_"))
        return f"<pictures of a fit: {known}>"

    def caterpillar(
        self,
        group: str | None = None,
        effect: str | None = None,
        probability: float = PROBABILITY,
        *,
        pairwise: bool = False,
        backend: str = "matplotlib",
    ) -> Picture:
        """Draw every group's deviations in order; see `bayesmlm.plots.caterpillar`."""
        name = self.result.only_group(group)
        return caterpillar(
            self.result, name, effect, probability, pairwise=pairwise, backend=backend
        )

    def shrinkage(
        self,
        group: str | None = None,
        effects: tuple[str, str] | None = None,
        *,
        backend: str = "matplotlib",
    ) -> Picture:
        """Draw every group from no pooling to pooling; see `bayesmlm.plots.shrinkage`."""
        return shrinkage(self.result, self.result.only_group(group), effects, backend=backend)

    def lines(
        self,
        group: str | None = None,
        x: str | None = None,
        groups: Sequence[Any] | None = None,
        *,
        backend: str = "matplotlib",
    ) -> Picture:
        """Draw the regression lines of groups, a panel each; see `bayesmlm.plots.lines`."""
        return lines(self.result, self.result.only_group(group), x, groups, backend=backend)

    def spaghetti(
        self,
        group: str | None = None,
        x: str | None = None,
        draws: int = 100,
        seed: int | None = None,
        *,
        backend: str = "matplotlib",
    ) -> Picture:
        """Draw lines of new groups from the population; see `bayesmlm.plots.spaghetti`."""
        name = self.result.only_group(group)
        return spaghetti(self.result, name, x, draws, seed, backend=backend)

    def variance_components(
        self, probability: float = PROBABILITY, *, backend: str = "matplotlib"
    ) -> Picture:
        """Draw SDs and shares; see `bayesmlm.plots.variance_components`."""
        return variance_components(self.result, probability, backend=backend)

    def variance_function(
        self,
        group: str | None = None,
        x: str | None = None,
        probability: float = PROBABILITY,
        *,
        backend: str = "matplotlib",
    ) -> Picture:
        """Draw variance and ICC along a predictor; see `bayesmlm.plots.variance_function`."""
        name = self.result.only_group(group)
        return variance_function(self.result, name, x, probability, backend=backend)

    def within_between(
        self,
        group: str | None = None,
        x: str | None = None,
        between: str | None = None,
        probability: float = PROBABILITY,
        *,
        backend: str = "matplotlib",
    ) -> Picture:
        """Draw a predictor within and between groups; see `bayesmlm.plots.within_between`."""
        name = self.result.only_group(group)
        return within_between(self.result, name, x, between, probability, backend=backend)

    def r2(self, probability: float = PROBABILITY, *, backend: str = "matplotlib") -> Picture:
        """Draw explained variance by every definition; see `bayesmlm.plots.r2`."""
        return r2(self.result, probability, backend=backend)

    def rights_sterba(
        self, by_level: bool | None = None, *, backend: str = "matplotlib"
    ) -> Picture:
        """Draw where the outcome variance comes from; see `bayesmlm.plots.rights_sterba`."""
        return rights_sterba(self.result, by_level, backend=backend)

    def qq(
        self,
        group: str | None = None,
        effect: str | None = None,
        probability: float = PROBABILITY,
        *,
        backend: str = "matplotlib",
    ) -> Picture:
        """Draw effects against normal quantiles; see `bayesmlm.plots.qq`."""
        return qq(self.result, self.result.only_group(group), effect, probability, backend=backend)

    def scatter_matrix(self, group: str | None = None, *, backend: str = "matplotlib") -> Picture:
        """Draw every pair of effects; see `bayesmlm.plots.scatter_matrix`."""
        return scatter_matrix(self.result, self.result.only_group(group), backend=backend)

    def prior_posterior(self, *, backend: str = "matplotlib") -> Picture:
        """Draw prior and posterior of every parameter; see `bayesmlm.plots.prior_posterior`."""
        return prior_posterior(self.result, backend=backend)
