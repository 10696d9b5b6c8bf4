"""The rows that are predicted: what their linear predictor is made from, and their groups.

A grouping whose groups are ``"existing"`` takes groups by label, and each must be one of the
fit's. One whose groups are ``"new"`` draws a new effect for every label that the fit does not
have, and keeps what is known of the others: a new class in a known school keeps the school.
Without new data, where no label is new, it replaces every group by a new one. Of ``"average"``
and ``"marginal"`` the data need no column.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import Design, PredictorRows, RandomBlock
from bayesmlm.design.design import COMPLETE
from bayesmlm.design.frame import read_columns
from bayesmlm.design.grouping import Grouping
from bayesmlm.design.response import check_additions, evaluate
from bayesmlm.errors import DataError, UnsupportedError, message
from bayesmlm.predict.treatment import EXISTING, MARGINAL, NEW
from bayesmlm.spec.expression import variables

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

SAMPLING = ("trials", "se", "precision")
"""Additions that the distribution of a response depends on."""


@dataclass(frozen=True)
class Target:
    """The rows that are predicted.

    Parameters
    ----------
    X, offset
        Fixed columns (N, p) and offset (N,), by the parameter whose linear predictor they
        belong to: ``"mu"`` the location, and those with a formula.
    Z
        Effect columns by grouping (N, q).
    codes
        By grouping whose groups are existing or new, the group of each row: below J one of
        the fit's, from J on a new one; shape (N,).
    additions
        Of the response, where it is drawn; each of shape (N,).
    labels
        Of the rows: their positions in the data; shape (N,).
    notes
        What is told of the groups.
    """

    X: Mapping[str, Array]
    offset: Mapping[str, Array]
    Z: Mapping[str, Array]
    codes: Mapping[str, Integers]
    additions: Mapping[str, Array]
    labels: Integers
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Number of rows, N."""
        return len(self.labels)


def fitted_rows(design: Design, treatment: Mapping[str, str]) -> Target:
    """Return the rows that the model was fitted to; new groups take the place of all.

    Raises
    ------
    UnsupportedError
        Of a model with latent group means.
    """
    if design.latent.reason:
        raise UnsupportedError(
            message(
                f"predictions of a model in which {design.latent.reason}",
                "models of observed columns",
                "write between(x, g) for latent(x, g)",
            )
        )
    codes = {
        block.name: block.grouping.codes + (block.grouping.size if how == NEW else 0)
        for block in design.blocks
        if (how := treatment[block.name]) in (EXISTING, NEW)
    }
    Z = {block.name: block.Z for block in design.blocks}
    X = {part.target: part.X for part in design.parts}
    offset = {part.target: part.offset for part in design.parts}
    additions = {
        name: design.outcome.rows[name] for name in SAMPLING if name in design.outcome.rows
    }
    return Target(X, offset, Z, codes, additions, design.positions)


def new_rows(
    design: Design,
    data: Any,
    treatment: Mapping[str, str],
    drawn: bool,
    own: bool = False,
    missing: Integers | None = None,
) -> Target:
    """Return the rows of new data, encoded as those of the fit were.

    Parameters
    ----------
    design
        The fit's.
    data
        A pandas or polars DataFrame.
    treatment
        Of each grouping.
    drawn
        Whether responses are drawn, for which the additions of the response are needed.
    own
        Whether the data are those of the fit, maybe with a predictor changed: then new groups
        take the place of all.
    missing
        Positions of the rows, where they are rows of the fit's data without a response: groups
        without any response then have effects drawn from their distribution.

    Raises
    ------
    DataError
        For missing columns or values, categories or groups that the fit does not have, or
        new groups asked for where there are none.
    """
    wanted = [name for name, how in treatment.items() if how in (EXISTING, NEW)]
    location = design.apply(data, wanted)
    parts = {names.MU: location, **location.further}
    codes: dict[str, Integers] = {}
    notes: dict[str, None] = {}
    unknown: dict[str, bool] = {}
    for block, rows in ((b, parts[b.parameter]) for b in design.blocks if b.name in wanted):
        how = treatment[block.name]
        if own and how == NEW:
            codes[block.name] = rows.codes[block.name] + block.grouping.size
            continue
        codes[block.name], unseen = locate(block, rows)
        if how == EXISTING and unseen and missing is None:
            refuse_unseen(block.grouping, unseen)
        if how == NEW:
            unknown[block.grouping.name] = bool(unseen)
        known = int(rows.groups[block.name].size) - len(unseen)
        if known and unseen:
            group = block.grouping.name
            notes[f"{group}: {len(unseen):,} new groups; {known:,} known ones keep theirs."] = None
    if unknown and not any(unknown.values()):
        refuse_known(list(unknown))
    additions = read_additions(design, data) if drawn else {}
    labels = np.arange(len(location.offset)) if missing is None else missing
    return Target(
        X={parameter: rows.X for parameter, rows in parts.items()},
        offset={parameter: rows.offset for parameter, rows in parts.items()},
        Z={name: Z for rows in parts.values() for name, Z in rows.Z.items()},
        codes=codes,
        additions=additions,
        labels=design.positions if own else labels,
        notes=tuple(notes),
    )


def one_group_a_row(target: Target, design: Design, treatment: Mapping[str, str]) -> Target:
    """Return the rows with a new group for each where the effects are marginal."""
    own = {
        block.name: block.grouping.size + np.arange(target.size)
        for block in design.blocks
        if treatment[block.name] == MARGINAL
    }
    return replace(target, codes={**target.codes, **own})


def locate(block: RandomBlock, rows: PredictorRows) -> tuple[Integers, list[Any]]:
    """Return codes in which new groups are numbered from J on, and their labels."""
    J, own, codes = block.grouping.size, rows.groups[block.name], rows.codes[block.name]
    unseen = np.unique(own.codes[codes < 0])
    number = np.full(own.size, -1)
    number[unseen] = J + np.arange(len(unseen))
    found = np.where(codes < 0, number[own.codes], codes)
    return found, [own.labels[at] for at in unseen]


def refuse_unseen(grouping: Grouping, unseen: list[Any]) -> None:
    """Raise `DataError` for groups that the fit does not have."""
    name = grouping.name
    shown = ", ".join(repr(label) for label in unseen[:5]) + ", …" * (len(unseen) > 5)
    raise DataError(
        message(
            f"{len(unseen):,} groups of {name!r} that the fit does not have: {shown}",
            f"its {grouping.size:,} groups, where groups are {EXISTING!r}",
            f'pass groups="new" to draw their effects, or groups={{{name!r}: "average"}} or '
            '"marginal"',
        )
    )


def refuse_known(groups: list[str]) -> None:
    """Raise `DataError` where new groups are asked for and every group is known."""
    raise DataError(
        message(
            f'groups="new", and every group of {", ".join(map(repr, groups))} is one of the fit\'s',
            "labels that the fit does not have; rows of one label share their effects",
            "relabel the groups that are new, or leave data out to replace every group of the fit",
        )
    )


def read_additions(design: Design, data: Any) -> dict[str, Array]:
    """Return the additions of the response that its distribution depends on."""
    texts = {name: text for name, text in design.spec.response.additions if name in SAMPLING}
    columns = [column for text in texts.values() for column in variables(text)]
    if not texts:
        return {}
    frame = read_columns(data, columns, step=COMPLETE).frame
    found = {name: evaluate(text, frame) for name, text in texts.items()}
    check_additions(design.family, found)
    return found
