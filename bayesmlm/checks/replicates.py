"""Replicated responses in chunks that can be drawn again, and the p-values they give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayesmlm.checks.level_statistics import BOTH
from bayesmlm.predict.parameters import Parameters, fitted_parameters
from bayesmlm.predict.simulation import (
    choose_draws,
    draw_responses,
    new_effects,
    own_effects,
    refuse_points,
)
from bayesmlm.predict.simulation_rows import same_rows
from bayesmlm.result import FitResult

Array = NDArray[np.float64]

CHUNK = 2**22
"""Responses held at once (32 MB)."""


@dataclass(frozen=True)
class Replicates:
    """Responses replicated from a fit; each iteration draws the same ones.

    Parameters
    ----------
    result
        The fit.
    draws
        How many.
    new
        Whether the groups are new ones, their effects drawn from their distribution.
    seed
        Of everything.
    """

    result: FitResult
    draws: int
    new: bool
    seed: int

    @cached_property
    def source(self) -> tuple[NDArray[np.int64], Parameters]:
        """Which draws of the fit, and their parameters."""
        refuse_points(self.result)
        everything = fitted_parameters(self.result)
        at = choose_draws(everything.size, self.draws, np.random.default_rng([self.seed, 0]))
        return at, everything.take(at)

    @cached_property
    def effects(self) -> dict[str, Array]:
        """The groups' own effects, where they are not new."""
        blocks = () if self.new else self.result.design.blocks
        return {b.name: own_effects(self.result, b.name, self.source[0]) for b in blocks}

    def __iter__(self) -> Iterator[Array]:
        """Return responses of shape (S, N) in turn."""
        design, parameters = self.result.design, self.source[1]
        rows = same_rows(design)
        step = max(1, CHUNK // len(design.y))
        for k, start in enumerate(range(0, self.draws, step)):
            at = np.arange(start, min(start + step, self.draws))
            rng = np.random.default_rng([self.seed, 1 + int(self.new), k])
            own = parameters.take(at)
            effects = {
                block.name: new_effects(block, own, block.grouping.size, rng)
                if self.new
                else self.effects[block.name][at]
                for block in design.blocks
            }
            yield draw_responses(design, own, effects, rows, rng)


def p_values(values: Array, tails: tuple[str, ...]) -> Array:
    """Return the p-value of each row among all rows, column by column.

    Parameters
    ----------
    values
        Statistics of exchangeable data sets, shape (R + 1, K).
    tails
        ``"upper"`` or ``"both"``, one a column.

    Returns
    -------
    array, shape (R + 1, K)
        The share of rows at least as far out, the row itself among them; of both tails twice
        the smaller share. Where all rows are exchangeable P(p <= a) <= a for each row.
    """
    from scipy.stats import rankdata

    clean = np.where(np.isfinite(values), values, np.inf)
    upper = rankdata(-clean, method="max", axis=0) / len(clean)
    lower = rankdata(clean, method="max", axis=0) / len(clean)
    both = np.minimum(1.0, 2 * np.minimum(upper, lower))
    return np.where(np.array([t == BOTH for t in tails]), both, upper)


def adjusted(p: Array) -> Array:
    """Return the p-values of the first row adjusted for their number, shape (K,).

    The share of rows whose smallest p-value is as small: the dependence of the statistics is
    taken as it is.

    References
    ----------
    Westfall & Young (1993), Resampling-Based Multiple Testing, ISBN 0-471-55761-7.
    """
    smallest = p.min(axis=1)
    return np.asarray((smallest[None] <= p[0][:, None]).mean(axis=1))
