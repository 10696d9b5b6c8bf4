"""Predictions of rows, some rows and all draws at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.errors import StatisticError, message
from bayesmlm.predict.in_order import in_order
from bayesmlm.predict.interval import COLUMNS, Interval
from bayesmlm.predict.marginal import check_exists, integrate
from bayesmlm.predict.outcome import KINDS, LINEAR, MEAN, RESPONSE, RESPONSES, Outcome
from bayesmlm.predict.parameters import Parameters, fitted_parameters
from bayesmlm.predict.predictor import LinearPredictor, linear_predictor, pieces
from bayesmlm.predict.spread import Spread, spreads
from bayesmlm.predict.target import Target, fitted_rows, new_rows, one_group_a_row
from bayesmlm.predict.treatment import EXISTING, MARGINAL, NEW, Groups, check_choice, treatments
from bayesmlm.result import FitResult

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

CATEGORY = "category"
"""Dimension of the categories of a response."""

REPLICATES = 1000
"""Draws of what is random, where the fit is one point."""


@dataclass(frozen=True)
class Predictions:
    """Predictions of rows, computed when they are asked for.

    Parameters
    ----------
    result
        The fit.
    target
        The rows.
    treatment
        Of each grouping: ``"existing"``, ``"new"``, ``"average"`` or ``"marginal"``.
    kind
        ``"mean"``, ``"linear"`` or ``"response"``.
    seed
        Of new effects and responses.
    replicates
        How often each draw of the fit is used.
    """

    result: FitResult
    target: Target
    treatment: Mapping[str, str]
    kind: str
    seed: int
    replicates: int

    @cached_property
    def chosen(self) -> Integers:
        """Which draws of the fit are used, in order, shape (S,)."""
        sizes = self.result.posterior.sizes
        return np.repeat(np.arange(sizes["chain"] * sizes["draw"]), self.replicates)

    @cached_property
    def parameters(self) -> Parameters:
        """The parameters of the S draws."""
        return fitted_parameters(self.result).take(self.chosen)

    @cached_property
    def predictor(self) -> LinearPredictor:
        """The linear predictors given the effects of existing and new groups."""
        return linear_predictor(self.result, self.chosen, self.parameters, self.target, self.seed)

    @cached_property
    def outcome(self) -> Outcome:
        """The response given the linear predictors."""
        design = self.result.design
        return Outcome(design.family, self.parameters.others, design.further)

    @property
    def categories(self) -> tuple[Any, ...]:
        """Of a response of categories those that each have a prediction; else none.

        The mean is the probability of each; linear predictors have all but the first of
        categories without an order.
        """
        family, labels = self.result.design.family, self.result.design.outcome.categories
        if self.kind == MEAN and (family.ordered or family.unordered):
            return labels
        return labels[1:] if self.kind == LINEAR and family.unordered else ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one draw: (N,), or (N, C) of C categories."""
        return (self.target.size, *([len(self.categories)] if self.categories else []))

    @property
    def width(self) -> int:
        """Numbers that a row takes."""
        effects = [len(block.effects) for block in self.result.design.blocks]
        return self.parameters.size * max([1, len(self.categories), *effects])

    def blocks(self) -> Iterator[tuple[Integers, Array]]:
        """Return the predictions, some rows at a time.

        Yields
        ------
        rows, draws
            Which rows, and their draws, shape (rows, S), or (rows, C, S) of C categories.
        """
        yield from self.each(lambda rows: (rows, self.of(rows, self.target)))

    def each[R](self, work: Callable[[Integers], R]) -> Iterator[R]:
        """Yield what `work` makes of the rows, some at a time, in threads."""
        _ = self.predictor, self.outcome  # made once, before the threads ask for them
        yield from in_order(work, pieces(self.target, self.result.design.blocks, self.width))

    def of(self, rows: Integers, target: Target) -> Array:
        """Return predictions of some rows of `target`, whose groups are those of the rows."""
        design = self.result.design
        if self.kind == LINEAR:
            if design.family.unordered:
                own = [self.predictor.of(target, rows, part.target) for part in design.further]
                return np.stack(own, axis=1)
            return self.predictor.of(target, rows)
        if self.kind == RESPONSE:
            etas = {p.target: self.predictor.of(target, rows, p.target) for p in design.parts}
            additions = {name: values[rows] for name, values in target.additions.items()}
            rng = np.random.default_rng([self.seed, RESPONSES, int(rows[0])])
            return self.outcome.draw(etas, additions, rng)
        etas = {name: self.predictor.of(target, rows, name) for name in self.outcome.needs}
        parts = self.spreads(rows, target)
        return integrate(self.outcome, etas, parts) if parts else self.outcome.mean(etas)

    def spreads(self, rows: Integers, target: Target) -> list[Spread]:
        """Return what is integrated out of the mean of some rows of `target`."""
        marginal = [
            block
            for block in self.result.design.blocks
            if self.treatment[block.name] == MARGINAL and block.parameter in self.outcome.needs
        ]
        Z = {block.name: target.Z[block.name][rows] for block in marginal}
        return spreads(tuple(marginal), Z, self.parameters)

    def array(self) -> Array:
        """Return all draws, shape (N, S) or (N, C, S); they are held in memory."""
        found = np.empty((*self.shape, self.parameters.size))
        for rows, draws in self.blocks():
            found[rows] = draws
        return found

    def draws(self) -> xr.DataArray:
        """Return all draws, dims (chain, draw, obs), and category where there are any."""
        import xarray as xr

        values = np.moveaxis(self.array(), -1, 0)
        chains = self.result.posterior.sizes["chain"]
        dims = ("chain", "draw", names.OBS, *([CATEGORY] if self.categories else []))
        coords = {names.OBS: self.target.labels, CATEGORY: list(self.categories)}
        return xr.DataArray(
            values.reshape(chains, -1, *values.shape[1:]),
            dims=dims,
            coords={name: coords[name] for name in dims[2:]},
            name=self.kind,
        )

    def frame(self, probability: float = 0.95) -> pd.DataFrame:
        """Return mean, SD and interval of every row (and category), streamed."""
        import pandas as pd

        interval = Interval(probability)
        found = np.empty((*self.shape, len(COLUMNS)))
        work = self.each(lambda rows: (rows, interval.of(self.of(rows, self.target))))
        for rows, values in work:
            found[rows] = values
        index = pd.Index(self.target.labels, name=names.OBS)
        if self.categories:
            index = pd.MultiIndex.from_product(
                [self.target.labels, list(self.categories)], names=[names.OBS, CATEGORY]
            )
        columns = dict(zip(COLUMNS, found.reshape(-1, len(COLUMNS)).T, strict=True))
        return pd.DataFrame(columns, index=index)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is told beside the numbers."""
        told = TOLD if self.kind != RESPONSE else TOLD | {MARGINAL: TOLD[NEW] + ", one a row"}
        blocks = self.result.design.blocks
        each = (f"{b.grouping.name}: {told[self.treatment[b.name]]}" for b in blocks)
        found = list(dict.fromkeys(each))
        if self.replicates > 1:
            found.append(f"{self.replicates:,} replicates of what is random in each draw")
        return (*found, *self.target.notes)


TOLD = {
    "existing": "effects of the groups of the fit",
    "new": "effects of new groups drawn from their distribution",
    "average": "effects of zero",
    "marginal": "effects integrated out",
}


def predict(
    result: FitResult,
    data: Any = None,
    groups: Groups = EXISTING,
    kind: str = MEAN,
    seed: int = 0,
    replicates: int | None = None,
    missing: Integers | None = None,
) -> Predictions:
    """Predict rows.

    Parameters
    ----------
    result
        The fit.
    data
        A pandas or polars DataFrame without the response; None predicts the rows of the fit.
    groups
        ``"existing"``: given the groups' own effects, which the fit must have. ``"new"``:
        groups that the fit does not have get effects drawn from their distribution, the same
        for all rows of a group; without data every group is replaced by a new one.
        ``"average"``: effects of zero. ``"marginal"``: the mean over the distribution of the
        effects; of responses, new effects for every row. By grouping as a dictionary, in
        which the groupings that are not named are ``"existing"``.
    kind
        ``"mean"``: the mean response; of a binomial the probability, of categories the
        probability of each. ``"linear"``: the linear predictor of the location, of ordered
        categories without thresholds, of categories without an order the log odds of each
        against the first. ``"response"``: responses drawn; counts where there are trials,
        positions of categories.
    seed
        Of new effects and responses.
    replicates
        How often each draw of the fit is used; None is once, and 1,000 times for a fit that
        is one point, where the prediction is random.
    missing
        Positions of the rows, where they are rows of the fit's data without a response.

    Raises
    ------
    StatisticError
        For an unknown option, or where a mean over effects does not exist.
    DataError
        If the rows cannot be predicted.
    """
    design = result.design
    treatment = treatments(design, groups)
    check_choice("kind", kind, KINDS)
    if data is None:
        target = fitted_rows(design, treatment)
    else:
        target = new_rows(design, data, treatment, kind == RESPONSE, missing=missing)
    return predictions(result, target, treatment, kind, seed, replicates)


def predictions(
    result: FitResult,
    target: Target,
    treatment: Mapping[str, str],
    kind: str,
    seed: int,
    replicates: int | None,
) -> Predictions:
    """Return the predictions of some rows; see `predict`."""
    check_whole("seed", seed, 0)
    if kind == RESPONSE:
        target = one_group_a_row(target, result.design, treatment)
    if replicates is None:
        is_random = kind == RESPONSE or NEW in treatment.values()
        replicates = REPLICATES if is_point(result) and is_random else 1
    check_whole("replicates", replicates, 1)
    found = Predictions(result, target, treatment, kind, int(seed), int(replicates))
    if kind == MEAN:
        check_exists(found.outcome, found.spreads(np.zeros(1, dtype=np.int64), target))
    return found


def is_point(result: FitResult) -> bool:
    """Return whether a fit is one draw."""
    sizes = result.posterior.sizes
    return bool(sizes["chain"] * sizes["draw"] == 1)


def check_whole(name: str, value: Any, least: int) -> None:
    """Raise `StatisticError` for anything but a whole number from `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise StatisticError(
            message(f"{name}={value!r}", f"a whole number from {least}", f"pass {name}=1")
        )
