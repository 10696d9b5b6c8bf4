"""The statistics of a fit. Each method is one line to the floor that does it.

Definitions, equations and sources stand in the files of `bayesmlm.summaries`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bayesmlm.fit_held import HeldFit
from bayesmlm.reports import Table
from bayesmlm.reports.statistics import (
    anova_table,
    icc_table,
    pooling_table,
    r2_table,
    ranks_table,
    reliability_table,
    shrinkage_table,
    standard_error_table,
    variance_function_table,
    within_between_table,
)
from bayesmlm.summaries.draws import PROBABILITY
from bayesmlm.summaries.grid import At


class FitStatistics(HeldFit):
    """What multilevel analysis computes of the estimates."""

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
        """Return the intraclass correlation of each grouping; see `bayesmlm.summaries.icc`.

        Parameters
        ----------
        probability
            Of the intervals.
        kind
            ``"correlation"`` of two rows of one group, or ``"share"``: each level's own part
            of the variance; of an outermost grouping the two are one.
        scale
            ``"latent"``, ``"exact"`` or ``"simulated"`` (on the scale of the response); with
            an identity link all are one.
        at
            Values of the predictors whose slopes vary, ``{"x": [-1, 0, 1]}``; every
            combination is one row. None averages over the rows of the data.
        eta
            Fixed part of the linear predictor at which the exact and the simulated definition
            are taken; None is its mean over the rows, draw by draw.
        seed
            Of the simulated definition.

        Returns
        -------
        Table
            One row a grouping (and point): ``mean``, ``sd``, ``lower``, ``upper``.

        Raises
        ------
        StatisticError
            Without random effects, or where the definition asked for does not exist.
        """
        options = {"kind": kind, "scale": scale, "at": at, "eta": eta, "seed": seed}
        return icc_table(self.result, probability, **options)

    def variance_function(self, at: At, probability: float = PROBABILITY) -> Table:
        """Return variances where slopes vary: z' T z of each grouping's effects.

        Parameters
        ----------
        at
            Values of the predictors whose slopes vary, ``{"x": [-1, 0, 1]}``; every
            combination is a point.
        probability
            Of the intervals.

        Returns
        -------
        Table
            One row a grouping and point, on the scale of the linear predictor; ``residual``
            and ``total`` where there is a level-1 variance.

        Raises
        ------
        StatisticError
            Without slopes that vary.
        """
        return variance_function_table(self.result, at, probability)

    def anova(self, probability: float = PROBABILITY, order: Sequence[str] | None = None) -> Table:
        """Return shares of the variance by analysis of variance beside the mixed model's.

        Parameters
        ----------
        probability
            Of the intervals.
        order
            The groupings in one order; None shows every order.

        Returns
        -------
        Table
            One row a grouping, and ``residual``.

        Raises
        ------
        StatisticError
            For a model with predictors or varying slopes, or with too many groupings for
            every order.
        """
        return anova_table(self.result, probability, order)

    def reliability(
        self, group: str | None = None, probability: float = PROBABILITY, by_group: bool = False
    ) -> Table:
        """Return the reliability of the groups' coefficients, averaged or by group.

        Parameters
        ----------
        group
            The grouping; None where there is only one.
        probability
            Of the intervals.
        by_group
            One row a group and effect, and not the average over groups.

        Returns
        -------
        Table
            tau / (tau + sampling variance of the group's own estimate), from 0 to 1; of
            averages how many groups they are over, and how many are excluded.

        Raises
        ------
        StatisticError
            For a response that is not gaussian, a grouping crossed with another, or one of
            which no group identifies its effects.
        """
        return reliability_table(self.result, self.only_group(group), probability, by_group)

    def shrinkage(self, group: str | None = None, probability: float = PROBABILITY) -> Table:
        """Return the groups' coefficients without, with partial and with complete pooling.

        Parameters
        ----------
        group
            The grouping; None where there is only one.
        probability
            Of the intervals.

        Returns
        -------
        Table
            One row a group and effect: ``rows``, ``no pooling`` with its ``SE``, the model's
            ``mean``, ``sd``, ``lower``, ``upper``, and ``complete pooling``.

        Raises
        ------
        StatisticError
            For a response that is not gaussian, whose groups may have no finite estimate.
        """
        return shrinkage_table(self.result, self.only_group(group), probability)

    def pooling_factors(self) -> Table:
        """Return how far the errors of every level are pooled.

        Returns
        -------
        Table
            One row a level and effect: how many ``units``, and ``pooling``,
            1 - V(E[error]) / E[V(error)].

        Raises
        ------
        StatisticError
            Of a maximum, which has no draws.

        References
        ----------
        Gelman & Pardoe (2006), doi:10.1198/004017005000000517.
        """
        return pooling_table(self.result)

    def standard_errors(self, group: str | None = None, kind: str = "all") -> Table:
        """Return comparative, diagnostic and posterior standard errors of the effects.

        Parameters
        ----------
        group
            The grouping; None where there is only one.
        kind
            ``"given beta"`` gives ``comparative`` and ``diagnostic``, ``"posterior"`` the SD
            of the draws, ``"all"`` what of these is defined for the fit.

        Returns
        -------
        Table
            One row a group and effect.

        Raises
        ------
        StatisticError
            For a kind that is not defined for the fit; the message says why.
        """
        return standard_error_table(self.result, self.only_group(group), kind)

    def ranks(
        self,
        group: str | None = None,
        effect: str | None = None,
        probability: float = PROBABILITY,
    ) -> Table:
        """Return the groups' ranks by one effect, with their uncertainty.

        Parameters
        ----------
        group
            The grouping; None where there is only one.
        effect
            The effect; None is the first.
        probability
            Of the intervals.

        Returns
        -------
        Table
            One row a group in order of the mean rank: ``mean``, ``sd``, ``lower``, ``upper``
            and ``highest``, the probability of rank 1.

        References
        ----------
        Goldstein & Spiegelhalter (1996), doi:10.2307/2983325.
        """
        return ranks_table(self.result, self.only_group(group), effect, probability)

    def within_between(
        self, x: str | None = None, mean: str | None = None, probability: float = PROBABILITY
    ) -> Table:
        """Return within- and between-group coefficients and contextual effects.

        Parameters
        ----------
        x, mean
            Coefficients of the predictor and of its group mean, where the mean is a column of
            the data; None finds ``within()``, ``between()`` and ``latent()``.
        probability
            Of the intervals.

        Returns
        -------
        Table
            ``within``, ``between`` and ``contextual``, between less within, of each predictor.

        Raises
        ------
        StatisticError
            If the model has no such pair.
        """
        return within_between_table(self.result, x, mean, probability)

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
