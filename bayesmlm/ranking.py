"""Which model predicts best: `compare`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmlm.checks import LeftOut
from bayesmlm.checks.loo import REFITS, loo
from bayesmlm.checks.target import GROUP, ROW, outermost
from bayesmlm.design import Design
from bayesmlm.design.grouping import Grouping
from bayesmlm.engines import Engine
from bayesmlm.errors import StatisticError, message
from bayesmlm.fit import Fit
from bayesmlm.fit_checks import shown as bars
from bayesmlm.reports import Table

if TYPE_CHECKING:
    import pandas as pd

FEW, ALIKE = 100, 4.0
"""Predictions below which a standard error is optimistic, and a difference that is small."""


@dataclass(frozen=True)
class Ranking:
    """Models by how well they predict what they have not seen.

    Parameters
    ----------
    frame
        A row a model, the best first: ``elpd`` and its standard error ``se``; ``difference``
        to the best and ``se_difference``; ``p``, effective parameters; ``weight`` by stacking;
        ``unreliable`` and ``refitted``, how many rows or groups are.
    results
        The cross-validations, by model.
    notes
        What is to be known of it.
    """

    frame: pd.DataFrame
    results: Mapping[str, LeftOut]
    notes: tuple[str, ...]

    def table(self) -> Table:
        """Return the table to look at."""
        first = next(iter(self.results.values()))
        what = "rows" if first.predict == ROW else f"groups of {first.of}"
        title = f"Predicting a {first.predict}, {len(first.frame):,} {what}"
        labels = {"se": "SE of elpd", "difference": "gap", "se_difference": "SE of gap"}
        shown = self.frame.round({"weight": 2, "p": 1}).rename(columns=labels | {"p": "parameters"})
        return Table(title, shown, self.notes)

    def __rich__(self) -> Any:
        return self.table()

    def __str__(self) -> str:
        return str(self.table())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def compare(
    fits: Mapping[str, Fit | LeftOut],
    predict: str = ROW,
    group: str | None = None,
    *,
    refits: int = REFITS,
    engine: str | Engine | None = None,
    workers: int | None = None,
    progress: bool | None = None,
) -> Ranking:
    """Compare models by the log predictive density of rows or groups they have not seen.

    Parameters
    ----------
    fits
        Fits, or results of `Fit.loo` and `Fit.kfold`, of the same rows by name.
    predict, group, refits, engine, workers, progress
        As of `Fit.loo`. A model without the grouping predicts the same groups by its rows.

    Returns
    -------
    Ranking
        Prints as a table; ``.frame``, ``.results``.

    Raises
    ------
    StatisticError
        For models of different rows or responses, and where `Fit.loo` raises one.

    References
    ----------
    Vehtari, Gelman & Gabry (2017), doi:10.1007/s11222-016-9696-4; Yao, Vehtari, Simpson &
    Gelman (2018), doi:10.1214/17-BA1091; Sivula, Magnusson, Matamoros & Vehtari (2025),
    doi:10.48550/arXiv.2008.10296.

    Examples
    --------
    >>> import bayesmlm as mlm
    >>> mlm.compare({"slopes": one, "intercepts": other}, predict="new group")  # doctest: +SKIP
    """
    check(fits)
    designs = {name: fit.result.design for name, fit in fits.items() if isinstance(fit, Fit)}
    check_rows(designs)
    grouping = shared_grouping(designs, group) if predict == GROUP else group
    options: dict[str, Any] = {"refits": refits, "engine": engine, "workers": workers}
    results = {
        name: fit
        if isinstance(fit, LeftOut)
        else loo(fit.result, predict, grouping, **options, progress=bars(progress))
        for name, fit in fits.items()
    }
    check_results(results)
    table, told = by_arviz(results)
    columns: dict[str, Any] = {
        "elpd": [results[name].elpd for name in table.index],
        "se": [results[name].se for name in table.index],
        "difference": table["elpd_diff"],
        "se_difference": table["dse"],
        "p": [results[name].p for name in table.index],
        "weight": table["weight"],
        "unreliable": [results[name].unreliable for name in table.index],
        "refitted": [results[name].refitted for name in table.index],
    }
    frame = table.assign(**columns)[list(columns)].rename_axis("model")
    return Ranking(frame, results, (*notes(frame, results), *told))


def by_arviz(results: Mapping[str, LeftOut]) -> tuple[pd.DataFrame, list[str]]:
    """Return ArviZ's table of differences and weights, and what it warns of.

    What is common to all models is taken from every value: neither depends on it, and
    exponentials of log densities of groups underflow.
    """
    from arviz_stats import compare as arviz_compare

    highest = np.max([each.frame["elpd"].to_numpy() for each in results.values()], axis=0)
    relative = {}
    for name, each in results.items():
        own = each.frame.assign(elpd=each.frame["elpd"] - highest)
        relative[name] = replace(each, frame=own).arviz()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        table = arviz_compare(relative, method="stacking", round_to="none")
    return table, [str(warning.message) for warning in caught]


def check(fits: Any) -> None:
    """Refuse anything but two or more fits by name."""
    named = isinstance(fits, Mapping) and len(fits) > 1
    wrong = [] if not named else [f for f in fits.values() if not isinstance(f, Fit | LeftOut)]
    if not named or wrong:
        got = f"a {type(wrong[0]).__name__}" if wrong else "not two or more fits by name"
        raise StatisticError(
            message(
                f"compare() of {got}",
                "fits, or results of fit.loo() and fit.kfold(), by name",
                'write mlm.compare({"one": fit, "other": fit2})',
            )
        )


def check_rows(designs: Mapping[str, Design]) -> None:
    """Refuse models of different rows, of different weights, or of densities and probabilities."""
    for name, design in designs.items():
        first_name, first = next(iter(designs.items()))
        theirs, ours = (np.asarray(d.outcome.rows.get("weights", 1.0)) for d in (first, design))
        if not np.array_equal(first.positions, design.positions):
            differ = "use different rows"
        elif not np.array_equal(theirs, ours):
            differ = "weight their rows differently"
        elif first.family.counts != design.family.counts:
            differ = "give a density and a probability"
        else:
            continue
        raise StatisticError(
            message(
                f"{first_name!r} and {name!r}, which {differ}",
                "models of one response in the same rows",
                "fit all models to the same rows (missing values drop them) and response",
            )
        )


def shared_grouping(designs: Mapping[str, Design], group: str | None) -> str | Grouping | None:
    """Return the groups that all models leave out: the named ones, or the outermost."""
    if group is not None:
        found = [
            block.grouping
            for design in designs.values()
            for block in design.random
            if group in (block.name, block.grouping.columns[-1])
        ]
        return found[0] if found else group
    outer = [outermost(design) for design in designs.values() if design.random]
    return min(outer, key=lambda grouping: grouping.size) if outer else None


def check_results(results: Mapping[str, LeftOut]) -> None:
    """Refuse results of different predictions or responses."""
    first_name, first = next(iter(results.items()))
    for name, each in results.items():
        if (each.predict, each.of) != (first.predict, first.of):
            differ = f"predict a {first.predict} ({first.of}) and a {each.predict} ({each.of})"
        elif list(each.frame.index) != list(first.frame.index):
            differ = "leave out different rows or groups"
        elif each.outcome[0] != first.outcome[0] or not np.array_equal(
            each.outcome[1], first.outcome[1]
        ):
            differ = f"have the responses {first.outcome[0]!r} and {each.outcome[0]!r}"
        else:
            continue
        raise StatisticError(
            message(
                f"{first_name!r} and {name!r}, which {differ}",
                "one response, and one prediction of it",
                "put all models on the same response; a transformed one is another response",
            )
        )


def notes(frame: pd.DataFrame, results: Mapping[str, LeftOut]) -> list[str]:
    """Return what is to be known of the differences."""
    found = list(dict.fromkeys(f"{name}: {each.method}" for name, each in results.items()))
    items = len(next(iter(results.values())).frame)
    if items < FEW:
        found.append(f"{items} predictions: standard errors of so few are optimistic")
    close = frame.index[1:][frame["difference"].iloc[1:].abs() < ALIKE]
    if len(close):
        names = ", ".join(map(str, close))
        found.append(f"less than {ALIKE:g} below the best, of no consequence: {names}")
    bad = {name: each.unreliable for name, each in results.items() if not each.ok}
    if bad:
        told = ", ".join(f"{count} of {name}" for name, count in bad.items())
        found.append(f"unreliable by Pareto k-hat: {told}; pass refits={max(bad.values())}")
    return found
