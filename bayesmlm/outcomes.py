"""How social is each outcome: the between-group share of several outcomes in one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesmlm.errors import StatisticError, message
from bayesmlm.fit import Fit
from bayesmlm.reports import Table
from bayesmlm.reports.summary import estimates
from bayesmlm.summaries.draws import PROBABILITY

ESTIMATES = ("mean", "sd", "lower", "upper")


def compare_icc(
    fits: Mapping[str, Fit],
    group: str | None = None,
    probability: float = PROBABILITY,
    *,
    kind: str = "correlation",
    scale: str = "latent",
) -> Table:
    """Return the intraclass correlations of several outcomes, the largest first.

    Parameters
    ----------
    fits
        Fits by the name of their outcome: the same groups, empty models to compare all of the
        variance, the same predictors to compare what these leave.
    group
        The grouping; None where each model has one.
    probability
        Of the intervals.
    kind, scale
        As of `Fit.icc`, for all of them.

    Returns
    -------
    Table
        One row an outcome: mean, SD and interval, the number of rows and of groups.

    Raises
    ------
    StatisticError
        Without fits, or for fits of several groupings.

    Examples
    --------
    >>> import bayesmlm as mlm
    >>> mlm.compare_icc({"mathematics": one, "reading": other})  # doctest: +SKIP
    """
    import pandas as pd

    check(fits)
    records: list[dict[str, Any]] = []
    names = {outcome: fit.only_group(group) for outcome, fit in fits.items()}
    if len(set(names.values())) > 1:
        raise StatisticError(
            message(
                f"outcomes of different groupings: {', '.join(sorted(set(names.values())))}",
                "one grouping in all",
                "name one that all models have: group=...",
            )
        )
    for outcome, fit in fits.items():
        frame = fit.icc(probability, kind=kind, scale=scale).frame
        row = frame.rename(columns={"estimate": "mean"}).loc[names[outcome]]
        design = fit.result.design
        records.append(
            {
                "outcome": outcome,
                **{name: row.get(name, float("nan")) for name in ESTIMATES},
                "rows": len(design.y),
                "groups": design.block(names[outcome]).grouping.size,
            }
        )
    table = pd.DataFrame(records).set_index("outcome")
    table = table.sort_values("mean", ascending=False, kind="stable")
    told = [note for fit in fits.values() for note in notes_of(fit, kind, scale)]
    title = f"Share of the variance between groups: {next(iter(names.values()))}"
    return estimates(title, table, probability, tuple(dict.fromkeys(told)))


def notes_of(fit: Fit, kind: str, scale: str) -> tuple[str, ...]:
    """Return the definition that a fit's correlation has."""
    told = fit.icc(kind=kind, scale=scale).notes
    return tuple(note for note in told if note != "estimates at the maximum")


def check(fits: Mapping[str, Fit]) -> None:
    """Refuse anything but fits by name."""
    named = isinstance(fits, Mapping) and bool(fits)
    if not named or not all(isinstance(fit, Fit) for fit in fits.values()):
        raise StatisticError(
            message(
                f"compare_icc of {type(fits).__name__}",
                "one or more fits, by the name of their outcome",
                'pass a dictionary: mlm.compare_icc({"mathematics": fit, "reading": other})',
            )
        )
