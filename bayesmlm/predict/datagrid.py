"""Grids: some predictors at stated values, the others where the data are typical."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmlm.design import Design
from bayesmlm.design.used_columns import group_columns
from bayesmlm.errors import StatisticError, message, suggestion
from bayesmlm.predict.contrasts import levels_of, predictors
from bayesmlm.predict.target import SAMPLING
from bayesmlm.spec.expression import variables

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw
    import pandas as pd


def datagrid(design: Design, data: nw.DataFrame[Any], values: Mapping[str, Any]) -> pd.DataFrame:
    """Return every combination of stated values, a row each.

    Parameters
    ----------
    design, data
        The fit's, and rows that the other columns are taken from.
    values
        One value or several by column. Columns that the model uses and that are not named
        stand at their mean; text, booleans, categories, groups and additions of the response
        at the most frequent value.

    Raises
    ------
    StatisticError
        For a column that the model does not use, or without a value.
    """
    import pandas as pd

    additions = [
        column
        for name, text in design.spec.response.additions
        if name in SAMPLING
        for column in variables(text)
    ]
    groups = group_columns(design.blocks)
    used = dict.fromkeys([*predictors(design), *groups, *additions])
    stated: dict[str, list[Any]] = {}
    for name, given in values.items():
        if name not in used:
            raise StatisticError(
                message(
                    f"a grid over {name!r}, which the model does not use{suggestion(name, used)}",
                    ", ".join(used) or "none: the model has no predictors",
                    "name columns that the formula uses",
                )
            )
        several = isinstance(given, list | tuple | range | np.ndarray)
        stated[name] = list(given) if several else [given]
        if not stated[name]:
            raise StatisticError(
                message(f"no value of {name!r}", "one value or several", f"write {name}=[0, 1]")
            )
    for name in used:
        if name not in stated:
            whole = name in (*groups, *additions) or levels_of(design, name) is not None
            stated[name] = [typical(data[name], whole)]
    rows = list(product(*(stated[name] for name in used)))
    return pd.DataFrame(rows, columns=list(used))


def typical(series: nw.Series[Any], whole: bool) -> Any:
    """Return the mean of numbers, of all else (and where `whole`) the most frequent value."""
    import narwhals.stable.v2 as nw

    if series.dtype.is_numeric() and series.dtype != nw.Boolean and not whole:
        return float(series.cast(nw.Float64).to_numpy().mean())
    return Counter(series.to_list()).most_common(1)[0][0]
