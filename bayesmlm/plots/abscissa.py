"""The predictor on the horizontal axis, and the slope that each group has on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import Design
from bayesmlm.design.encoding import Encoding
from bayesmlm.design.grouping import constant_within
from bayesmlm.errors import StatisticError, message
from bayesmlm.plots.coefficients import GroupCoefficients
from bayesmlm.spec.expression import variables

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Abscissa:
    """A predictor that varies within groups.

    Parameters
    ----------
    name
        Its column in the design.
    values
        Shape (N,).
    effect
        Its place among the effects of the grouping, None where its slope does not vary.
    fixed
        Its place among the fixed columns, None where it has no fixed coefficient.
    """

    name: str
    values: Array
    effect: int | None
    fixed: int | None


def abscissa(design: Design, found: GroupCoefficients, x: str | None) -> Abscissa:
    """Return the predictor asked for; None takes the first slope, varying ones first.

    Raises
    ------
    StatisticError
        If there is no such predictor, or the model has others made from the same column.
    """
    block = found.block
    choice = candidates(design, found)
    if x is None and choice:
        x = choice[0]
    if x not in choice:
        raise StatisticError(
            message(
                "a model without a predictor that varies within groups"
                if x is None
                else f"x={x!r}",
                ", ".join(choice) or f"models with a predictor that varies within {block.name}",
                "name one of these columns" if choice else "draw fit.plot.caterpillar()",
            )
        )
    effect = block.effects.index(x) if x in block.effects else None
    fixed = design.coef.index(x) if x in design.coef else None
    values = block.Z[:, effect] if effect is not None else design.X[:, fixed or 0]
    chosen = Abscissa(str(x), values, effect, fixed)
    refuse_twins(design, found, chosen)
    return chosen


def candidates(design: Design, found: GroupCoefficients) -> list[str]:
    """Return the names of the predictors that vary within groups."""
    block = found.block
    varying = [name for name in block.effects if name != names.INTERCEPT]
    fixed = [
        name
        for k, name in enumerate(design.coef)
        if found.of_effect[k] < 0
        and name not in varying
        and not constant_within(block.grouping, design.X[:, k])
    ]
    return [*varying, *fixed]


def refuse_twins(design: Design, found: GroupCoefficients, chosen: Abscissa) -> None:
    """Raise where another column moves with x, so that no line shows what x does."""
    block = found.block
    own = columns_used(design.fixed, chosen.name)
    for encoding in block.encodings:
        own = own | columns_used(encoding, chosen.name)
    own -= set(block.grouping.columns)
    twins = [
        name
        for k, name in enumerate(design.coef)
        if found.of_effect[k] < 0 and name != chosen.name and columns_used(design.fixed, name) & own
    ]
    twins += [
        name
        for encoding in block.encodings
        for name in encoding.columns
        if name != chosen.name and columns_used(encoding, name) & own
    ]
    if twins:
        raise StatisticError(
            message(
                f"a line over {chosen.name!r}, with which {', '.join(dict.fromkeys(twins))} moves",
                "predictors that one column stands for",
                "name another predictor by x=",
            )
        )


def columns_used(encoding: Encoding, name: str) -> set[str]:
    """Return the data columns behind a column of a design, empty where it has none."""
    if name not in encoding.columns:
        return set()
    term = encoding.terms[encoding.term_of[encoding.columns.index(name)]]
    return {column for factor in term.factors for column in variables(factor)}
