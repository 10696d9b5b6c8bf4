"""The response column and its additions as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design.encoding import encode
from bayesmlm.errors import DataError, SpecError, message
from bayesmlm.families import Family
from bayesmlm.spec.terms import Response, Term

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """The response as the family takes it.

    Parameters
    ----------
    y
        Shape (N,).
    rows
        The additions by name, each of shape (N,).
    success, failure
        The category counted as 1, and the other, of a response of two categories.
    """

    y: Array
    rows: Mapping[str, Array]
    success: Any = None
    failure: Any = None

    @property
    def note(self) -> str | None:
        """Which category is a success, in words, or None."""
        if self.success is None:
            return None
        return f"success is {self.success!r}, failure is {self.failure!r}."


def read_outcome(response: Response, family: Family, frame: pd.DataFrame) -> Outcome:
    """Read the response and its additions, and check them against the family.

    Raises
    ------
    DataError
        If values are outside the support.
    SpecError
        If the family lacks an addition it needs, or does not take one it is given.
    """
    rows = {name: evaluate(text, frame) for name, text in response.additions}
    check_additions(family, rows)
    success = failure = None
    if family.binary and frame.get(response.column) is not None:
        column = frame[response.column]
        if column.dtype.name == "category":
            failure, success = two_categories(response.column, column)
            y = np.asarray(column == success, dtype=float)
        else:
            y = column.to_numpy().astype(float)
    else:
        y = evaluate(response.column, frame)
    family.check(response.column, y, rows)
    if family.has_scale and np.ptp(y) == 0:
        raise DataError(
            message(
                f"the response {response.column!r} is {y[0]:g} in every row",
                "a response that varies",
                "check that this is the outcome column",
            )
        )
    return Outcome(y, rows, success, failure)


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


def evaluate(text: str, frame: pd.DataFrame) -> Array:
    """Return the values of an expression of columns, or of a number; shape (N,)."""
    try:
        return np.full(len(frame), float(text))
    except ValueError:
        pass
    name = text.strip("`")
    if name in frame and frame[name].dtype.name == "category":
        shown = ", ".join(map(repr, frame[name].cat.categories[:5]))
        raise DataError(
            message(
                f"{name!r} is text ({shown})",
                "numbers (text is allowed as a bernoulli response)",
                'convert it to numbers, or pass family="bernoulli"',
            )
        )
    matrix = encode((Term((text,)),), frame)[1]
    if matrix.shape[1] != 1:
        raise DataError(
            message(f"{text!r} gives {matrix.shape[1]} columns", "one column", "simplify it")
        )
    return matrix[:, 0]


def check_additions(family: Family, rows: Mapping[str, Array]) -> None:
    """Refuse additions that the family lacks or does not take, or that are out of range."""
    for name in family.needs:
        if name not in rows:
            raise SpecError(
                message(
                    f"a {family.name} response without {name}",
                    f"y | {name}(column)",
                    f"name the column of {name} on the left side: y | {name}(n) ~ …",
                )
            )
    for name, values in rows.items():
        if name not in family.additions:
            raise SpecError(
                message(
                    f"{name}() with the {family.name} family",
                    ", ".join(family.additions),
                    f"remove {name}(), or choose another family",
                )
            )
        whole = name != "trials" or bool((values == np.floor(values)).all())
        if not whole or not bool((values > 0).all()):
            kind = "whole numbers from 1" if name == "trials" else "positive numbers"
            raise DataError(
                message(
                    f"{name}() has values such as {values[np.argmin(values)]:g}",
                    kind,
                    f"correct or remove the rows where {name} is not",
                )
            )
    if "se" in rows and "precision" in rows:
        raise SpecError(
            message(
                "se() together with precision()",
                "one of them: se() fixes the SD of each row, precision() scales sigma",
                "keep the one that is meant",
            )
        )
