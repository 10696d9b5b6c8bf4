"""Test statistics of each level, of an observed response and of replicated ones alike.

All are functions of the response and the rows alone: the residuals e of its least squares on
the fixed columns (of families without a scale, of the response less its replicated mean, over
its replicated SD). The observed response and every replicate go the same way, so that p-values
come from exchangeable numbers and need no distribution of the statistic.

    level 1   skewness and kurtosis of the residuals less each group's own fit
              dispersion  of counts: their sum of squares over the variance that the family
                          has at the means of the groups
              spread      Bartlett's statistic of their variances s_j² within groups,
                          sum v_j log(s² / s_j²), v_j degrees of freedom
    level 2   sd          SD of the groups' means of e
              bimodality  (skewness² + 1) / kurtosis of the groups' standardised means or slopes
              extreme     their largest distance from their mean, in their SDs (Grubbs)
              slope       F of a predictor's slopes by group: their spread about the common slope
                          over the residual variance

References
----------
Gelman, Meng & Stern (1996), Statistica Sinica 6, 733–807;
Marshall & Spiegelhalter (2003), doi:10.1002/sim.1403;
Bartlett (1937), doi:10.1098/rspa.1937.0109;
Grubbs (1950), doi:10.1214/aoms/1177729885;
Knapp (2007), doi:10.22237/jmasm/1177992120, of bimodality.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.checks.group_sums import GroupSums, candidates
from bayesmlm.checks.residuals import Residuals, binary, saturated
from bayesmlm.checks.sample_statistics import bartlett, farthest, kurtosis, skewness, slope_ratio
from bayesmlm.design import Design

Array = NDArray[np.float64]

SWEEPS = 3
"""Rounds in which the fits of crossed groups are taken out."""

UPPER, BOTH = "upper", "both"
"""Which tails of a statistic are against the model."""


@dataclass(frozen=True)
class Statistic:
    """One test statistic.

    Parameters
    ----------
    level
        Of the model, 1 or 2.
    group
        The grouping; empty at level 1 but for the spread between groups.
    what
        ``"dispersion"``, ``"skewness"``, ``"kurtosis"``, ``"spread"``, ``"sd"``,
        ``"bimodality"``, ``"extreme"`` or ``"slope"``; of the prior ``"mean"``, ``"within"`` and
        ``"between"``.
    of
        The effect or predictor.
    tails
        ``"upper"`` or ``"both"``.
    category
        Of categories without an order, the one whose share it is of.
    """

    level: int
    group: str
    what: str
    of: str = ""
    tails: str = UPPER
    category: str = ""

    @property
    def label(self) -> str:
        """What it is of, its category included."""
        return labelled(self.of, self.category)


def labelled(of: str, category: str) -> str:
    """Return an effect or predictor, of a category's share where there is one."""
    return ": ".join(filter(None, (category, of)))


@dataclass(frozen=True)
class Shape:
    """The means or slopes of the groups of one grouping.

    Parameters
    ----------
    sums
        The grouping.
    slope
        Which effect's slopes; None of the means.
    used
        The groups that determine them, shape (J,).
    category
        Of categories without an order, the one whose share it is of.
    """

    sums: GroupSums
    slope: int | None
    used: NDArray[np.bool_]
    category: str = ""

    @property
    def effect(self) -> str:
        """The name of the effect."""
        return names.INTERCEPT if self.slope is None else self.sums.block.effects[self.slope]


@dataclass(frozen=True)
class LevelStatistics:
    """All statistics of a design.

    Parameters
    ----------
    design
        The model.
    residuals
        How they are made.
    """

    design: Design
    residuals: Residuals

    @cached_property
    def sums(self) -> tuple[GroupSums, ...]:
        """One a grouping."""
        design = self.design
        return tuple(GroupSums(block, candidates(design, block)) for block in design.random)

    @property
    def dispersed(self) -> bool:
        """Whether responses are counts, of more than one trial."""
        family = self.design.family
        return family.counts and not family.ordered and not binary(self.design)

    def dispersion(self, Y: Array, R: Array) -> Array:
        """Return squared residuals over the variance at the means of the groups, shape (S,)."""
        trials = self.design.outcome.rows.get("trials")
        size = np.ones_like(Y[:1]) if trials is None else trials[None]
        share = Y.sum(axis=1, keepdims=True) / size.sum() * np.ones_like(size)
        for sums in self.sums[:1]:
            share = (sums.total(Y) / sums.total(size))[:, sums.block.grouping.codes]
        variance = size * share * (1 if trials is None else 1 - share)
        squares = ((R * self.residuals.scale) ** 2).sum(axis=1)
        return np.asarray(squares / np.maximum(variance.sum(axis=1), 1e-300))

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """The groups' means, and slopes that more than three groups determine."""
        found: list[Shape] = []
        for sums in self.sums:
            found.append(Shape(sums, None, np.ones(sums.block.grouping.size, dtype=bool)))
            for k, effect in enumerate(sums.block.effects):
                used = sums.determined[:, k]
                if effect != names.INTERCEPT and used.sum() > 3:
                    found.append(Shape(sums, k, used))
        return tuple(found)

    @cached_property
    def listed(self) -> tuple[Statistic, ...]:
        """The statistics in order."""
        found: list[Statistic] = []
        if self.dispersed:
            found.append(Statistic(1, "", "dispersion", tails=BOTH))
        if not (binary(self.design) or saturated(self.design)):
            found += [
                Statistic(1, "", "skewness", tails=BOTH),
                Statistic(1, "", "kurtosis", tails=BOTH),
            ]
            found += [Statistic(1, sums.block.name, "spread") for sums in self.sums[:1]]
        for sums in self.sums:
            found.append(Statistic(2, sums.block.name, "sd", tails=BOTH))
        for shape in self.shapes:
            group, of = shape.sums.block.name, shape.effect
            found += [Statistic(2, group, what, of) for what in ("bimodality", "extreme")]
        for sums in self.sums:
            found += [Statistic(2, sums.block.name, "slope", name) for name, _, _ in sums.slopes]
        return tuple(found)

    def coefficients(self, Y: Array) -> list[Array]:
        """Return the groups' means and slopes, one array of shape (S, groups) a shape."""
        E = self.residuals(Y)
        return [
            (sums.mean(E) if k is None else sums.coefficients(E)[:, :, k])[:, used]
            for sums, k, used in ((each.sums, each.slope, each.used) for each in self.shapes)
        ]

    def values(self, Y: Array, centre: list[Array], scale: list[Array]) -> Array:
        """Return the statistics of responses, (S, N) to (S, K).

        Parameters
        ----------
        Y
            Responses.
        centre, scale
            Of the groups' means and slopes, as of `coefficients`, one array of shape (groups,)
            each: by these they are standardised.
        """
        E = self.residuals(Y)
        R = E
        for _ in range(1 if len(self.sums) == 1 else SWEEPS):
            for sums in self.sums:
                R = sums.without_fit(R)
        columns: list[Array] = []
        if self.dispersed:
            columns.append(self.dispersion(Y, R))
        if not (binary(self.design) or saturated(self.design)):
            columns += [skewness(R), kurtosis(R)]
            columns += [bartlett(sums, R) for sums in self.sums[:1]]
        columns += [sums.mean(E).std(axis=1) for sums in self.sums]
        for own, middle, spread in zip(self.coefficients(Y), centre, scale, strict=True):
            z = (own - middle) / spread
            columns += [(skewness(z) ** 2 + 1) / kurtosis(z), farthest(z)]
        for sums in self.sums:
            rest = R if len(self.sums) == 1 else sums.without_fit(R)
            columns += [slope_ratio(sums, rest, *slope[1:]) for slope in sums.slopes]
        return np.stack(columns, axis=1)
