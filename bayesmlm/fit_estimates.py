"""The estimates of a fit. Each method is one line to the floor that does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bayesmlm import summaries
from bayesmlm.effects import random_effects
from bayesmlm.fit_held import HeldFit
from bayesmlm.reports import Table
from bayesmlm.reports.statistics import information_table, likelihood_ratio_table
from bayesmlm.reports.summary import estimates as estimates_table
from bayesmlm.reports.summary import fixed_table, latent_table, variance_table
from bayesmlm.reports.vocabulary import words
from bayesmlm.summaries.draws import PROBABILITY

if TYPE_CHECKING:
    import xarray as xr


class FitEstimates(HeldFit):
    """Coefficients, effects, variances; of a maximum its likelihood and criteria."""

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
        """Return AIC (marginal and conditional) and BIC (of rows and groups) of an ML fit.

        Definitions and sources: `bayesmlm.summaries.information`.

        Raises
        ------
        StatisticError
            For a fit that is not a maximum.
        """
        return information_table(self.result)

    def likelihood_ratio(self, smaller: HeldFit) -> Table:
        """Return the likelihood-ratio test of this ML fit against one nested in it.

        Parameters
        ----------
        smaller
            The fit by ML of the same rows, or by REML with the same fixed effects.

        Returns
        -------
        Table
            ``statistic``, ``df``, ``p`` by chi-squared, and ``p_boundary`` where exactly one
            variance is tested: by the half-and-half mixture of chi-squared with df and df - 1
            (Stram & Lee 1994, doi:10.2307/2533455).

        Raises
        ------
        StatisticError
            For fits that cannot be compared so.

        Examples
        --------
        >>> import bayesmlm as mlm
        >>> data = mlm.datasets.load("sleepstudy")
        >>> smaller = mlm.Model("Reaction ~ Days + (1 | Subject)", data).fit("ml")
        >>> fit = mlm.Model("Reaction ~ Days + (Days | Subject)", data).fit("ml")
        >>> round(float(fit.likelihood_ratio(smaller).frame["statistic"].iloc[0]), 2)
        42.14
        """
        return likelihood_ratio_table(self.result, smaller.result)

    def fixef(self, probability: float = PROBABILITY) -> Table:
        """Return the fixed effects, on the scale of the linear predictor.

        Parameters
        ----------
        probability
            Of the intervals.

        Returns
        -------
        Table
            One row a coefficient: ``mean``, ``sd``, ``lower``, ``upper``; of a maximum
            ``estimate``, ``se`` and the Wald interval. Of a categorical response the rows are
            ``mu<category>_<coefficient>``.

        Raises
        ------
        StatisticError
            If the model has no fixed coefficients.
        """
        return fixed_table(self.result, probability)

    def ranef(self, group: str | None = None, probability: float = PROBABILITY) -> Table:
        """Return every group's deviations u from the fixed part.

        Parameters
        ----------
        group
            The grouping; None where there is only one.
        probability
            Of the intervals.

        Returns
        -------
        Table
            One row a group and effect, on the scale of the linear predictor.
        """
        name = self.only_group(group)
        frame = summaries.ranef(self.result, name, probability)
        return estimates_table(words().random.format(group=name), frame, probability)

    def coef(self, group: str | None = None, probability: float = PROBABILITY) -> Table:
        """Return every group's coefficients: fixed effects plus deviations.

        Group-level predictors are not added: with ``y ~ x * w + (x | g)`` the coefficient of x
        is the one at w = 0.

        Parameters
        ----------
        group
            The grouping; None where there is only one.
        probability
            Of the intervals.

        Returns
        -------
        Table
            One row a group and effect.
        """
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
        """Return the posterior mean correlation matrix of a grouping's effects.

        Parameters
        ----------
        group
            The grouping; None where there is only one.

        Returns
        -------
        Table
            q rows and columns; zero between effects that the model makes independent.
        """
        name = self.only_group(group)
        frame = summaries.corr(self.result, name).rename_axis(" ")
        return Table(f"Correlations of the effects by {name}", frame)

    def variance_components(self, probability: float = PROBABILITY) -> Table:
        """Return SDs, variances, correlations and shares of the total variance.

        Parameters
        ----------
        probability
            Of the intervals of the SDs.

        Returns
        -------
        Table
            One row a random effect, and one of the residual: ``variance``, ``sd``, ``lower``,
            ``upper``, ``corr …`` with the effects before, and ``share`` on a grouping's first
            row (averaged over the rows of the data where slopes vary).
        """
        return variance_table(self.result, probability)

    def latent_means(self, probability: float = PROBABILITY) -> Table:
        """Return what the submodels of `latent(x, g)` estimate; draws are in ``latent_x``.

        Parameters
        ----------
        probability
            Of the intervals.

        Returns
        -------
        Table
            Of each predictor its mean, the SDs between and within groups, their intraclass
            correlation, and the reliability of observed group means.

        Raises
        ------
        StatisticError
            If the model has no `latent(x, g)`.

        References
        ----------
        Lüdtke et al. (2008), doi:10.1037/a0012869.
        """
        return latent_table(self.result, probability)
