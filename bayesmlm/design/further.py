"""The linear predictor of a further parameter of the family, met with data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design.encoding import Encoding
from bayesmlm.errors import DataError, SpecError, StatisticError, message, suggestion
from bayesmlm.families import Family, Parameter
from bayesmlm.families.link import Link
from bayesmlm.families.parameter import ORDERED, REAL
from bayesmlm.spec.terms import Response

if TYPE_CHECKING:
    from bayesmlm.design.design import Design
    from bayesmlm.design.random_block import RandomBlock

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ParameterDesign:
    """How one further parameter differs by row: link(parameter) = X beta + Z u + offset.

    Parameters
    ----------
    parameter, link
        Which parameter, and its link.
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

    parameter: Parameter
    link: Link
    X: Array
    fixed: Encoding
    offset: Array
    offsets: tuple[Encoding, ...]
    random: tuple[RandomBlock, ...]

    @property
    def target(self) -> str:
        """The parameter's name."""
        return self.parameter.name

    @property
    def ordered(self) -> bool:
        """Whether thresholds stand in the intercept's place: never here."""
        return False

    @property
    def coef(self) -> tuple[str, ...]:
        """Names of the p fixed coefficients."""
        return self.fixed.columns

    @property
    def sentence(self) -> str:
        """What the linear predictor is of: ``log(sigma)``, or ``sigma``."""
        if self.parameter.support == REAL:
            return f"{self.target}, {self.parameter.meaning}"
        name = self.link.name
        return self.target if name == "identity" else f"{name}({self.target})"


def check_parameters(response: Response, family: Family, rows: Mapping[str, Array]) -> None:
    """Refuse formulas of parameters that the family lacks, does not estimate or cannot vary.

    Raises
    ------
    SpecError
    """
    estimated = {p.name: p for p in family.parameters(rows)}
    able = [name for name, p in estimated.items() if p.support != ORDERED]
    for name, predictor in response.further:
        if name not in able:
            own = {p.name for p in family.further}
            why = "is known by row" if name in own and name not in estimated else ""
            why = "is a parameter of every row" if name in estimated else why
            raise SpecError(
                message(
                    f"a formula for {name!r}{suggestion(name, able)}, which "
                    f"{why or f'is no parameter of the {family.name} family'}",
                    ", ".join(able) or f"none: {family.name} has only its location",
                    f"leave out '{name} ~ …', or choose another family",
                )
            )
        parameter = estimated[name]
        if predictor.link is not None and predictor.link not in parameter.links:
            raise SpecError(
                message(
                    f"the link {predictor.link!r} of {name}",
                    ", ".join(parameter.links),
                    f"write '{name} ~ …' for the {parameter.links[0]} link",
                )
            )


def check_parameter_names(
    blocks: tuple[RandomBlock, ...], further: tuple[ParameterDesign, ...]
) -> None:
    """Refuse a grouping that is called as what belongs to a further parameter is.

    Raises
    ------
    DataError
    """
    everything = (*blocks, *(block for part in further for block in part.random))
    taken = names.reserved_for([block.name for block in everything if block.parameter != names.MU])
    for part in further:
        taken |= {names.of_parameter(name, part.target) for name in (names.BETA, names.COEF)}
    for target, times in Counter(names.safe(part.target) for part in further).items():
        if times > 1:
            raise DataError(
                message(
                    f"two categories that are both {target!r} in the posterior",
                    "categories whose names differ, / and \\ apart",
                    "rename one of them",
                )
            )
    called = Counter(names.safe(block.name) for block in everything)
    for block in everything:
        name = block.dim
        if (name in taken - names.RESERVED) or called[names.safe(block.name)] > 1:
            raise DataError(
                message(
                    f"a grouping named {block.grouping.name!r}, as something of a further "
                    "parameter is in the posterior",
                    "groupings of other names",
                    f"rename the column {block.grouping.columns[0]!r}",
                )
            )


def refuse_by_row(design: Design, statistic: str) -> None:
    """Raise `StatisticError` where a parameter that a statistic needs differs by row."""
    if design.further:
        listed = " and ".join(part.target for part in design.further)
        listed += " has" if len(design.further) == 1 else " have"
        raise StatisticError(
            message(
                f"{statistic} where {listed} a formula, so that rows differ",
                "models whose further parameters are one for all rows",
                "read fit.summary(), which has the formulas' coefficients, or leave them out",
            )
        )
