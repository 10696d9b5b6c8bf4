"""What rows tell of one group's effects: the rows, and their linear predictor without these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design import Design, RandomBlock
from bayesmlm.design.frame import read_columns
from bayesmlm.design.grouping import group_rows
from bayesmlm.design.response import check_additions, evaluate, positions
from bayesmlm.design.used_columns import used_columns
from bayesmlm.effects import random_effects
from bayesmlm.errors import StatisticError, message
from bayesmlm.predict.parameters import Parameters
from bayesmlm.predict.simulation import new_effects
from bayesmlm.result import FitResult
from bayesmlm.spec.expression import is_name, variables

Array = NDArray[np.float64]

NO_RESPONSE = "leave out rows without a response, which say nothing of the group"
"""What to do about missing values in new rows."""


@dataclass(frozen=True)
class Evidence:
    """Rows of the group.

    Parameters
    ----------
    y, base, Z
        Response, linear predictor without the group's effects, effect columns; shapes (n,),
        (S, n) and (n, q).
    additions
        Of the response, each of shape (n,).
    """

    y: Array
    base: Array
    Z: Array
    additions: dict[str, Array]

    def joined(self, other: Evidence) -> Evidence:
        """Return these rows and others."""
        return Evidence(
            y=np.concatenate([self.y, other.y]),
            base=np.concatenate([self.base, other.base], axis=1),
            Z=np.concatenate([self.Z, other.Z]),
            additions={
                name: np.concatenate([values, other.additions[name]])
                for name, values in self.additions.items()
            },
        )


def new_evidence(
    result: FitResult, parameters: Parameters, block: RandomBlock, data: Any, rng: Any
) -> tuple[Evidence, Any, int | None]:
    """Return the new rows, the label of their group, and its place in the fit, if it has one.

    Raises
    ------
    StatisticError
        For rows of several groups.
    """
    design = result.design
    frame = read_columns(data, used_columns(design.spec), step=NO_RESPONSE).frame
    found = design.apply(data)
    own = group_rows(block.grouping.columns, frame)
    if own.size != 1:
        raise StatisticError(
            message(
                f"rows of {own.size} groups of {block.name}",
                "rows of one group",
                "update one group after the other",
            )
        )
    additions = {name: evaluate(text, frame) for name, text in design.spec.response.additions}
    check_additions(design.family, additions)
    y = read_response(design, frame, additions)
    base = parameters.beta @ found.X.T + found.offset
    for other in design.random:
        if other.name == block.name:
            continue
        codes = found.codes[other.name]
        labels = group_rows(other.grouping.columns, frame)
        for k in range(labels.size):
            rows = labels.codes == k
            place = int(codes[rows][0])
            u = (
                new_effects(other, parameters, 1, rng)[:, 0]
                if place < 0
                else own_draws(result, other, place, parameters.size)
            )
            base[:, rows] += u @ found.Z[other.name][rows].T
    at = int(found.codes[block.name][0])
    evidence = Evidence(y, base, found.Z[block.name], additions)
    return evidence, own.labels[0], None if at < 0 else at


def read_response(design: Design, frame: Any, additions: dict[str, Array]) -> Array:
    """Return the response of new rows as the family takes it.

    Raises
    ------
    DataError
        For unknown categories, and values outside the support.
    """
    name, outcome = design.spec.response.column, design.outcome
    labels = outcome.categories
    column = frame[variables(name)[0]] if is_name(name) else None
    if outcome.success is not None and column is not None and column.dtype.name == "category":
        labels = (outcome.failure, outcome.success)
    if labels and column is not None:
        y = positions(name, np.asarray(column.to_list(), dtype=object), labels)
    else:
        y = evaluate(name, frame)
    design.family.check(name, y, additions)
    return y


def own_draws(result: FitResult, block: RandomBlock, at: int, size: int) -> Array:
    """Return the draws of one group's effects, shape (S, q)."""
    values = random_effects(result, block.name, [block.grouping.labels[at]]).to_numpy()
    return np.broadcast_to(values.reshape(-1, values.shape[-1]), (size, values.shape[-1]))


def old_evidence(
    result: FitResult, parameters: Parameters, block: RandomBlock, at: int
) -> Evidence:
    """Return the rows that the fit has of a group."""
    design = result.design
    rows = np.flatnonzero(block.grouping.codes == at)
    base = parameters.beta @ design.X[rows].T + design.offset[rows]
    for other in design.random:
        if other.name != block.name:
            codes = other.grouping.codes[rows]
            for place in np.unique(codes):
                own = codes == place
                u = own_draws(result, other, int(place), parameters.size)
                base[:, own] += u @ other.Z[rows[own]].T
    additions = {name: values[rows] for name, values in design.outcome.rows.items()}
    return Evidence(design.y[rows], base, block.Z[rows], additions)
