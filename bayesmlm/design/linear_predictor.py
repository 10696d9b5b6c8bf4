"""One linear predictor met with data: fixed columns, effects, offset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design.encoding import Encoding, encode, without_intercept
from bayesmlm.design.frame import Rows
from bayesmlm.design.grouping import Grouping, group_rows
from bayesmlm.design.random_block import RandomBlock, random_block
from bayesmlm.design.refuse import check_fixed_groups, check_same_groups
from bayesmlm.design.response import learn
from bayesmlm.design.screen import check_names, screen
from bayesmlm.spec.terms import Predictor

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LinearPredictor:
    """X beta + Z u + offset of N rows.

    Parameters
    ----------
    X
        Fixed columns, shape (N, p).
    fixed
        How they were made.
    offset
        Shape (N,).
    offsets
        How each summand of the offset was made.
    random
        One block a grouping.
    """

    X: Array
    fixed: Encoding
    offset: Array
    offsets: tuple[Encoding, ...]
    random: tuple[RandomBlock, ...]


def linear_predictor(
    predictor: Predictor,
    groupings: tuple[Grouping, ...],
    rows: Rows,
    parameter: str = names.MU,
    ordered: bool = False,
) -> LinearPredictor:
    """Meet a predictor with data.

    Parameters
    ----------
    predictor
        As specified.
    groupings
        Of its random terms.
    rows
        The data.
    parameter
        Whose predictor it is.
    ordered
        Whether thresholds stand in the intercept's place.
    """
    part = "the fixed part" if parameter == names.MU else f"the fixed part of {parameter}"
    fixed, whole = (without_intercept if ordered else encode)(predictor.fixed, rows.whole)
    X = rows.observed(whole)
    check_names(fixed.columns, sum(term.is_intercept for term in predictor.fixed), part)
    screen(X, fixed.columns, part)
    offsets = [learn(text, rows.whole) for text in predictor.offset]
    random = tuple(random_block(g, predictor.random, rows, parameter) for g in groupings)
    check_same_groups(groupings, tuple(block.effects for block in random))
    check_fixed_groups(X, tuple(b.grouping for b in random if names.INTERCEPT in b.effects))
    return LinearPredictor(
        X=X,
        fixed=fixed,
        offset=total([rows.observed(values) for _, values in offsets], len(rows.frame)),
        offsets=tuple(encoding for encoding, _ in offsets),
        random=random,
    )


def groupings_of(predictors: list[Predictor], frame: pd.DataFrame) -> tuple[Grouping, ...]:
    """Return the groupings of some predictors, each once."""
    found = {frozenset(columns): columns for own in predictors for columns in own.groupings}
    return tuple(group_rows(columns, frame) for columns in found.values())


def total(parts: list[Array], rows: int) -> Array:
    """Return the sum of the offsets, shape (N,)."""
    return sum(parts, np.zeros(rows))
