"""Predictions, comparisons and slopes: of each row, or averaged over rows, draw by draw.

Rows are read some at a time, with all draws: what is held grows with the number of rows, and
with the number of draws times that of sets averaged over, never with rows times draws.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design.frame import narwhalify
from bayesmlm.errors import StatisticError, message
from bayesmlm.families import Family
from bayesmlm.predict.averages import By, Sets, sets
from bayesmlm.predict.contrasts import Contrast
from bayesmlm.predict.interval import COLUMNS, Interval
from bayesmlm.predict.outcome import KINDS, LINEAR, MEAN, RESPONSE
from bayesmlm.predict.predictions import CATEGORY, Predictions, predictions
from bayesmlm.predict.target import Target, new_rows
from bayesmlm.predict.treatment import EXISTING, Groups, check_choice, treatments
from bayesmlm.result import FitResult

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Combine = Callable[[Array, Array], Array]

COMPARE: dict[str, Combine] = {
    "difference": lambda high, low: high - low,
    "ratio": lambda high, low: high / low,
    "log_ratio": lambda high, low: np.log(high / low),
    "log_odds_ratio": lambda high, low: np.log(high / (1 - high)) - np.log(low / (1 - low)),
}
"""How two predictions are compared."""

TERM, CONTRAST = "term", "contrast"


@dataclass(frozen=True)
class Version:
    """What is estimated of the rows.

    Parameters
    ----------
    labels
        Term and contrast; none of a prediction.
    targets
        The rows, or the rows with the high and with the low value.
    divisor
        Of the difference.
    """

    labels: tuple[str, ...]
    targets: tuple[Target, ...]
    divisor: float = 1.0


@dataclass(frozen=True)
class Estimates:
    """Estimates, computed when they are asked for.

    Parameters
    ----------
    predictions
        Of the rows as they are.
    versions
        What is estimated.
    compare
        How two predictions are compared.
    over
        Sets of rows that are averaged over; None estimates every row.
    """

    predictions: Predictions
    versions: tuple[Version, ...]
    compare: str
    over: Sets | None

    def combined(self, version: Version, parts: list[Array]) -> Array:
        """Return the prediction, or the comparison of two."""
        if len(parts) == 1:
            return parts[0]
        with np.errstate(invalid="ignore", divide="ignore"):
            return COMPARE[self.compare](*parts) / version.divisor

    def parts(self, version: Version, rows: Integers) -> list[Array]:
        """Return the predictions of a version, of some rows."""
        return [self.predictions.of(rows, target) for target in version.targets]

    def averages(self) -> list[Array]:
        """Return draws of each version's averages, shape (G, S), or (G, C, S)."""
        if self.over is None:
            raise StatisticError(
                message(
                    "draws of estimates of every row, which are not held",
                    "estimates averaged over rows",
                    "pass by=True, or the name of a column",
                )
            )
        own, found = self.predictions, []
        counts = self.over.counts.reshape(-1, *[1] * len(own.shape))
        shape = (self.over.size, *own.shape[1:], own.parameters.size)

        def predicted(version: Version, rows: Integers) -> tuple[Integers, list[Array]]:
            return rows, self.parts(version, rows)

        for version in self.versions:
            sums = [np.zeros(shape) for _ in version.targets]
            for rows, parts in own.each(partial(predicted, version)):
                for total, values in zip(sums, parts, strict=True):
                    self.over.add(total, rows, values)
            found.append(self.combined(version, [total / counts for total in sums]))
        return found

    def by_row(self, interval: Interval) -> list[Array]:
        """Return mean, SD and interval of each version of every row."""
        found = []

        def summarised(version: Version, rows: Integers) -> tuple[Integers, Array]:
            return rows, interval.of(self.combined(version, self.parts(version, rows)))

        for version in self.versions:
            values = np.empty((*self.predictions.shape, len(COLUMNS)))
            for rows, some in self.predictions.each(partial(summarised, version)):
                values[rows] = some
            found.append(values)
        return found

    def frame(self, probability: float = 0.95) -> pd.DataFrame:
        """Return mean, SD and interval of every estimate."""
        import pandas as pd

        interval = Interval(probability)
        if self.over is not None:
            found = [interval.of(draws) for draws in self.averages()]
        else:
            found = self.by_row(interval)
        values = np.concatenate([each.reshape(-1, len(COLUMNS)) for each in found])
        return pd.DataFrame(values, columns=list(COLUMNS), index=self.index())

    def index(self) -> pd.Index:
        """Return the labels of the estimates, in the order of the frame."""
        import pandas as pd

        own, over = self.predictions, self.over
        rows = [(label,) for label in own.target.labels.tolist()] if over is None else over.labels
        columns = (names.OBS,) if over is None else over.columns
        categories: list[tuple[Any, ...]] = [(category,) for category in own.categories] or [()]
        labels = [
            (*version.labels, *row, *category)
            for version in self.versions
            for row in rows
            for category in categories
        ]
        heads = (TERM, CONTRAST) if self.versions[0].labels else ()
        titles = [*heads, *columns, *([CATEGORY] if own.categories else [])]
        if not titles:
            return pd.Index(["all rows"])
        if len(titles) == 1:
            return pd.Index([label[0] for label in labels], name=titles[0])
        return pd.MultiIndex.from_tuples(labels, names=titles)

    def draws(self) -> xr.DataArray:
        """Return draws of averages, dims (chain, draw, estimate).

        Raises
        ------
        StatisticError
            Where every row is estimated.
        """
        import xarray as xr

        S = self.predictions.parameters.size
        values = np.concatenate([each.reshape(-1, S) for each in self.averages()])
        labels = [
            ", ".join(map(str, at)) if isinstance(at, tuple) else str(at)
            for at in self.index().tolist()
        ]
        chains = self.predictions.result.posterior.sizes["chain"]
        return xr.DataArray(
            values.T.reshape(chains, -1, len(labels)),
            dims=("chain", "draw", "estimate"),
            coords={"estimate": labels},
            name=self.predictions.kind,
        )


def allowed(family: Family, contrasts: Sequence[Contrast] | None, kind: str) -> tuple[str, ...]:
    """Return the comparisons that are defined; a ratio is of means, that of odds of shares."""
    slopes = any(each.divisor != 1.0 for each in contrasts or ())
    if contrasts is None or slopes or kind == LINEAR:
        return ("difference",)
    share = family.ordered or family.unordered or family.binary or family.proportion
    return tuple(COMPARE) if share else tuple(name for name in COMPARE if "odds" not in name)


def estimates(
    result: FitResult,
    data: Any,
    contrasts: Sequence[Contrast] | None,
    *,
    by: By | None = None,
    compare: str = "difference",
    groups: Groups = EXISTING,
    kind: str = MEAN,
    seed: int = 0,
    replicates: int | None = None,
    own: bool = False,
    missing: Integers | None = None,
) -> Estimates:
    """Return estimates of rows.

    Parameters
    ----------
    result
        The fit.
    data
        The rows.
    contrasts
        What is compared; None predicts.
    by
        True averages over all rows; names of columns, over the rows of each combination; None
        estimates every row.
    compare
        ``"difference"``, ``"ratio"``, ``"log_ratio"`` or ``"log_odds_ratio"`` (of shares and
        probabilities); of averages the averages are compared.
    groups, kind, seed, replicates
        As of `bayesmlm.predict.predict`; comparisons are of means or linear predictors.
    own
        Whether the rows are those of the fit.
    missing
        Positions of the rows, where they are rows of the fit's data without a response.

    Raises
    ------
    StatisticError
        For an unknown option.
    DataError
        If the rows cannot be predicted.
    """
    design, frame = result.design, narwhalify(data)
    check_choice("kind", kind, KINDS if contrasts is None else (MEAN, LINEAR))
    check_choice("compare", compare, allowed(design.family, contrasts, kind))
    treatment = treatments(design, groups)

    def rows_of(rows: Any) -> Target:
        return new_rows(design, rows, treatment, kind == RESPONSE, own, missing)

    made = predictions(result, rows_of(frame), treatment, kind, seed, replicates)
    over = None if by is None or by is False else sets(frame, by)
    if contrasts is None:
        return Estimates(made, (Version((), (made.target,)),), compare, over)
    if not contrasts:
        raise StatisticError(
            message(
                "comparisons in a model without predictors",
                "models with predictors",
                "add one to the formula",
            )
        )
    versions = [
        Version((each.term, each.label), (rows_of(each.high), rows_of(each.low)), each.divisor)
        for each in contrasts
    ]
    return Estimates(made, tuple(versions), compare, over)
