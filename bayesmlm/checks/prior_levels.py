"""Checks of the priors by level: whether the response is one they expect.

References
----------
Box (1980), doi:10.2307/2982063.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayesmlm.checks.group_sums import GroupSums, candidates
from bayesmlm.checks.level_statistics import BOTH, Statistic
from bayesmlm.checks.levels import LevelReplication, check_options, found_wrong, table
from bayesmlm.checks.replicates import CHUNK
from bayesmlm.design import Design
from bayesmlm.predict.prior_draws import prior_parameters
from bayesmlm.predict.simulation import draw_responses, new_effects, same_rows
from bayesmlm.priors import Priors

Array = NDArray[np.float64]


class PriorStatistics:
    """Mean and SDs of the response by level.

    Parameters
    ----------
    design
        The model.
    """

    def __init__(self, design: Design) -> None:
        self.design = design

    @cached_property
    def sums(self) -> tuple[GroupSums, ...]:
        """One a grouping."""
        return tuple(GroupSums(b, candidates(self.design, b)) for b in self.design.random)

    @cached_property
    def listed(self) -> tuple[Statistic, ...]:
        """The statistics in order."""
        between = [Statistic(2, s.block.name, "between", tails=BOTH) for s in self.sums]
        rows = [Statistic(1, "", "mean", tails=BOTH), Statistic(1, "", "within", tails=BOTH)]
        return tuple(rows + between)

    def values(self, Y: Array) -> Array:
        """Return the statistics of responses, (S, N) to (S, K)."""
        design = self.design
        with np.errstate(all="ignore"):
            y = design.family.on_link_scale(Y) if design.family.has_scale else Y
            inside = y
            for sums in self.sums[:1]:
                inside = y - sums.mean(y)[:, sums.block.grouping.codes]
            columns = [y.mean(axis=1), inside.std(axis=1)]
            columns += [sums.mean(y).std(axis=1) for sums in self.sums]
        return np.stack(columns, axis=1)


def check_priors(
    design: Design, priors: Priors, draws: int = 999, level: float = 0.05, seed: int = 0
) -> LevelReplication:
    """Check the priors of a model by level; see `bayesmlm.Model.check_priors`."""
    check_options(draws, level)
    rng = np.random.default_rng([seed, 3])
    parameters = prior_parameters(design, priors, draws, rng)
    statistics, rows = PriorStatistics(design), same_rows(design)
    step = max(1, CHUNK // len(design.y))
    parts = []
    for start in range(0, draws, step):
        own = parameters.take(np.arange(start, min(start + step, draws)))
        effects = {b.name: new_effects(b, own, b.grouping.size, rng) for b in design.blocks}
        parts.append(statistics.values(draw_responses(design, own, effects, rows, rng)))
    listed, observed = statistics.listed, statistics.values(design.y[None])[0]
    replicated = np.concatenate(parts)
    frame = table(listed, observed, replicated)[
        ["observed", "lower", "upper", "p new", "p adjusted"]
    ]
    frame = frame.rename(columns={"p new": "p"})
    findings = found_wrong(listed, frame, level)
    return LevelReplication(listed, observed, replicated, frame, level, findings)
