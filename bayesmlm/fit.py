"""Fit: what a user holds. Each method is one line to the floor that does it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import summaries
from bayesmlm.checks import (
    Check,
    LeftOut,
    PriorSensitivity,
    VarianceEvidence,
    check,
    check_levels,
    kfold,
    loo,
    prior_sensitivity,
    savage_dickey,
)
from bayesmlm.checks.levels import left_out
from bayesmlm.checks.loo import REFITS
from bayesmlm.design.frame import narwhalify
from bayesmlm.design.response import read_again
from bayesmlm.effects import random_effects
from bayesmlm.engines import Engine, Progress, is_interactive
from bayesmlm.engines.options import resolve_seed
from bayesmlm.errors import BayesmlmWarning, StatisticError, message
from bayesmlm.plots import Plots
from bayesmlm.predict import contrasts, datagrid, estimates, predict, slope_contrasts
from bayesmlm.predict.averages import By
from bayesmlm.predict.contrasts import Change
from bayesmlm.predict.one_group import update_group
from bayesmlm.predict.treatment import Groups
from bayesmlm.reports import Page, Table
from bayesmlm.reports.effect import Effect
from bayesmlm.reports.equations import Equations
from bayesmlm.reports.group_update import GroupUpdate
from bayesmlm.reports.level_checks import LevelChecks
from bayesmlm.reports.numbers import estimates_of
from bayesmlm.reports.prediction import Prediction, population_table
from bayesmlm.reports.report import report
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
from bayesmlm.reports.summary import fixed_table, latent_table, summary, variance_table
from bayesmlm.reports.vocabulary import words
from bayesmlm.result import FitResult
from bayesmlm.saving import load_result, replacing, save_result
from bayesmlm.spec.render import formulas_text
from bayesmlm.summaries.draws import PROBABILITY, check_probability
from bayesmlm.summaries.grid import At
from bayesmlm.summaries.maximum import ERRORS

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


class Fit:
    """A fitted model.

    Parameters
    ----------
    result
        What the engine returned.
    data
        The rows that were fitted, a narwhals frame; a fit that was saved and loaded has none.

    Notes
    -----
    ``fit.tree`` is ArviZ's `xarray.DataTree`: every ArviZ function takes it. Tables hold
    their unrounded numbers in ``.frame``.
    """

    def __init__(self, result: FitResult, data: Any = None) -> None:
        self.result = result
        self._data = data

    @property
    def tree(self) -> xr.DataTree:
        """Draws and data as an `xarray.DataTree`."""
        return self.result.tree

    @property
    def plot(self) -> Plots:
        """Pictures."""
        return Plots(self.result)

    @cached_property
    def _checked(self) -> Check:
        return check(self.result.tree)

    def check(self) -> Check:
        """Return whether the engine converged, and what to do if not."""
        return self._checked

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

    def likelihood_ratio(self, smaller: Fit) -> Table:
        """Return the likelihood-ratio test of this ML fit against one nested in it."""
        return likelihood_ratio_table(self.result, smaller.result)

    def refit(self, new_y: Any, *, seed: int | None = None) -> Fit:
        """Fit the same model to a new response by the same engine. Nothing is compiled again.

        Design, priors and kernels are those of this fit; a model that is sampled as a PyMC
        graph (the fit's notes say so) is compiled again all the same.

        Parameters
        ----------
        new_y
            One value for each row used: numbers after the response's expression (for
            ``log(y)`` logarithms), or categories by their names.
        seed
            None takes this fit's.

        Raises
        ------
        DataError
            For another number of rows, unknown categories, or values outside the support.

        Warns
        -----
        BayesmlmWarning
            If the engine did not converge.
        """
        result = self.result
        design, name = result.design, result.spec.response.column
        outcome = read_again(design.outcome, design.family, name, new_y)
        new = replace(design, outcome=outcome)
        start = result.seed if seed is None else resolve_seed(seed)
        return checked(result.engine.fit(new, result.priors, start, Progress()), self._data)

    def update_group(
        self,
        new_rows: Any,
        group: str | None = None,
        probability: float = PROBABILITY,
        *,
        seed: int = 0,
    ) -> GroupUpdate:
        """Return the posterior of one group's effects given more of its rows, without a fit.

        The rows also reweight the draws of everything else, so that the result is that of a
        fit to all rows; k-hat tells where they say too much for that. Given a draw, the effects
        of a Gaussian response are exact; of other families the draws of a known group are
        reweighted, and those of a new group proposed at their mode.

        Parameters
        ----------
        new_rows
            Rows of one group, which the fit may know or not, with the response.
        group
            The grouping; None where there is only one.
        probability
            Of the intervals.
        seed
            Of the draws.
        """
        check_probability(probability)
        found = update_group(self.result, new_rows, self.only_group(group), seed)
        return GroupUpdate(self.result, found, probability)

    def equations(self) -> Equations:
        """Return the model's equations with its priors and the estimates."""
        result = self.result
        priors = None if ERRORS in result.tree.children else result.priors
        levels = result.design.factor_levels
        return Equations(result.spec, levels, priors, estimates_of(result))

    def summary(self, probability: float = PROBABILITY, vocabulary: str | None = None) -> Page:
        """Return what was fitted, fixed effects, variance components and convergence.

        Coefficients stand by level: those of group-level predictors under the coefficient
        that they explain.

        Parameters
        ----------
        probability
            Of the intervals.
        vocabulary
            Words of this page alone; None takes those that `bayesmlm.vocabulary` chose.

        Returns
        -------
        Page
            Prints as text, shows as HTML in a notebook; ``.html()`` and ``.latex()``.
        """
        return summary(self.result, self.check(), probability, words(vocabulary))

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
        null: Fit | None = None,
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

    def predict(
        self,
        data: Any = None,
        groups: Groups = "existing",
        kind: str = "mean",
        probability: float = PROBABILITY,
        *,
        seed: int = 0,
        replicates: int | None = None,
    ) -> Prediction:
        """Predict rows of the data, or new ones, at the level that is asked for.

        Parameters
        ----------
        data
            A pandas or polars DataFrame, the response not needed; None predicts the rows of
            the fit, ``"missing"`` those that ``missing="keep"`` kept without a response, whose
            groups have effects drawn where no row has a response.
        groups
            ``"existing"``: given the effects of groups that the fit has. ``"new"``: groups
            that it does not have get effects drawn from their distribution, the same for all
            rows of a group, and known ones keep theirs; without data every group is replaced
            by a new one. ``"average"``: effects of zero. ``"marginal"``: the mean over the
            distribution of the effects. By grouping as a dictionary, such as
            ``{"school": "existing", "class": "new"}``.
        kind
            ``"mean"``: of a binomial the probability, of ordered categories the probability
            of each. ``"linear"``: the linear predictor. ``"response"``: responses drawn,
            counts where there are trials, positions of ordered categories from 0.
        probability
            Of the intervals.
        seed
            Of what is drawn.
        replicates
            How often each draw of the fit is used; of ML and its like 1,000 times where the
            prediction is random, else once.

        Returns
        -------
        Prediction
            Prints as a table; ``.frame``, and ``.draws()`` as an `xarray.DataArray`.

        Raises
        ------
        DataError
            For groups or categories that the fit does not have, missing columns or values.
        StatisticError
            For an unknown option, or a mean over effects that does not exist.
        """
        at = self._missing_rows() if isinstance(data, str) and data == "missing" else None
        rows = data if at is None else self._rows(None, at)
        made = predict(self.result, rows, groups, kind, seed, replicates, at)
        return Prediction(made, probability)

    def predictions(
        self,
        data: Any = None,
        by: By | None = None,
        probability: float = PROBABILITY,
        **options: Any,
    ) -> Effect:
        """Return predictions of rows, or their averages ``by`` columns.

        Parameters
        ----------
        data
            As of `predict`, or a grid of `datagrid`; None takes the rows of the fit.
        by
            True averages over all rows, names of columns over the rows of each combination.
        probability
            Of the intervals.
        options
            ``groups``, ``kind``, ``seed`` and ``replicates`` of `predict`.
        """
        return self._effect("Predictions", data, None, by, probability, options)

    def avg_predictions(self, data: Any = None, by: By = True, **options: Any) -> Effect:
        """Return `predictions` averaged over all rows, or by columns."""
        return self.predictions(data, by, **options)

    def comparisons(
        self,
        variables: str | Sequence[str] | Mapping[str, Change] | None = None,
        data: Any = None,
        by: By | None = None,
        probability: float = PROBABILITY,
        **options: Any,
    ) -> Effect:
        """Compare predictions with a predictor at two values, all else as it is.

        Group means that the formula takes of a predictor stay those of the fit, for its groups.

        Parameters
        ----------
        variables
            Names of predictors, or changes by name: ``{"x": 10}``, ``"sd"``, ``"minmax"`` or a
            pair of values; of categories ``"reference"``, ``"sequential"``, ``"pairwise"`` or
            a pair. None compares every predictor.
        data, by, probability
            As of `predictions`.
        options
            ``groups``, ``kind``, ``seed`` and ``replicates`` of `predict`, and ``compare``:
            ``"difference"``, ``"ratio"``, ``"log_ratio"`` or ``"log_odds_ratio"``, of averages
            the comparison of the two averages.
        """
        made = contrasts(self.result.design, self._rows(data), variables)
        return self._effect("Comparisons", data, made, by, probability, options)

    def avg_comparisons(
        self,
        variables: str | Sequence[str] | Mapping[str, Change] | None = None,
        data: Any = None,
        by: By = True,
        **options: Any,
    ) -> Effect:
        """Return `comparisons` averaged over all rows, or by columns."""
        return self.comparisons(variables, data, by, **options)

    def slopes(
        self,
        variables: str | Sequence[str] | None = None,
        data: Any = None,
        by: By | None = None,
        probability: float = PROBABILITY,
        **options: Any,
    ) -> Effect:
        """Return slopes of predictions in numeric predictors, options as of `predictions`."""
        made = slope_contrasts(self.result.design, self._rows(data), variables)
        return self._effect("Slopes", data, made, by, probability, options)

    def avg_slopes(
        self,
        variables: str | Sequence[str] | None = None,
        data: Any = None,
        by: By = True,
        **options: Any,
    ) -> Effect:
        """Return `slopes` averaged over all rows, or by columns."""
        return self.slopes(variables, data, by, **options)

    def population_averaged(self, probability: float = PROBABILITY) -> Table:
        """Return the coefficients averaged over random effects beside those given them."""
        return population_table(self.result, probability)

    def datagrid(self, data: Any = None, **values: Any) -> pd.DataFrame:
        """Return a grid of stated values, ``fit.datagrid(x=[-1, 0, 1])``.

        Other columns that the model uses stand at their mean, categories and groups at the
        most frequent value.
        """
        return datagrid(self.result.design, self._rows(data), values)

    def _effect(
        self, title: str, data: Any, made: Any, by: Any, probability: float, options: dict[str, Any]
    ) -> Effect:
        """Return estimates as a table."""
        rows = self._rows(data)
        found = estimates(self.result, rows, made, by=by, own=data is None, **options)
        return Effect(found, title, probability)

    def _missing_rows(self) -> NDArray[np.int64]:
        """Return the positions of the rows without a response.

        Raises
        ------
        StatisticError
            If there are none.
        """
        rows = self._rows(None, slice(None))
        found = np.setdiff1d(np.arange(len(rows)), self.result.design.positions)
        if not found.size:
            raise StatisticError(
                message(
                    "a prediction of missing responses, and every row has its response",
                    'models with missing="keep" of data in which the response is missing',
                    "leave data out to predict the rows of the fit",
                )
            )
        return found

    def _rows(self, data: Any, at: Any = None) -> Any:
        """Return rows as a narwhals frame, None those of the fit, or its rows at positions.

        Raises
        ------
        StatisticError
            For a fit that does not hold its rows.
        """
        if data is not None:
            return narwhalify(data)
        if self._data is None:
            raise StatisticError(
                message(
                    "the rows of a fit that was loaded from a file, which does not hold them",
                    "a data frame",
                    "pass data=, the data that the model was fitted to",
                )
            )
        if isinstance(at, slice):
            return self._data
        return self._data[(self.result.design.positions if at is None else at).tolist()]

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

        By Pareto smoothed importance sampling; where its Pareto shape is above 0.7, by a refit.
        Effects that a row or group tells much of are integrated out of its likelihood.

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

    def report(self, path: str | os.PathLike[str], probability: float = PROBABILITY) -> None:
        """Write one page with everything: equations, tables, pictures, checks, assumptions.

        Parameters
        ----------
        path
            Such as ``"report.html"``. The page holds its pictures and formulas itself: it
            needs no network and no script.
        probability
            Of the intervals.
        """
        text = report(self.result, self.check(), self.equations(), probability)
        with replacing(path) as new:
            new.write(text.encode())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the fit to one file, which `bayesmlm.load` reads; see `bayesmlm.saving`.

        Parameters
        ----------
        path
            Such as ``"fit.zip"``. A file of this name is replaced, once the new one is whole.

        Raises
        ------
        SavedFitError
            If the file cannot be written.
        """
        save_result(self.result, path)

    def only_group(self, group: str | None) -> str:
        """Return the grouping named, or the only one.

        Raises
        ------
        SpecError
            If none is named and the model has none or several.
        """
        return self.result.only_group(group)

    def __str__(self) -> str:
        return str(self.summary())

    def __repr__(self) -> str:
        result = self.result
        state = "converged" if self.check().ok else "not converged"
        return f"<bayesmlm.Fit {formulas_text(result.spec)} by {result.engine.name}, {state}>"

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()


def checked(result: FitResult, data: Any = None, stacklevel: int = 3) -> Fit:
    """Return a fit of rows, with a warning where its engine did not converge."""
    fit = Fit(result, data)
    convergence = fit.check()
    if not convergence.ok:
        warnings.warn(str(convergence), BayesmlmWarning, stacklevel=stacklevel)
    return fit


def shown(progress: bool | None) -> Progress:
    """Return a progress that is drawn where somebody watches, or as asked."""
    return Progress(is_interactive() if progress is None else progress)


def load(path: str | os.PathLike[str]) -> Fit:
    """Load a fit that `Fit.save` wrote.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    SavedFitError
        If the file is not a saved fit, was changed or damaged, or is of a version that this
        release does not read.

    Examples
    --------
    >>> import bayesmlm as mlm
    >>> fit.save("fit.zip")  # doctest: +SKIP
    >>> mlm.load("fit.zip").summary()  # doctest: +SKIP
    """
    return Fit(load_result(path))
