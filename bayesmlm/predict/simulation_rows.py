"""The rows that responses are simulated for, and whose effects they have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import Design
from bayesmlm.design.frame import read_columns
from bayesmlm.design.grouping import group_rows
from bayesmlm.design.response import check_additions, evaluate
from bayesmlm.design.used_columns import right_columns
from bayesmlm.errors import StatisticError, message
from bayesmlm.predict.treatment import blocks_over
from bayesmlm.spec.expression import variables

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

SAME, NEW = "same", "new"
"""Whose effects: the groups' own, or those of new groups in their place."""


@dataclass(frozen=True)
class SimulationRows:
    """The rows that responses are drawn for.

    Parameters
    ----------
    X, offset
        Shapes (N, p) and (N,), by the parameter whose linear predictor they belong to.
    Z, codes, labels
        Effect columns, groups of the rows and their labels, by grouping.
    additions
        Trials, precisions and the like, each of shape (N,).
    """

    X: Mapping[str, Array]
    offset: Mapping[str, Array]
    Z: Mapping[str, Array]
    codes: Mapping[str, Integers]
    labels: Mapping[str, tuple[Any, ...]]
    additions: Mapping[str, Array]


def same_rows(design: Design) -> SimulationRows:
    """Return the rows of a design.

    Raises
    ------
    StatisticError
        Of a model with latent group means, which vary from draw to draw.
    """
    if design.latent.reason:
        raise StatisticError(
            message(
                f"a simulation of a model in which {design.latent.reason}",
                "models whose predictors are data",
                "write between(x, g) for latent(x, g)",
            )
        )
    return SimulationRows(
        X={part.target: part.X for part in design.parts},
        offset={part.target: part.offset for part in design.parts},
        Z={b.name: b.Z for b in design.blocks},
        codes={b.name: b.grouping.codes for b in design.blocks},
        labels={b.name: b.grouping.labels for b in design.blocks},
        additions=design.outcome.rows,
    )


def other_rows(design: Design, data: Any, groups: Mapping[str, str]) -> SimulationRows:
    """Return rows of other data, encoded as the design's were.

    Raises
    ------
    StatisticError
        For groups that the design does not have, where their own effects are wanted.
    """
    response = design.spec.response
    found = design.apply(data)
    added = [name for _, text in response.additions for name in variables(text)]
    frame = read_columns(data, [*right_columns(response), *added]).frame
    additions = {name: evaluate(text, frame) for name, text in response.additions}
    check_additions(design.family, additions)
    parts = {names.MU: found, **found.further}
    codes = {name: own for part in parts.values() for name, own in part.codes.items()}
    labels = {}
    for block in design.blocks:
        labels[block.name] = block.grouping.labels
        if groups[block.name] == NEW:
            own = group_rows(block.grouping.columns, frame)
            codes[block.name], labels[block.name] = own.codes, own.labels
        elif (codes[block.name] < 0).any():
            raise StatisticError(
                message(
                    f"{int((codes[block.name] < 0).sum())} rows of groups of "
                    f"{block.grouping.name} that "
                    "the model was not fitted to",
                    "groups of the data",
                    f'pass groups={{"{block.grouping.name}": "new"}}, which draws their effects',
                )
            )
    return SimulationRows(
        X={parameter: part.X for parameter, part in parts.items()},
        offset={parameter: part.offset for parameter, part in parts.items()},
        Z={name: Z for part in parts.values() for name, Z in part.Z.items()},
        codes=codes,
        labels=labels,
        additions=additions,
    )


def which_groups(design: Design, groups: Any, fitted: bool) -> dict[str, str]:
    """Return ``"same"`` or ``"new"`` for every grouping, its effects on all parameters alike.

    Raises
    ------
    StatisticError
        For other words, unknown groupings, and the groups' own effects without a fit.
    """
    known = [block.name for block in design.blocks]
    default = SAME if fitted else NEW
    chosen: dict[str, Any] = dict.fromkeys(known, default)
    if isinstance(groups, Mapping):
        for group, word in groups.items():
            chosen |= {block.name: word for block in blocks_over(design, group)}
    elif groups:
        chosen = dict.fromkeys(known, groups)
    every = dict.fromkeys(block.grouping.name for block in design.blocks)
    for word in chosen.values():
        if word not in (SAME, NEW) or (word == SAME and not fitted):
            raise StatisticError(
                message(
                    f"groups={groups!r}" + ("" if fitted else " without a fit"),
                    "'same' (their own effects, of a fit), 'new' (effects drawn anew), or a "
                    f"dictionary of these by grouping ({', '.join(every)})",
                    "leave groups out, or choose one",
                )
            )
    return chosen
