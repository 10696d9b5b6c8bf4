"""Effect columns at stated values of the predictors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design import Design, RandomBlock
from bayesmlm.errors import StatisticError, message, suggestion
from bayesmlm.spec.expression import variables
from bayesmlm.spec.terms import Term

Array = NDArray[np.float64]
At = Mapping[str, float | Sequence[float]]


def grid(design: Design, at: At) -> tuple[tuple[str, ...], Array, dict[str, Array]]:
    """Return every combination of stated values, and the effect columns there.

    Parameters
    ----------
    design
        The model's.
    at
        Values by predictor. A name is that of an effect as the tables print it, such as
        ``"within(ses, school)"``, or of a data column, from which its effects are computed.

    Returns
    -------
    names, points, Z
        The K predictors, their combinations, shape (M, K), and by grouping the columns of
        its effects, each of shape (M, q).

    Raises
    ------
    StatisticError
        For a name that no effect has, or an effect of which no value is stated.
    """
    if not isinstance(at, Mapping):
        raise StatisticError(
            message(f"at={at!r}", "values by predictor", 'write at={"x": [-1, 0, 1]}')
        )
    keys = tuple(at)
    check_names(design, keys)
    values = [numbers(key, at[key]) for key in keys]
    points = np.array(list(product(*values)), dtype=float).reshape(-1, len(keys))
    given = dict(zip(keys, points.T, strict=True))
    return keys, points, {block.name: columns(block, given, len(points)) for block in design.random}


def varying(design: Design) -> tuple[str, ...]:
    """Return the factors and data columns of the effects that vary beside the intercept."""
    found = []
    for block in design.random:
        for encoding in block.encodings:
            for term in encoding.terms:
                found += [*term.factors, *(v for f in term.factors for v in variables(f))]
                found += [str(term)] if term.factors else []
    return tuple(dict.fromkeys(found))


def check_names(design: Design, keys: tuple[str, ...]) -> None:
    """Refuse names that no effect is computed from."""
    known = varying(design)
    for key in keys:
        if key not in known:
            raise StatisticError(
                message(
                    f"at={key!r}, which no random effect depends on{suggestion(key, known)}",
                    ", ".join(map(repr, known)) or "none: only intercepts vary",
                    "name predictors whose slopes vary, or leave at= out",
                )
            )


def numbers(key: str, values: Any) -> list[float]:
    """Return the stated values of one predictor."""
    array = np.atleast_1d(np.asarray(values))
    if array.dtype.kind not in "fiub" or array.ndim != 1 or not array.size:
        raise StatisticError(
            message(f"at {key!r}: {values!r}", "a number, or a list of numbers", "state numbers")
        )
    if not np.isfinite(array.astype(float)).all():
        raise StatisticError(message(f"at {key!r}: {values!r}", "finite numbers", "leave them out"))
    return [float(value) for value in array]


def columns(block: RandomBlock, given: Mapping[str, Array], M: int) -> Array:
    """Return the effect columns of one grouping at the points, shape (M, q)."""
    parts = []
    for encoding in block.encodings:
        needed = {v for term in encoding.terms for f in term.factors for v in variables(f)}
        if needed and needed <= set(given):
            parts.append(encoding.apply(frame(given)))
            continue
        for k, term in enumerate(encoding.terms):
            width = encoding.term_of.count(k)
            parts.append(term_column(block, term, given, M, width))
    return np.column_stack(parts)


def frame(given: Mapping[str, Array]) -> Any:
    """Return the stated values as a data frame."""
    import pandas as pd

    return pd.DataFrame(dict(given))


def term_column(
    block: RandomBlock, term: Term, given: Mapping[str, Array], M: int, width: int
) -> Array:
    """Return the column of one term at the points: the product of its factors."""
    if str(term) in given and width == 1:
        return given[str(term)]
    missing = [factor for factor in term.factors if factor not in given]
    if missing or width != 1:
        raise StatisticError(
            message(
                f"no value of {(missing or [str(term)])[0]!r}, whose effect varies over "
                f"{block.name!r}",
                "a value of every predictor whose slope varies",
                f'add it: at={{"{(missing or [str(term)])[0]}": [0]}}',
            )
        )
    return np.prod([given[factor] for factor in term.factors], axis=0) * np.ones(M)
