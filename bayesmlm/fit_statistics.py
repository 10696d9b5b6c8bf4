"""The statistics of a fit. Each method is one line to the floor that does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bayesmlm import summaries
from bayesmlm.effects import random_effects
from bayesmlm.reports import Table
from bayesmlm.reports.statistics import (
    anova_table,
    icc_table,
    information_table,
    likelihood_ratio_table,
    pooling_table,
    r2_table,
    ranks_table,
    reliability_table,
    shrinkage_table,
    standard_error_table,
    variance_function_table,
    within_between_table,
)
from bayesmlm.reports.summary import estimates as estimates_table
from bayesmlm.reports.summary import fixed_table, latent_table, variance_table
from bayesmlm.reports.vocabulary import words
from bayesmlm.summaries.draws import PROBABILITY
from bayesmlm.summaries.grid import At

if TYPE_CHECKING:
    import xarray as xr
from bayesmlm.fit_held import HeldFit


class FitStatistics(HeldFit):
    """Estimates, variance components and what is computed of them."""

    @property
    def deviance(self) -> float:
        """Minus twice the log likelihood at its maximum (ML), or the REML criterion."""
        return summaries.at_maximum(self.result, "deviance")

    @property
    def log_likelihood(self) -> float:
        """The log likelihood, or the restricted one, at its maximum."""
        return summaries.at_maximum(self.result, "log_likelihood")

    @property
    def aic(self) -> float:
        """Akaike's information criterion of an ML or REML fit."""
        return summaries.at_maximum(self.result, "aic")

    @property
    def bic(self) -> float:
        """The Bayesian information criterion of an ML or REML fit, n the number of rows."""
        return summaries.at_maximum(self.result, "bic")

    def information(self) -> Table:
        """Return AIC (marginal and conditional) and BIC (of rows and groups) of an ML fit."""
        return information_table(self.result)

    def likelihood_ratio(self, smaller: HeldFit) -> Table:
        """Return the likelihood-ratio test of this ML fit against one nested in it."""
        return likelihood_ratio_table(self.result, smaller.result)

    def fixef(self, probability: float = PROBABILITY) -> Table:
        """Return the fixed effects."""
        return fixed_table(self.result, probability)

    def ranef(self, group: str | None = None, probability: float = PROBABILITY) -> Table:
        """Return every group's deviations from the fixed part."""
        name = self.only_group(group)
        frame = summaries.ranef(self.result, name, probability)
        return estimates_table(words().random.format(group=name), frame, probability)

    def coef(self, group: str | None = None, probability: float = PROBABILITY) -> Table:
        """Return every group's coefficients: fixed effects plus deviations."""
        name = self.only_group(group)
        frame = summaries.coef(self.result, name, probability)
        note = "fixed coefficient plus deviation; group-level predictors are not added"
        return estimates_table(f"Coefficients by {name}", frame, probability, (note,))

    def random_effects(
        self, group: str | None = None, labels: Sequence[Any] | None = None
    ) -> xr.DataArray:
        """Return the draws behind `ranef`, kept or drawn again.

        Parameters
        ----------
        group
            The grouping; None where there is only one.
        labels
            Of the groups wanted; None returns all, in memory.

        Returns
        -------
        xarray.DataArray
            Dims ``(chain, draw, <group>, <group>_effect)``; draw by draw they belong to the
            fixed effects and variances of ``fit.tree``.
        """
        return random_effects(self.result, self.only_group(group), labels)

    def corr(self, group: str | None = None) -> Table:
        """Return the posterior mean correlation matrix of a grouping's effects."""
        name = self.only_group(group)
        frame = summaries.corr(self.result, name).rename_axis(" ")
        return Table(f"Correlations of the effects by {name}", frame)

    def variance_components(self, probability: float = PROBABILITY) -> Table:
        """Return SDs, variances, correlations and shares of the total variance."""
        return variance_table(self.result, probability)

    def icc(
        self,
        probability: float = PROBABILITY,
        *,
        kind: str = "correlation",
        scale: str = "latent",
        at: At | None = None,
        eta: float | None = None,
        seed: int = 0,
    ) -> Table:
        """Return the intraclass correlation of each grouping; see `bayesmlm.summaries.icc`."""
        options = {"kind": kind, "scale": scale, "at": at, "eta": eta, "seed": seed}
        return icc_table(self.result, probability, **options)

    def variance_function(self, at: At, probability: float = PROBABILITY) -> Table:
        """Return variances where slopes vary, ``at={"x": [-1, 0, 1]}``."""
        return variance_function_table(self.result, at, probability)

    def anova(self, probability: float = PROBABILITY, order: Sequence[str] | None = None) -> Table:
        """Return shares of the variance by analysis of variance beside the mixed model's."""
        return anova_table(self.result, probability, order)

    def reliability(
        self, group: str | None = None, probability: float = PROBABILITY, by_group: bool = False
    ) -> Table:
        """Return the reliability of the groups' coefficients, averaged or by group."""
        return reliability_table(self.result, self.only_group(group), probability, by_group)

    def shrinkage(self, group: str | None = None, probability: float = PROBABILITY) -> Table:
        """Return the groups' coefficients without, with partial and with complete pooling."""
        return shrinkage_table(self.result, self.only_group(group), probability)

    def pooling_factors(self) -> Table:
        """Return how far the errors of every level are pooled (Gelman & Pardoe 2006)."""
        return pooling_table(self.result)

    def standard_errors(self, group: str | None = None, kind: str = "all") -> Table:
        """Return comparative, diagnostic and posterior standard errors of the effects."""
        return standard_error_table(self.result, self.only_group(group), kind)

    def ranks(
        self,
        group: str | None = None,
        effect: str | None = None,
        probability: float = PROBABILITY,
    ) -> Table:
        """Return the groups' ranks by one effect, with their uncertainty."""
        return ranks_table(self.result, self.only_group(group), effect, probability)

    def within_between(
        self, x: str | None = None, mean: str | None = None, probability: float = PROBABILITY
    ) -> Table:
        """Return within- and between-group coefficients and contextual effects."""
        return within_between_table(self.result, x, mean, probability)

    def latent_means(self, probability: float = PROBABILITY) -> Table:
        """Return what the submodels of `latent(x, g)` estimate; draws are in ``latent_x``."""
        return latent_table(self.result, probability)

    def r2(
        self,
        kind: str = "nakagawa",
        probability: float = PROBABILITY,
        *,
        null: HeldFit | None = None,
        by_level: bool = True,
    ) -> Table:
        """Return explained variance by a named definition.

        Parameters
        ----------
        kind
            ``"nakagawa"`` (marginal and conditional), ``"bayes"``, ``"levels"`` (Gelman &
            Pardoe), ``"snijders-bosker"`` or ``"rights-sterba"``.
        probability
            Of the intervals.
        null
            Of ``"snijders-bosker"``: the model without predictors to compare with.
        by_level
            Of ``"rights-sterba"``: False gives shares of the total alone, which need no
            predictors centred within groups.

        Raises
        ------
        StatisticError
            Where the definition does not apply; the message says why.
        """
        options: dict[str, Any] = {} if null is None else {"null": null.result}
        options |= {} if by_level else {"by_level": False}
        return r2_table(self.result, kind, probability, **options)
