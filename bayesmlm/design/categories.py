"""The categories of a response: of two, in order, and without one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design.columns import to_pandas
from bayesmlm.errors import DataError, message
from bayesmlm.spec.expression import variables

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

MOST_CATEGORIES = 50
"""Most categories without an order."""

LARGEST_SCALE = 100
"""Largest difference of whole numbers that are taken as ordered categories."""


def two_categories(name: str, column: pd.Series) -> tuple[Any, Any]:
    """Return the failure and the success category of a text column, in sorted order."""
    categories = column.cat.categories.to_list()
    if len(categories) != 2:
        listed = ", ".join(map(repr, categories[:6]))
        raise DataError(
            message(
                f"the response {name!r} has {len(categories)} categories: {listed}",
                "two categories; the second in order is the success",
                "make a column of 0 and 1, or keep two categories",
            )
        )
    return categories[0], categories[1]


def ordered_categories(name: str, given: pd.Series | Array) -> tuple[Array, tuple[Any, ...]]:
    """Return the positions of ordered categories, and the categories.

    Raises
    ------
    DataError
        For categories without an order, numbers that are not successive whole numbers, or a
        single category.
    """
    if not isinstance(given, np.ndarray):
        categories = tuple(given.cat.categories.to_list())
        if not given.cat.ordered:
            listed = ", ".join(map(repr, categories[:6]))
            raise DataError(
                message(
                    f"the response {name!r} has categories without an order: {listed}",
                    "an ordered categorical (polars: Enum), or successive whole numbers",
                    f"pandas: pandas.Categorical(data[{name!r}], categories=[…], ordered=True)",
                )
            )
        y = given.cat.codes.to_numpy().astype(float)
    else:
        low, high = float(given.min()), float(given.max())
        fractions = ~(given == np.floor(given))
        if fractions.any() or high - low > LARGEST_SCALE:
            example = given[fractions | (given == high)][0]
            raise DataError(
                message(
                    f"the response {name!r} has values such as {example:g}",
                    f"at most {LARGEST_SCALE} successive whole numbers, or an ordered categorical",
                    "number the categories, or choose another family",
                )
            )
        categories, y = tuple(range(int(low), int(high) + 1)), given - low
        refuse_unseen(name, [c for k, c in enumerate(categories) if not (y == k).any()])
    if len(categories) < 2:
        raise DataError(
            message(
                f"the response {name!r} has one category ({categories[0]!r})",
                "two ordered categories or more",
                "check that this is the outcome",
            )
        )
    return y, categories


def plain_categories(name: str, given: pd.Series | Array) -> tuple[Array, tuple[Any, ...]]:
    """Return the positions of categories without an order, and the categories.

    Raises
    ------
    DataError
        For fewer than three categories, more than can be meant, or numbers that are not whole.
    """
    if not isinstance(given, np.ndarray):
        categories = tuple(given.cat.categories.to_list())
        y = given.cat.codes.to_numpy().astype(float)
    else:
        fractions = given != np.floor(given)
        if fractions.any():
            raise DataError(
                message(
                    f"the response {name!r} has values such as {given[fractions][0]:g}",
                    "text, a categorical, or whole numbers that name categories",
                    "choose another family",
                )
            )
        found, codes = np.unique(given, return_inverse=True)
        categories, y = tuple(int(value) for value in found), codes.astype(float)
    check_plain(name, categories)
    return y, categories


def check_plain(name: str, categories: tuple[Any, ...]) -> None:
    """Refuse fewer categories than three, more than can be meant, and one without a name."""
    if len(categories) < 3:
        few = "one category" if len(categories) == 1 else "two categories"
        raise DataError(
            message(
                f"the response {name!r} has {few}: {', '.join(map(repr, categories))}",
                "three categories or more",
                'use family="bernoulli" for two'
                if len(categories) == 2
                else "check that this is the outcome",
            )
        )
    if len(categories) > MOST_CATEGORIES:
        raise DataError(
            message(
                f"the response {name!r} has {len(categories)} categories",
                f"at most {MOST_CATEGORIES}, each with a linear predictor of its own",
                "join categories, or choose another family",
            )
        )
    if "" in map(str, categories):
        raise DataError(
            message(
                f"the response {name!r} has a category without a name",
                "categories with names, which the coefficients are called by",
                "name it",
            )
        )


def check_seen(name: str, series: Any, frame: pd.DataFrame) -> None:
    """Raise `DataError` for categories that the column declares and no row used has."""
    given = to_pandas(series)
    if getattr(given, "dtype", None) is not None and given.dtype.name == "category":
        seen = frame[variables(name)[0]].cat.categories.to_list()
        refuse_unseen(name, [c for c in given.categories.to_list() if c not in seen])


def refuse_unseen(name: str, unseen: list[Any]) -> None:
    """Raise `DataError` where there are categories without rows."""
    if unseen:
        raise DataError(
            message(
                f"no row of the response {name!r} has {', '.join(map(repr, unseen[:5]))}",
                "categories with rows: nothing tells the parameters of others",
                "remove the category (pandas: .cat.remove_unused_categories()), or join it to "
                "its neighbour",
            )
        )
