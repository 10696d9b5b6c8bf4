"""The random effects of one grouping, met with data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design.encoding import Encoding, encode
from bayesmlm.design.frame import Rows
from bayesmlm.design.grouping import Grouping
from bayesmlm.design.screen import check_names, screen
from bayesmlm.errors import DataError, SpecError, message, suggestion
from bayesmlm.spec.terms import RandomTerm

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RandomBlock:
    """All effects that vary over one grouping.

    Parameters
    ----------
    grouping
        Codes and labels of the J groups.
    effects
        Names of the q effects.
    Z
        Effect columns, shape (N, q).
    blocks
        Indices of the effects that are correlated with one another, a partition of
        ``range(q)``.
    encodings
        How the effect columns were made, one a block.
    distribution, points
        Of the effects, ``"normal"``, ``"student"`` or ``"points"``, and how many points.
    parameter
        Whose linear predictor the effects belong to.
    """

    grouping: Grouping
    effects: tuple[str, ...]
    Z: Array
    blocks: tuple[tuple[int, ...], ...]
    encodings: tuple[Encoding, ...]
    distribution: str = "normal"
    points: int | None = None
    parameter: str = names.MU

    @property
    def is_normal(self) -> bool:
        """Whether the effects are normal."""
        return self.distribution == "normal"

    @property
    def name(self) -> str:
        """The grouping's name; of a further parameter's effects ``sigma_<group>``."""
        return names.parameter_group(self.parameter, self.grouping.name)

    @property
    def dim(self) -> str:
        """The groups' dimension, which the effects on all parameters share."""
        return names.safe(self.grouping.name)

    def effect(self, name: str) -> str:
        """Return the name of an effect, if it is one of the block's.

        Raises
        ------
        SpecError
            If it is not.
        """
        if name not in self.effects:
            raise SpecError(
                message(
                    f"{name!r} does not vary over {self.name!r}{suggestion(name, self.effects)}",
                    ", ".join(self.effects),
                    "name one of these effects",
                )
            )
        return name

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Pairs of correlated effects, first index before second."""
        return tuple(
            (block[i], block[j])
            for block in self.blocks
            for j in range(len(block))
            for i in range(j)
        )

    @property
    def pair_labels(self) -> tuple[str, ...]:
        """Labels of `pairs`."""
        return tuple(names.pair(self.effects[i], self.effects[j]) for i, j in self.pairs)


def random_block(
    grouping: Grouping, terms: tuple[RandomTerm, ...], rows: Rows, parameter: str = names.MU
) -> RandomBlock:
    """Stack the effects of all random terms of one grouping."""
    own = [term for term in terms if frozenset(term.grouping) == frozenset(grouping.columns)]
    encoded = [encode(term.effects, rows.whole) for term in own]
    widths = [matrix.shape[1] for _, matrix in encoded]
    starts = np.cumsum([0, *widths])
    Z = rows.observed(np.column_stack([matrix for _, matrix in encoded]))
    effects = tuple(name for encoding, _ in encoded for name in encoding.columns)
    part = f"the effects of {grouping.name}"
    check_names(effects, sum(effect.is_intercept for term in own for effect in term.effects), part)
    screen(Z, effects, part)
    return RandomBlock(
        grouping=grouping,
        effects=effects,
        Z=Z,
        blocks=tuple(
            tuple(range(int(start), int(start) + width))
            for start, width in zip(starts, widths, strict=False)
        ),
        encodings=tuple(encoding for encoding, _ in encoded),
        distribution=own[0].distribution,
        points=checked_points(own[0].points, grouping),
        parameter=parameter,
    )


def checked_points(points: int | None, grouping: Grouping) -> int | None:
    """Return the number of mass points, which is not above the number of groups."""
    if points is not None and points > grouping.size:
        raise DataError(
            message(
                f"{points} mass points of {grouping.size} groups of {grouping.name}",
                "at most as many points as groups",
                f"write k={min(3, grouping.size)}, say",
            )
        )
    return points
