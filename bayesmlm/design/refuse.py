"""What a design refuses: groupings, names and levels that are at odds with the data."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design.encoding import encode
from bayesmlm.design.grouping import Grouping, constant_within, group_rows, is_nested
from bayesmlm.errors import DataError, SpecError, message
from bayesmlm.spec.expression import variables
from bayesmlm.spec.terms import ModelSpec, Response, Term

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

EXACT = 1e-10
"""Relative length below which what is left of a fit is rounding."""


def check_sides(response: Response, right: tuple[str, ...]) -> None:
    """Refuse a response whose only column is also a predictor or a group."""
    left = variables(response.column)
    if len(left) == 1 and left[0] in right:
        raise SpecError(
            message(
                f"the response {left[0]!r} also as a predictor or a group",
                "a column on one side of the model only",
                f"remove {left[0]!r} from the right side",
            )
        )


def check_groupings(groupings: tuple[Grouping, ...], residual: bool, n: int) -> None:
    """Refuse clashing names, a single group, and one row per group beside a residual."""
    reserved = names.reserved_for([g.name for g in groupings])
    called = Counter(names.safe(g.name) for g in groupings)
    for g in groupings:
        check_grouping_name(g, reserved, called)
        if g.size < 2:
            raise DataError(
                message(
                    f"{g.name!r} has one group ({g.labels[0]!r})",
                    "two groups or more (five or more to learn a variance)",
                    f"remove the random effects of {g.name!r}",
                )
            )
        if residual and g.size == n:
            raise DataError(
                message(
                    f"{g.name!r} has {g.size} groups in {n} rows: one row per group, "
                    "which a residual cannot be told apart from",
                    "groups of several rows, or known sampling SDs",
                    "write y | se(column) ~ … if the SD of each row is known, "
                    f"else remove the random effects of {g.name!r}",
                )
            )


def check_grouping_name(grouping: Grouping, reserved: frozenset[str], called: Counter[str]) -> None:
    """Refuse a grouping called like a posterior variable, or like another grouping."""
    name = names.safe(grouping.name)
    if name in reserved:
        raise DataError(
            message(
                f"a grouping named {grouping.name!r}",
                f"names other than those of the posterior: {', '.join(sorted(reserved))}",
                f"rename the column {grouping.name!r}",
            )
        )
    if called[name] > 1:
        raise DataError(
            message(
                f"two groupings that are both called {name!r} in the posterior",
                "groupings whose names differ, / and \\ apart",
                f"rename a column of {grouping.name!r}",
            )
        )


def check_same_groups(
    groupings: tuple[Grouping, ...], effects: tuple[tuple[str, ...], ...]
) -> None:
    """Refuse an effect that varies over the same groups under two names."""
    for k, (second, own) in enumerate(zip(groupings, effects, strict=True)):
        for first, other in zip(groupings[:k], effects[:k], strict=True):
            shared = [effect for effect in own if effect in other]
            if (
                shared
                and first.size == second.size
                and is_nested(first, second)
                and is_nested(second, first)
            ):
                raise DataError(
                    message(
                        f"{first.name!r} and {second.name!r} make the same groups, and "
                        f"{shared[0]} varies over both",
                        "groupings that differ in some rows",
                        f"remove the random effects of {second.name!r}",
                    )
                )


def check_bare_names(spec: ModelSpec, columns: tuple[str, ...]) -> None:
    """Refuse equations in which a coefficient or a random effect is called as a column is."""
    if spec.declared is None:
        return
    coefficients = tuple(label for _, _, label in spec.declared.labels)
    for name in (*spec.declared.bare_names, *coefficients):
        if name in columns:
            bare = "bare name" if name in spec.declared.bare_names else "coefficient"
            raise SpecError(
                message(
                    f"the {bare} {name!r} in the equations is a column of the data",
                    "a coefficient (b0) or a random effect (u0), or coefficient*column",
                    f"write b1*{name} for a slope, or rename the coefficient",
                )
            )


def check_declared_levels(
    spec: ModelSpec, groupings: tuple[Grouping, ...], frame: pd.DataFrame
) -> None:
    """Refuse a predictor that varies within the group at whose level equations put it."""
    if spec.declared is None:
        return
    for factor, columns in spec.declared.levels_of:
        matches = [g for g in groupings if frozenset(g.columns) == frozenset(columns)]
        grouping = matches[0] if matches else group_rows(columns, frame)
        values = encode((Term((factor,)),), frame)[1]
        for column in values.T:
            if not constant_within(grouping, column):
                raise DataError(
                    message(
                        f"{factor!r} is in an equation of {grouping.name!r} but varies within "
                        f"{example_group(grouping, column)}",
                        f"predictors that take one value in each {grouping.name}",
                        f"move {factor!r} to level 1, or use between({factor}, {columns[-1]})",
                    )
                )


def example_group(grouping: Grouping, column: Array) -> str:
    """Return a group within which a column varies, with the two extremes."""
    for code, label in enumerate(grouping.labels):
        values = column[grouping.codes == code]
        if np.ptp(values) > 0:
            return f"{grouping.name} {label} (from {values.min():g} to {values.max():g})"
    return grouping.name


def check_residual(X: Array, y: Array, groupings: tuple[Grouping, ...]) -> None:
    """Refuse a residual SD that the data leave no room for.

    Raises
    ------
    DataError
        If there are as many columns as rows, if the columns fit the response exactly, or if
        it takes one value in every group.
    """
    n, p = X.shape
    if p >= n:
        raise DataError(
            message(
                f"{p} fixed columns in {n} rows, which leaves nothing for the residual",
                "fewer columns than rows",
                "remove predictors",
            )
        )
    centred = y - y.mean()
    residual = centred - X @ np.linalg.lstsq(X, centred, rcond=None)[0] if p else y
    if np.linalg.norm(residual) <= EXACT * np.linalg.norm(centred):
        raise DataError(
            message(
                "the predictors fit the response exactly, so that there is no residual",
                "a response that varies beside its predictors",
                "check that the response is not computed from the predictors",
            )
        )
    for g in groupings:
        if constant_within(g, y):
            raise DataError(
                message(
                    f"the response takes one value in every group of {g.name!r}, so that there "
                    "is no residual",
                    "a response that varies within groups",
                    f"use one row per group and drop the random effects of {g.name!r}, or check "
                    "the response",
                )
            )


def check_fixed_groups(X: Array, groupings: tuple[Grouping, ...]) -> None:
    """Refuse a random intercept whose groups are all in the fixed part.

    Raises
    ------
    DataError
        If the indicators of a grouping are combinations of the columns of X.
    """
    for g in groupings:
        if X.shape[1] < g.size:
            continue
        indicator = np.eye(g.size)[g.codes]
        rest = indicator - X @ np.linalg.lstsq(X, indicator, rcond=None)[0]
        if np.linalg.norm(rest) <= EXACT * np.linalg.norm(indicator):
            raise DataError(
                message(
                    f"the groups of {g.name!r} are in the fixed part too, which leaves nothing "
                    "for their random intercept",
                    "a grouping in one part of the model",
                    f"remove {g.name!r} from the fixed part, or its random effects",
                )
            )
