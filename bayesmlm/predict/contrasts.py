"""Contrasts: the same rows with one predictor set to two values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmlm.design import Design
from bayesmlm.design.encoding import Encoding
from bayesmlm.design.used_columns import effect_columns, group_columns
from bayesmlm.errors import StatisticError, message, suggestion
from bayesmlm.spec.expression import variables as columns_of

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw

REFERENCE, SEQUENTIAL, PAIRWISE = CATEGORICAL = ("reference", "sequential", "pairwise")
SD, RANGE = NUMERIC = ("sd", "minmax")

STEP = 1e-4
"""Half the step of a slope, as a share of the predictor's range in the data."""

Change = float | str | Sequence[Any]
"""How a predictor is changed: by a number, in a way named, or from one value to another."""


@dataclass(frozen=True)
class Contrast:
    """One predictor at two values.

    Parameters
    ----------
    term, label
        The predictor, and what is compared.
    low, high
        The data with either.
    divisor
        Of the difference; one where it is no slope.
    """

    term: str
    label: str
    low: nw.DataFrame[Any]
    high: nw.DataFrame[Any]
    divisor: float = 1.0


def predictors(design: Design) -> tuple[str, ...]:
    """Return the data columns that effects are computed from, those of groupings left out.

    Those of the location come first, then those that only formulas of further parameters have.
    """
    groups = set(group_columns(design.blocks))
    formulas = [own for _, own in design.spec.response.predictors]
    columns = dict.fromkeys(name for own in formulas for name in effect_columns(own))
    return tuple(name for name in columns if name not in groups)


def levels_of(design: Design, name: str) -> tuple[Any, ...] | None:
    """Return the categories of a predictor, None of a number."""
    encodings: Iterable[Encoding] = (
        *(encoding for part in design.parts for encoding in (part.fixed, *part.offsets)),
        *(encoding for block in design.blocks for encoding in block.encodings),
    )
    for encoding in encodings:
        if name in encoding.levels:
            return encoding.levels[name]
        for factor, categories in encoding.coded.items():
            if columns_of(factor)[0] == name:
                return categories
    return None


def contrasts(
    design: Design,
    data: nw.DataFrame[Any],
    variables: str | Sequence[str] | Mapping[str, Change] | None,
) -> list[Contrast]:
    """Return the contrasts of some predictors.

    Parameters
    ----------
    design, data
        The fit's, and the rows.
    variables
        Names, or changes by name. A number ``d`` compares x + d with x; ``"sd"`` half a
        standard deviation to either side; ``"minmax"`` the largest with the smallest value;
        a pair ``(a, b)`` b with a. Categories: ``"reference"`` each with the first,
        ``"sequential"`` each with the one before, ``"pairwise"`` all pairs, or a pair.
        Without a change: 1, or ``"reference"``; of 0 and 1 the pair (0, 1). None: all.

    Raises
    ------
    StatisticError
        For a name that no predictor has, or a change that it does not take.
    """
    found = []
    for name, change in named(design, variables).items():
        levels = levels_of(design, name)
        if levels is None and is_boolean(data, name):
            levels = (False, True)
        if levels is not None:
            found += [between(data, name, *pair) for pair in pairs(name, levels, change)]
        else:
            found.append(of_number(data, name, change))
    return found


def slope_contrasts(
    design: Design, data: nw.DataFrame[Any], variables: str | Sequence[str] | None
) -> list[Contrast]:
    """Return the central differences that slopes of numbers are taken from.

    Raises
    ------
    StatisticError
        For categories, which have no slope.
    """
    import narwhals.stable.v2 as nw

    chosen = named(design, variables)
    numbers = {
        name for name in chosen if levels_of(design, name) is None and not is_boolean(data, name)
    }
    other = [name for name in chosen if name not in numbers]
    if not numbers or (variables is not None and other):
        got = f"slopes of {', '.join(map(repr, other))}, which have categories"
        raise StatisticError(
            message(
                got if other else "slopes of a model without predictors",
                ", ".join(sorted(numbers)) or "predictors that are numbers",
                "ask for comparisons of categories" if other else "add a predictor to the formula",
            )
        )
    found = []
    for name in chosen:
        if name not in numbers:
            continue
        values = data[name].to_numpy().astype(float)
        half = STEP * (float(np.ptp(values)) or max(1.0, float(np.abs(values).max())))
        column = nw.col(name).cast(nw.Float64)
        low, high = (data.with_columns((column + move).alias(name)) for move in (-half, half))
        found.append(Contrast(name, "slope", low, high, 2 * half))
    return found


def named(design: Design, variables: Any) -> dict[str, Any]:
    """Return changes by name, None where none is stated."""
    known = predictors(design)
    if variables is None:
        return dict.fromkeys(known)
    if isinstance(variables, str):
        chosen: dict[str, Any] = {variables: None}
    elif isinstance(variables, Mapping):
        chosen = dict(variables)
    else:
        chosen = dict.fromkeys(variables)
    for name in chosen:
        if name not in known:
            raise StatisticError(
                message(
                    f"{name!r} is no predictor of the model{suggestion(name, known)}",
                    ", ".join(known) or "none: the model has no predictors",
                    "name a column that the formula uses, not a term or a group",
                )
            )
    return chosen


def is_boolean(data: nw.DataFrame[Any], name: str) -> bool:
    """Return whether a column is of booleans."""
    import narwhals.stable.v2 as nw

    return bool(data[name].dtype == nw.Boolean)


def pairs(name: str, levels: tuple[Any, ...], change: Any) -> list[tuple[Any, Any]]:
    """Return the pairs of categories compared, the lower first."""
    if change is None or change == REFERENCE:
        return [(levels[0], level) for level in levels[1:]]
    if change == SEQUENTIAL:
        return list(pairwise(levels))
    if change == PAIRWISE:
        return list(combinations(levels, 2))
    if is_pair(change) and all(value in levels for value in change):
        return [(change[0], change[1])]
    shown = ", ".join(map(repr, levels[:8]))
    raise refuse(name, change, f"{', '.join(map(repr, CATEGORICAL))}, or two of {shown}")


def is_pair(change: Any) -> bool:
    """Return whether a change is two values."""
    return isinstance(change, Sequence) and not isinstance(change, str) and len(change) == 2


def refuse(name: str, change: Any, allowed: str) -> StatisticError:
    """Return the error for a change that a predictor does not take."""
    return StatisticError(
        message(f"{name!r} changed by {change!r}", allowed, "choose one of these")
    )


def between(data: nw.DataFrame[Any], name: str, low: Any, high: Any) -> Contrast:
    """Return the contrast of two values."""
    import narwhals.stable.v2 as nw

    first, second = (data.with_columns(nw.lit(value).alias(name)) for value in (low, high))
    return Contrast(name, f"{shown(high)} - {shown(low)}", first, second)


def shown(value: Any) -> str:
    """Return a value as a label has it."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def of_number(data: nw.DataFrame[Any], name: str, change: Any) -> Contrast:
    """Return the contrast of a predictor that is a number."""
    import narwhals.stable.v2 as nw

    values = data[name].to_numpy().astype(float)
    if change is None:
        change = (0, 1) if set(np.unique(values)) <= {0.0, 1.0} else 1
    if isinstance(change, str) and change == RANGE:
        change = (float(values.min()), float(values.max()))
    if is_pair(change) and all(is_number(value) for value in change):
        return between(data, name, float(change[0]), float(change[1]))
    column = nw.col(name).cast(nw.Float64)
    if isinstance(change, str) and change == SD:
        half = float(values.std(ddof=1)) / 2
        low, high = (data.with_columns((column + move).alias(name)) for move in (-half, half))
        return Contrast(name, "+1 SD", low, high)
    if is_number(change):
        high = data.with_columns((column + float(change)).alias(name))
        return Contrast(name, f"{change:+g}", data, high)
    raise refuse(name, change, f"a number, {', '.join(map(repr, NUMERIC))}, or two numbers")


def is_number(value: Any) -> bool:
    """Return whether a value is a finite number."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return number and bool(np.isfinite(value))
