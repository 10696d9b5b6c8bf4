"""A ModelSpec met with data: arrays and integer codes, never an indicator matrix."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design.encoding import Encoding
from bayesmlm.design.frame import read_columns
from bayesmlm.design.further import ParameterDesign
from bayesmlm.design.grouping import Codes, Grouping, group_rows
from bayesmlm.design.latent_means import LatentMeans
from bayesmlm.design.levels import Levels
from bayesmlm.design.linear_predictor import total
from bayesmlm.design.random_block import RandomBlock
from bayesmlm.design.response import Outcome
from bayesmlm.design.used_columns import effect_columns, group_columns
from bayesmlm.errors import SpecError, UnsupportedError, message
from bayesmlm.families import Family, Parameter
from bayesmlm.families.parameter import ORDERED
from bayesmlm.spec.terms import ModelSpec

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

COMPLETE = "leave these rows out, or impute them first"
"""What to do about missing values in rows that are to be predicted."""


@dataclass(frozen=True)
class PredictorRows:
    """What the linear predictor of some rows is made from.

    Parameters
    ----------
    X
        Fixed columns, shape (N, p).
    Z
        Effect columns by grouping, each of shape (N, q).
    codes
        Group of each row by grouping, -1 for a group that training did not have.
    offset
        Shape (N,).
    groups
        The rows' own groups by grouping.
    further
        The same of each further parameter with a formula.
    """

    X: Array
    Z: Mapping[str, Array]
    codes: Mapping[str, Codes]
    offset: Array
    groups: Mapping[str, Grouping]
    further: Mapping[str, PredictorRows] = field(default_factory=dict)


@dataclass(frozen=True)
class Design:
    """A specification met with data.

    Parameters
    ----------
    spec, family
        What was specified.
    outcome
        The response and its additions.
    X
        Fixed columns, shape (N, p).
    fixed
        How the fixed columns were made; ``fixed.columns`` names the coefficients.
    offset
        Shape (N,).
    offsets
        How each summand of the offset was made.
    random
        One block a grouping.
    levels
        Nesting, crossing, and the level on which each used column varies.
    factor_levels
        The grouping on whose level each factor of the model lives; level-1 factors absent.
    positions
        Positions of the N rows in the data given.
    notes
        What is stated beside the results, `cautions` included.
    cautions
        What the user should look at: dropped rows, near collinearity, far predictors.
    latent
        The predictors whose group means are latent; their columns of X hold observed means.
    further
        The linear predictors of further parameters that have a formula.
    """

    spec: ModelSpec
    family: Family
    outcome: Outcome
    X: Array
    fixed: Encoding
    offset: Array
    offsets: tuple[Encoding, ...]
    random: tuple[RandomBlock, ...]
    levels: Levels
    factor_levels: Mapping[str, tuple[str, ...]]
    positions: NDArray[np.int64]
    notes: tuple[str, ...]
    cautions: tuple[str, ...]
    latent: LatentMeans = field(default_factory=LatentMeans)
    further: tuple[ParameterDesign, ...] = ()

    def __repr__(self) -> str:
        rows, columns = self.X.shape
        return f"<bayesmlm.Design of {rows:,} rows, {columns} fixed columns; {self.levels}>"

    @property
    def target(self) -> str:
        """The parameter that X and the random blocks are of: the location."""
        return names.MU

    @property
    def ordered(self) -> bool:
        """Whether thresholds stand in the intercept's place."""
        return self.family.ordered

    @property
    def parts(self) -> tuple[Design | ParameterDesign, ...]:
        """The linear predictors of all parameters, the location's, itself, first."""
        return (self, *self.further)

    @property
    def blocks(self) -> tuple[RandomBlock, ...]:
        """The random blocks of all parameters, the location's first."""
        return (*self.random, *(block for part in self.further for block in part.random))

    @property
    def y(self) -> Array:
        """The response, shape (N,)."""
        return self.outcome.y

    @property
    def coef(self) -> tuple[str, ...]:
        """Names of the p fixed coefficients."""
        return self.fixed.columns

    @property
    def estimates_scale(self) -> bool:
        """Whether sigma is a parameter, one for all rows."""
        return any(parameter.name == names.SIGMA for parameter in self.parameters)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The further parameters with one value for all rows, in the order of the kernels."""
        formulas = {part.target for part in self.further}
        found = self.family.parameters(self.outcome.rows)
        labels = self.outcome.threshold_labels
        return tuple(
            replace(p, labels=labels) if p.support == ORDERED else p
            for p in found
            if p.name not in formulas
        )

    def block(self, group: str) -> RandomBlock:
        """Return the random block of a grouping, of effects on the location.

        Raises
        ------
        SpecError
            If nothing varies over such a grouping.
        """
        for block in self.random:
            if block.name == group:
                return block
        inner = [block for block in self.random if block.grouping.columns[-1] == group]
        if len(inner) == 1:  # the name in its header: class for school:class
            return inner[0]
        raise SpecError(
            message(
                f"no effects vary over {group!r}",
                ", ".join(block.name for block in self.random) or "none: the model has no groups",
                "name one of these groupings",
            )
        )

    def any_block(self, group: str) -> RandomBlock:
        """Return a random block, also of a further parameter: ``sigma_<group>``.

        Raises
        ------
        SpecError
            If nothing varies over such a grouping.
        """
        found = [b for part in self.further for b in part.random if b.name == group]
        return found[0] if found else self.block(group)

    def apply(self, data: Any, groupings: Iterable[str] | None = None) -> PredictorRows:
        """Encode new data exactly as the training data were encoded.

        Parameters
        ----------
        data
            A pandas or polars DataFrame.
        groupings
            Names of those whose groups are wanted; None wants all. The columns of the others
            are not needed, unless a predictor is computed from them.

        Raises
        ------
        DataError
            For missing columns, missing values, or categories that training did not have.
        UnsupportedError
            Of a model with latent group means.
        """
        if self.latent.reason:
            raise UnsupportedError(
                message(
                    f"new rows of a model in which {self.latent.reason}",
                    "models of observed columns",
                    "write between(x, g) for latent(x, g)",
                )
            )
        predictors = [own for _, own in self.spec.response.predictors]
        wanted = [b for b in self.blocks if groupings is None or b.name in set(groupings)]
        effects = [name for own in predictors for name in effect_columns(own)]
        frame = read_columns(data, [*effects, *group_columns(wanted)], step=COMPLETE).frame
        groups = {b.name: group_rows(b.grouping.columns, frame) for b in wanted}
        further = {part.target: predictor_rows(part, frame, groups) for part in self.further}
        return replace(predictor_rows(self, frame, groups), further=further)


def predictor_rows(
    part: Design | ParameterDesign, frame: pd.DataFrame, groups: Mapping[str, Grouping]
) -> PredictorRows:
    """Return what one linear predictor of other rows is made from.

    Parameters
    ----------
    part
        The location, or a further parameter.
    frame
        The rows.
    groups
        Their groups by random block; of blocks that are left out nothing is known.
    """
    own = {block.name: groups[block.name] for block in part.random if block.name in groups}
    return PredictorRows(
        X=part.fixed.apply(frame),
        Z={
            block.name: np.column_stack([e.apply(frame) for e in block.encodings])
            for block in part.random
        },
        codes={
            block.name: block.grouping.place(own[block.name])
            for block in part.random
            if block.name in own
        },
        offset=total([e.apply(frame)[:, 0] for e in part.offsets], len(frame)),
        groups=own,
    )
