"""Ranks of the groups, with their uncertainty.

In every draw the groups are ordered by one effect; the ranks of a group over the draws are
its posterior of the rank. Rank 1 is the highest.

References
----------
Goldstein & Spiegelhalter (1996), doi:10.2307/2983325.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design import RandomBlock
from bayesmlm.effects import effect_blocks
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import PROBABILITY, check_probability, describe

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


def ranks_of(effects: Array) -> Array:
    """Return ranks from 1, the highest, in each draw.

    Parameters
    ----------
    effects
        Shape (J, S).

    Returns
    -------
    array, shape (J, S)
    """
    order = np.argsort(-effects, axis=0, kind="stable")
    found = np.empty_like(effects)
    places = np.arange(1.0, len(effects) + 1)[:, None]
    np.put_along_axis(found, order, np.broadcast_to(places, effects.shape), axis=0)
    return found


def ranks(
    result: FitResult, group: str, effect: str | None = None, probability: float = PROBABILITY
) -> pd.DataFrame:
    """Return the rank of every group by one effect, in order of the mean rank.

    Parameters
    ----------
    result
        The fit.
    group
        The grouping.
    effect
        The effect; None is the first.
    probability
        Of the intervals.

    Returns
    -------
    DataFrame
        One row a group: ``mean``, ``sd``, ``lower`` and ``upper`` of the rank, and
        ``highest``, the probability of rank 1. Of a maximum, the rank of its mode alone.
    """
    import pandas as pd

    check_probability(probability)
    block = result.design.any_block(group)
    at = block.effects.index(chosen_effect(block, effect))
    found = ranks_of(np.concatenate([d[:, at] for _, d in effect_blocks(result, block.name)]))
    index = pd.Index(list(block.grouping.labels), name=block.name)
    frame = pd.DataFrame(describe(found.T, probability), index=index)
    if found.shape[1] > 1:
        frame["highest"] = (found == 1).mean(axis=1)
    return frame.sort_values("mean", kind="stable")


def chosen_effect(block: RandomBlock, effect: str | None) -> str:
    """Return the effect named, or the first."""
    return block.effects[0] if effect is None else block.effect(effect)
