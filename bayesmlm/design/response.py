"""The response column and its additions as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design.categories import ordered_categories, plain_categories, two_categories
from bayesmlm.design.encoding import Encoding, encode
from bayesmlm.design.grouping import LARGEST_WHOLE
from bayesmlm.design.screen import check_varies
from bayesmlm.errors import DataError, SpecError, message
from bayesmlm.families import Family
from bayesmlm.spec.expression import is_factor, is_name, variables
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
    categories
        Of an ordered or categorical response, in order; y holds their positions.
    reference
        The first category, which the others are set against, of a categorical response.
    """

    y: Array
    rows: Mapping[str, Array]
    success: Any = None
    failure: Any = None
    categories: tuple[Any, ...] = ()
    reference: Any = None

    @property
    def threshold_labels(self) -> tuple[str, ...]:
        """Names of the thresholds between the categories, such as ``"low|high"``."""
        return tuple(f"{a}|{b}" for a, b in zip(self.categories, self.categories[1:], strict=False))

    @property
    def note(self) -> str | None:
        """Which category is a success, or the order of categories, in words, or None."""
        if self.reference is not None:
            rest = ", ".join(f"mu{category}" for category in self.categories[1:])
            return f"reference category is {self.reference!r}; log odds against it: {rest}."
        if self.categories:
            order = " < ".join(map(str, self.categories))
            return f"categories in order: {order}; thresholds stand in the intercept's place."
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
    named = named_categories(response.column, frame)
    if family.ordered or family.unordered:
        given = evaluate(response.column, frame) if named is None else named
        if family.ordered:
            y, categories = ordered_categories(response.column, given)
            return Outcome(y, rows, categories=categories)
        y, categories = plain_categories(response.column, given)
        return Outcome(y, rows, categories=categories, reference=categories[0])
    success = failure = None
    if family.binary and named is not None:
        failure, success = two_categories(response.column, named)
        y = np.asarray(named == success, dtype=float)
    else:
        y = evaluate(response.column, frame)
    family.check(response.column, y, rows)
    if family.counts:
        check_counts(response.column, y)
    else:
        check_varies(f"the response {response.column!r}", y, "check that this is the outcome")
    return Outcome(y, rows, success, failure)


def named_categories(name: str, frame: pd.DataFrame) -> pd.Series | None:
    """Return the column of a response whose categories have names, or None."""
    column = frame[variables(name)[0]] if is_name(name) else None
    return column if column is not None and column.dtype.name == "category" else None


def read_again(outcome: Outcome, family: Family, name: str, values: Any) -> Outcome:
    """Return another response of the same rows, its categories those that the model knows.

    Parameters
    ----------
    outcome
        The response so far.
    family
        Of both.
    name
        For errors.
    values
        One a row: numbers as the response has them after its expression, or categories by
        their names.

    Raises
    ------
    DataError
        For another number of rows, unknown categories, or values outside the support.
    """
    given = np.asarray(values)
    if given.shape != outcome.y.shape:
        raise DataError(
            message(
                f"a response of shape {given.shape}",
                f"one value for each of the {len(outcome.y):,} rows used",
                "give the rows in the order of the data, those dropped left out",
            )
        )
    labels = outcome.categories
    if outcome.success is not None and given.dtype.kind not in "fiub":
        labels = (outcome.failure, outcome.success)
    if labels:
        given = positions(name, given, labels)
    elif given.dtype.kind not in "fiub":
        kind = given.dtype.name
        raise DataError(message(f"a response of {kind}", "numbers", "convert it to numbers"))
    y = np.asarray(given, dtype=float)
    family.check(name, y, outcome.rows)
    if family.counts:
        check_counts(name, y)
    else:
        check_varies(f"the response {name!r}", y, "check that this is the outcome")
    return replace(outcome, y=y)


def positions(name: str, values: NDArray[Any], labels: tuple[Any, ...]) -> Array:
    """Return where values stand among labels, shape (N,)."""
    at = {label: float(k) for k, label in enumerate(labels)}
    try:
        return np.array([at[value] for value in values.tolist()])
    except KeyError as error:
        shown = ", ".join(map(repr, labels))
        raise DataError(
            message(
                f"a category {error.args[0]!r} of {name!r}",
                shown,
                "the model knows these alone: build a new one for others",
            )
        ) from None


def check_counts(name: str, values: Array) -> None:
    """Raise `DataError` for counts that a double does not hold exactly."""
    if values.max() > LARGEST_WHOLE:
        raise DataError(
            message(
                f"{name!r} has counts as large as {values.max():g}",
                f"whole numbers up to {LARGEST_WHOLE:g}",
                "correct these rows, or model the logarithm as gaussian",
            )
        )


def evaluate(text: str, frame: pd.DataFrame) -> Array:
    """Return the values of an expression of columns, or of a number; shape (N,)."""
    return learn(text, frame)[1]


def learn(text: str, frame: pd.DataFrame) -> tuple[Encoding, Array]:
    """Return how an expression of columns is computed, and its values; shape (N,).

    Raises
    ------
    DataError
        If it is text, or gives more than one column.
    """
    columns = variables(text)
    if not columns:
        return Encoding(), np.full(len(frame), number(text))
    if is_name(text) and frame[columns[0]].dtype.name == "category":
        shown = ", ".join(map(repr, frame[columns[0]].cat.categories[:5]))
        raise DataError(
            message(
                f"{columns[0]!r} is text ({shown})",
                "numbers (text is allowed as a bernoulli response)",
                'convert it to numbers, or pass family="bernoulli"',
            )
        )
    # as a formula, n - 1 would be n without an intercept, and a + b two columns
    factor = text if is_factor(text) else f"I({text})"
    encoding, matrix = encode((Term((factor,)),), frame)
    if matrix.shape[1] != 1:
        raise DataError(
            message(f"{text!r} gives {matrix.shape[1]} columns", "one column", "simplify it")
        )
    return encoding, matrix[:, 0]


def number(text: str) -> float:
    """Return the number that an expression without columns states."""
    try:
        return float(text)
    except ValueError:
        raise DataError(
            message(f"{text!r}", "a column, or one number", "write the number out")
        ) from None


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
        allowed = (values > 0) & np.isfinite(values)
        if name == "trials":
            allowed &= values == np.floor(values)
        if not allowed.all():
            kind = "whole numbers from 1" if name == "trials" else "positive finite numbers"
            raise DataError(
                message(
                    f"{name}() has values such as {values[~allowed][0]:g}",
                    kind,
                    f"correct or remove the rows where {name} is not",
                )
            )
    if "trials" in rows:
        check_counts("trials", rows["trials"])
    if "se" in rows and "precision" in rows:
        raise SpecError(
            message(
                "se() together with precision()",
                "one of them: se() fixes the SD of each row, precision() scales sigma",
                "keep the one that is meant",
            )
        )


def unlikely(response: Response, family: Family, outcome: Outcome) -> str | None:
    """Return a note on a response that the family is an unlikely choice for, or None."""
    values = set(np.unique(outcome.y).tolist())
    if family.name == "gaussian" and values <= {0.0, 1.0}:
        return (
            f"the response {response.column!r} is 0 or 1 and the family gaussian; "
            'family="bernoulli" models its probability.'
        )
    if family.name == "bernoulli" and len(values) == 1:
        return f"every response is {outcome.y[0]:g}: only the priors bound the intercept."
    if family.counts and not family.ordered and values == {0.0}:
        return "every response is 0: only the priors bound the intercept."
    return None
