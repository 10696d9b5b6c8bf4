"""Published statistics of a model beside ours: what is computed from its parameters.

A statistic is computed twice: from the maximum that was published, where it must be the
printed figure to its last digit, and as a posterior, whose central 90 % interval must hold it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from bayesmlm import names, summaries
from bayesmlm.engines import Progress, engine
from bayesmlm.errors import StatisticError, message
from bayesmlm.gallery.compare import parameter_draws
from bayesmlm.gallery.entry import Entry, Published
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import describe

if TYPE_CHECKING:
    import pandas as pd

    from bayesmlm.fit import Fit

FORMS = (
    *("tau_g[effect]", "sigma2", "icc[g]", "reliability_g[effect]"),
    *("within[x~mean]", "between[x~mean]", "contextual[x~mean]"),
)
"""Names of statistics; tau and sigma2 are variances."""

LEVEL = 0.9
"""Probability of the intervals."""

_NAME = re.compile(
    r"(?P<kind>icc|reliability|tau|within|between|contextual)(?:_(?P<group>[^\[]+))?\[(?P<inside>.+)\]"
)


def derived(entry: Entry, fit: Fit) -> list[dict[str, Any]]:
    """Return a record a derived figure: published, at the maximum, and as a posterior.

    Parameters
    ----------
    entry
        With the published figures.
    fit
        A fit of the same model with draws.

    Raises
    ------
    StatisticError
        For a statistic that is none of `FORMS`, or that the model lacks.
    """
    result = fit.result
    maxima = optima(result, {figure.kind for figure in entry.derived} - {"posterior"})
    return [record(figure, result, maxima.get(figure.kind)) for figure in entry.derived]


def optima(result: FitResult, kinds: Iterable[str]) -> dict[str, FitResult]:
    """Return the maxima, ML and REML, of the model of a fit."""
    return {
        kind: engine(kind.lower()).fit(result.design, result.priors, 0, Progress(False))
        for kind in kinds
    }


def record(figure: Published, result: FitResult, maximum: FitResult | None) -> dict[str, Any]:
    """Return the record of one figure."""
    row = statistic(figure.parameter, result)
    low, high = float(row["lower"]), float(row["upper"])
    optimum = None if maximum is None else point(statistic(figure.parameter, maximum))
    close = optimum is None or agrees(optimum, figure.estimate)
    return {
        "parameter": figure.parameter,
        "published": figure.estimate,
        "kind": figure.kind,
        "optimum": optimum,
        "mean": float(row["mean"]),
        "sd": float(row["sd"]),
        "q05": low,
        "q95": high,
        "ok": bool(close and low <= figure.estimate <= high),
    }


def agrees(ours: float, printed: float) -> bool:
    """Return whether a number is the printed one, rounded to its digits."""
    digits = len(repr(printed).partition(".")[2])
    return abs(ours - printed) <= 0.5 * 10.0**-digits + 1e-12


def point(row: Mapping[str, float]) -> float:
    """Return the estimate of a maximum."""
    return float(row["estimate"] if "estimate" in row else row["mean"])


def statistic(name: str, result: FitResult) -> Mapping[str, float]:
    """Return the row of a statistic by its name, one of `FORMS`."""
    if name == "sigma2":
        return variance(result, names.SIGMA)
    match = _NAME.fullmatch(name)
    if match is None or (match["group"] is not None) != (match["kind"] in ("tau", "reliability")):
        raise StatisticError(
            message(f"the derived figure {name!r}", ", ".join(FORMS), "name one of these")
        )
    inside = match["inside"]
    if match["kind"] == "tau":
        return variance(result, f"{names.sd(match['group'])}[{inside}]")
    if match["kind"] == "reliability":
        return row_of(summaries.reliability(result, match["group"], LEVEL), inside)
    if match["kind"] == "icc":
        return row_of(summaries.icc(result, LEVEL), inside)
    x, _, mean = inside.partition("~")
    frame = summaries.within_between(result, x, mean, LEVEL)
    return row_of(frame.droplevel("predictor"), match["kind"])


def row_of(frame: pd.DataFrame, label: str) -> dict[str, float]:
    """Return the numbers of one row of a table of a statistic."""
    if label not in frame.index:
        raise StatisticError(
            message(
                f"a derived figure of {label!r}",
                ", ".join(map(str, frame.index)),
                "correct the model file",
            )
        )
    wanted = [name for name in ("estimate", "mean", "sd", "lower", "upper") if name in frame]
    values = frame.loc[[label], wanted].to_numpy(dtype=float)[0]
    return dict(zip(wanted, values.tolist(), strict=True))


def variance(result: FitResult, sd: str) -> dict[str, float]:
    """Return the square of an SD, by its name."""
    draws = parameter_draws(result.design, result.posterior)
    if sd not in draws:
        raise StatisticError(
            message(f"a derived figure of {sd!r}", ", ".join(draws), "correct the model file")
        )
    columns = describe(draws[sd][:, None] ** 2, LEVEL)
    return {name: float(values[0]) for name, values in columns.items()}
