"""The checks of a fit beside that of its engine."""

from __future__ import annotations

from typing import Any

from bayesmlm.checks import (
    LeftOut,
    PriorSensitivity,
    VarianceEvidence,
    check_levels,
    kfold,
    loo,
    prior_sensitivity,
    savage_dickey,
)
from bayesmlm.checks.levels import left_out
from bayesmlm.checks.loo import REFITS
from bayesmlm.engines import Engine, Progress, is_interactive
from bayesmlm.fit_held import HeldFit
from bayesmlm.reports.level_checks import LevelChecks


class FitChecks(HeldFit):
    """Checks by level, by prior, and against rows and groups left out."""

    def check_levels(self, draws: int = 999, level: float = 0.05, seed: int = 0) -> LevelChecks:
        """Check whether the model replicates what the data show of rows and of groups.

        Level 1: skewness and tails of the residuals, their spread by group. Level 2: the SD of
        the groups' means, whether they are bimodal, extreme groups, slopes that differ between
        groups and are not allowed to. Replicated for new groups, which the p-values and
        findings are of, and for the same groups.

        Parameters
        ----------
        draws
            Replicated data sets.
        level
            Probability at most of any finding where the model holds, all statistics together.
        seed
            Of the replicates.

        Returns
        -------
        LevelChecks
            Prints; ``.frame``, ``.findings``, ``.plot()``. See
            `bayesmlm.checks.level_statistics` for definitions and sources.
        """
        found = check_levels(self.result, draws, level, seed)
        return LevelChecks("Checks by level", found, left_out(self.result))

    def loo(
        self,
        predict: str = "new row",
        group: str | None = None,
        *,
        refits: int = REFITS,
        engine: str | Engine | None = None,
        workers: int | None = None,
        progress: bool | None = None,
    ) -> LeftOut:
        """Predict every row, or every group, from all others.

        By Pareto smoothed importance sampling; where its Pareto shape is above 0.7, by a refit
        (`bayesmlm.checks.loo` says why, and not by moment matching). Effects that a row or
        group tells much of are integrated out of its likelihood; not where a further parameter
        has a formula, nor of categories without an order, of which rows alone are left out.

        Parameters
        ----------
        predict
            ``"new row"`` of a known group, or ``"new group"``: all of its rows together.
        group
            The grouping of a new group; None takes the outermost. Of crossed groupings one must
            be named, whose new groups meet the known ones of the others.
        refits
            Rows or groups that are refitted at most, those of the largest Pareto shapes first.
        engine
            Of the refits; None takes the fastest that fits the model.
        workers
            Processes at once; None starts them where one would take long.
        progress
            Whether to show a bar of the refits; None shows it in a terminal and in Jupyter.

        Returns
        -------
        LeftOut
            ``elpd``, ``se``, ``frame``, and ``arviz()`` for ArviZ's functions.

        Raises
        ------
        StatisticError
            For a fit without draws, or groups that cannot be left out.
        """
        options: dict[str, Any] = {"refits": refits, "engine": engine, "workers": workers}
        return loo(self.result, predict, group, **options, progress=shown(progress))

    def kfold(
        self,
        predict: str = "new group",
        group: str | None = None,
        *,
        folds: int = 10,
        seed: int = 0,
        engine: str | Engine | None = None,
        workers: int | None = None,
        progress: bool | None = None,
    ) -> LeftOut:
        """Predict groups, or rows, from refits that leave out several at a time.

        Parameters
        ----------
        predict, group, engine, workers, progress
            As of `loo`.
        folds
            Number of refits; each leaves out a share of the groups, or of the rows of every
            group.
        seed
            Of the folds and of the refits.
        """
        options: dict[str, Any] = {"folds": folds, "seed": seed, "engine": engine}
        options |= {"workers": workers, "progress": shown(progress)}
        return kfold(self.result, predict, group, **options)

    def prior_sensitivity(self) -> PriorSensitivity:
        """Return how the posterior depends on each block of priors and on the likelihood.

        By power-scaling fixed effects', SDs', correlations' and residual priors one by one,
        never the effects' own distribution (Kallioinen et al. 2024,
        doi:10.1007/s11222-023-10366-5).

        Returns
        -------
        PriorSensitivity
            Prints in words; ``frame`` has the sensitivities, ``moves`` which way means move.

        Raises
        ------
        StatisticError
            For a fit without draws.
        """
        return prior_sensitivity(self.result)

    def savage_dickey(
        self, group: str | None = None, effect: str | None = None
    ) -> VarianceEvidence:
        """Return the evidence for a variance of zero, and what it depends on.

        The Bayes factor of the model without an effect: posterior over prior density of its SD
        at zero.

        Parameters
        ----------
        group, effect
            The grouping and the effect; None where there is only one.

        Raises
        ------
        StatisticError
            For a fit without draws, or a prior without a finite positive density at zero.
        """
        return savage_dickey(self.result, self.only_group(group), effect)


def shown(progress: bool | None) -> Progress:
    """Return a progress that is drawn where somebody watches, or as asked."""
    return Progress(is_interactive() if progress is None else progress)
