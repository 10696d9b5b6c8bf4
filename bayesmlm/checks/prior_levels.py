"""Checks of the priors by level: whether the response is one they expect.

References
----------
Box (1980), doi:10.2307/2982063.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayesmlm.checks.category_statistics import of_category, share
from bayesmlm.checks.group_sums import GroupSums, candidates
from bayesmlm.checks.level_statistics import BOTH, Statistic
from bayesmlm.checks.levels import LevelReplication, check_options, found_wrong, table
from bayesmlm.checks.replicates import CHUNK
from bayesmlm.design import Design
from bayesmlm.predict.prior_draws import prior_parameters
from bayesmlm.predict.simulation import draw_responses, new_effects
from bayesmlm.predict.simulation_rows import same_rows
from bayesmlm.priors import Priors

Array = NDArray[np.float64]


class PriorStatistics:
    """Mean and SDs of the response by level.

    Parameters
    ----------
    design
        The model.
    category
        Position of a category without an order; the response is whether it is that one.
    """

    def __init__(self, design: Design, category: int | None = None) -> None:
        self.design = design if category is None else of_category(design, category)
        self.category = category
        labels = design.outcome.categories
        self.name = "" if category is None else str(labels[category])

    @cached_property
    def sums(self) -> tuple[GroupSums, ...]:
        """One a grouping."""
        return tuple(GroupSums(b, candidates(self.design, b)) for b in self.design.random)

    @cached_property
    def listed(self) -> tuple[Statistic, ...]:
        """The statistics in order."""
        groups = [s.block.name for s in self.sums]
        rows = [(1, "", "mean"), (1, "", "within")][: 2 if self.category is None else 1]
        places = [*rows, *((2, group, "between") for group in groups)]
        return tuple(
            Statistic(level, group, what, tails=BOTH, category=self.name)
            for level, group, what in places
        )

    def values(self, Y: Array) -> Array:
        """Return the statistics of responses, (S, N) to (S, K)."""
        design = self.design
        Y = Y if self.category is None else share(Y, self.category)
        with np.errstate(all="ignore"):
            y = design.family.on_link_scale(Y) if design.family.has_scale else Y
            inside = y
            for sums in self.sums[:1]:
                inside = y - sums.mean(y)[:, sums.block.grouping.codes]
            columns = [y.mean(axis=1)]
            columns += [inside.std(axis=1)] if self.category is None else []
            columns += [sums.mean(y).std(axis=1) for sums in self.sums]
        return np.stack(columns, axis=1)


def check_priors(
    design: Design, priors: Priors, draws: int = 999, level: float = 0.05, seed: int = 0
) -> LevelReplication:
    """Check the priors of a model by level; see `bayesmlm.Model.check_priors`."""
    check_options(draws, level)
    rng = np.random.default_rng([seed, 3])
    parameters = prior_parameters(design, priors, draws, rng)
    rows, chosen = same_rows(design), range(len(design.outcome.categories))
    each = (
        [PriorStatistics(design, k) for k in chosen]
        if design.family.unordered
        else [PriorStatistics(design)]
    )

    def values(Y: Array) -> Array:
        return np.concatenate([own.values(Y) for own in each], axis=1)

    step = max(1, CHUNK // len(design.y))
    parts = []
    for start in range(0, draws, step):
        own = parameters.take(np.arange(start, min(start + step, draws)))
        effects = {b.name: new_effects(b, own, b.grouping.size, rng) for b in design.blocks}
        parts.append(values(draw_responses(design, own, effects, rows, rng)))
    listed = tuple(statistic for own in each for statistic in own.listed)
    observed = values(design.y[None])[0]
    replicated = np.concatenate(parts)
    frame = table(listed, observed, replicated)[
        ["observed", "lower", "upper", "p new", "p adjusted"]
    ]
    frame = frame.rename(columns={"p new": "p"})
    findings = found_wrong(listed, frame, level)
    return LevelReplication(listed, observed, replicated, frame, level, findings)
