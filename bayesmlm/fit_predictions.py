"""The predictions of a fit, and what a predictor changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design.frame import narwhalify
from bayesmlm.errors import StatisticError, message
from bayesmlm.fit_held import HeldFit
from bayesmlm.predict import contrasts, datagrid, estimates, predict, slope_contrasts
from bayesmlm.predict.averages import By
from bayesmlm.predict.contrasts import Change
from bayesmlm.predict.one_group import update_group
from bayesmlm.predict.treatment import Groups
from bayesmlm.reports import Table
from bayesmlm.reports.effect import Effect
from bayesmlm.reports.group_update import GroupUpdate
from bayesmlm.reports.prediction import Prediction, population_table
from bayesmlm.summaries.draws import PROBABILITY, check_probability

if TYPE_CHECKING:
    import pandas as pd


class FitPredictions(HeldFit):
    """Predictions of rows and groups, comparisons and averages of them."""

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
            ``{"school": "existing", "class": "new"}``; its effects on sigma or another
            parameter with a formula go with those on the location.
        kind
            ``"mean"``: of a binomial the probability, of categories the probability of each.
            ``"linear"``: the linear predictor of the location, of categories without an order
            the log odds of each against the first. ``"response"``: responses drawn, counts
            where there are trials, positions of categories from 0.
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
        at = self._missing_rows(data)
        rows = data if at is None else self._rows(data)
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

        Raises
        ------
        StatisticError
            For rows of several groups, effects that are not normal, and where a further
            parameter has a formula, or categories have no order.
        """
        check_probability(probability)
        found = update_group(self.result, new_rows, group, seed)
        return GroupUpdate(self.result, found, probability)

    def _effect(
        self, title: str, data: Any, made: Any, by: Any, probability: float, options: dict[str, Any]
    ) -> Effect:
        """Return estimates as a table."""
        rows = self._rows(data)
        at = self._missing_rows(data)
        own = data is None
        found = estimates(self.result, rows, made, by=by, own=own, missing=at, **options)
        return Effect(found, title, probability)

    def _missing_rows(self, data: Any) -> NDArray[np.int64] | None:
        """Return the positions of the rows without a response, if data is ``"missing"``.

        Raises
        ------
        StatisticError
            If there are none.
        """
        if not (isinstance(data, str) and data == "missing"):
            return None
        found = np.setdiff1d(np.arange(len(self._held())), self.result.design.positions)
        if not found.size:
            raise StatisticError(
                message(
                    "a prediction of missing responses, and every row has its response",
                    'models with missing="keep" of data in which the response is missing',
                    "leave data out to predict the rows of the fit",
                )
            )
        return found

    def _rows(self, data: Any) -> Any:
        """Return rows as a narwhals frame: those of the fit for None, and ``"missing"`` ones."""
        at = self._missing_rows(data)
        if data is not None and at is None:
            return narwhalify(data)
        chosen = self.result.design.positions if at is None else at
        return self._held()[chosen.tolist()]

    def _held(self) -> Any:
        """Return all rows of the data, a narwhals frame.

        Raises
        ------
        StatisticError
            For a fit that does not hold its rows.
        """
        if self._data is None:
            raise StatisticError(
                message(
                    "the rows of a fit that was loaded from a file, which does not hold them",
                    "a data frame",
                    "pass data=, the data that the model was fitted to",
                )
            )
        return self._data
