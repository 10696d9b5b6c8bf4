"""Test statistics of categories without an order: those of the share of each category.

The response is one of 0 and 1 for each category, one where it is that category; see
`bayesmlm.checks.level_statistics` for the statistics of such a response by group.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.checks.level_statistics import LevelStatistics, Shape, Statistic
from bayesmlm.checks.residuals import Moments, residuals_of
from bayesmlm.design import Design
from bayesmlm.families.bernoulli import Bernoulli
from bayesmlm.families.link import LINKS

Array = NDArray[np.float64]


def level_statistics(
    design: Design, replicates: Iterable[Array]
) -> LevelStatistics | CategoryStatistics:
    """Return the statistics of a design.

    Parameters
    ----------
    design
        The model.
    replicates
        Replicated responses of shape (S, N), which families without a scale are standardised by.
    """
    if not design.family.unordered:
        rows = Moments()
        if not design.family.has_scale:
            for Y in replicates:
                rows.add(Y)
        return LevelStatistics(design, residuals_of(design, rows))
    views = [of_category(design, k) for k in range(len(design.outcome.categories))]
    moments = [Moments() for _ in views]
    for Y in replicates:
        for k, own in enumerate(moments):
            own.add(share(Y, k))
    each = (
        LevelStatistics(view, residuals_of(view, own))
        for view, own in zip(views, moments, strict=True)
    )
    return CategoryStatistics(design, tuple(each))


def share(Y: Array, k: int) -> Array:
    """Return where a response is the category at a position, as numbers."""
    return np.equal(Y, k).astype(np.float64)


def of_category(design: Design, k: int) -> Design:
    """Return the design of a response of one category or not, by that category's formula.

    The first category has no formula; it takes that of the second.
    """
    part = design.further[max(k - 1, 0)]
    return replace(
        design,
        family=Bernoulli(LINKS["logit"]),
        outcome=replace(design.outcome, y=share(design.y, k)),
        X=part.X,
        fixed=part.fixed,
        offset=part.offset,
        offsets=part.offsets,
        random=tuple(replace(block, parameter=names.MU) for block in part.random),
        further=(),
    )


@dataclass(frozen=True)
class CategoryStatistics:
    """The statistics of the share of every category; as `LevelStatistics`.

    Parameters
    ----------
    design
        The model.
    each
        One a category.
    """

    design: Design
    each: tuple[LevelStatistics, ...]

    @property
    def categories(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(map(str, self.design.outcome.categories))

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """Groupings, which of their slopes, and the groups used, category by category."""
        return tuple(
            replace(shape, category=category)
            for category, own in zip(self.categories, self.each, strict=True)
            for shape in own.shapes
        )

    @cached_property
    def listed(self) -> tuple[Statistic, ...]:
        """The statistics in order."""
        return tuple(
            replace(statistic, category=category)
            for category, own in zip(self.categories, self.each, strict=True)
            for statistic in own.listed
        )

    def coefficients(self, Y: Array) -> list[Array]:
        """Return the groups' means and slopes, one array of shape (S, groups) a shape."""
        return [
            values for k, own in enumerate(self.each) for values in own.coefficients(share(Y, k))
        ]

    def values(self, Y: Array, centre: list[Array], scale: list[Array]) -> Array:
        """Return the statistics of responses, (S, N) to (S, K); see `LevelStatistics.values`."""
        found, start = [], 0
        for k, own in enumerate(self.each):
            stop = start + len(own.shapes)
            found.append(own.values(share(Y, k), centre[start:stop], scale[start:stop]))
            start = stop
        return np.concatenate(found, axis=1)
