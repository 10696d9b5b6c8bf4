"""The mean response with random effects integrated out, draw by draw.

A sum over the nodes of each summand of the random part (see `bayesmlm.predict.spread`), and
over their products. The step between nodes is halved until the mean stands still where the
random part varies most.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from bayesmlm.errors import StatisticError, message
from bayesmlm.predict.outcome import Outcome
from bayesmlm.predict.spread import NormalSpread, Spread, StudentSpread

Array = NDArray[np.float64]

SETTLED = 1e-8
"""Relative change of the mean at which the step is small enough."""

ROUNDING = 1e-6
"""Share of the largest mean that counts as size of the others, some of which may be zero."""

STEPS = tuple(0.5**k for k in range(9))
"""Steps between nodes, in standard deviations."""

PROBES = 48
"""Pairs of row and draw at which the step is chosen."""


def integrate(outcome: Outcome, eta: Array, parts: Sequence[Spread]) -> Array:
    """Return the mean response over the random part, shape (n, S) or (n, C, S).

    Parameters
    ----------
    outcome
        The response, of S draws.
    eta
        The linear predictor without the random part, shape (n, S).
    parts
        Its summands.

    Raises
    ------
    StatisticError
        Where there is no such mean.
    """
    longer = 0.0
    if outcome.grows:
        scales = [part.scale for part in parts if isinstance(part, NormalSpread)]
        longer = max((float(scale.max()) for scale in scales), default=0.0)
    return total(outcome, eta, parts, chosen_step(outcome, eta, parts, longer), longer)


def total(
    outcome: Outcome, eta: Array, parts: Sequence[Spread], step: float, longer: float
) -> Array:
    """Return the sum over all nodes."""
    rules = [part.rule(step, longer) for part in parts]
    found = np.zeros(())
    for chosen in product(*(range(len(nodes)) for nodes, _ in rules)):
        shifted, weight = eta, np.ones(1)
        for k, part, (nodes, weights) in zip(chosen, parts, rules, strict=True):
            shifted = shifted + part.shift(float(nodes[k]))
            weight = weight * weights[k]
        found = found + outcome.mean(shifted) * weight
    return found


def chosen_step(outcome: Outcome, eta: Array, parts: Sequence[Spread], longer: float) -> float:
    """Return a step at which the mean stands still, where the random part varies most."""
    varying = [part.scale for part in parts if isinstance(part, NormalSpread | StudentSpread)]
    if not varying:
        return STEPS[0]
    spread = sum(varying[1:], varying[0])
    count = min(PROBES, spread.size)
    largest = np.argpartition(spread.ravel(), spread.size - count)[-count:]
    others = np.linspace(0, spread.size - 1, count).astype(np.int64)
    rows, draws = np.unravel_index(np.concatenate([largest, others]), spread.shape)
    own, some = outcome.at(draws), [part.at(rows, draws) for part in parts]
    probes = eta[rows, draws][None]
    before = total(own, probes, some, STEPS[0], longer)
    for last, step in pairwise(STEPS):
        after = total(own, probes, some, step, longer)
        if has_settled(before, after):
            return last
        before = after
    raise StatisticError(
        message(
            f"a mean over random effects of SD {spread.max():.3g} that does not settle with "
            f"{STEPS[-1]:g} SD between nodes",
            "effects whose variance the data or the priors bound",
            'look at the SDs of the fit; groups="new" draws the effects instead',
        )
    )


def has_settled(before: Array, after: Array) -> bool:
    """Return whether means stand still; infinite ones and such as do not exist do."""
    exists = np.isfinite(after)
    size = np.abs(after[exists])
    change = np.abs(before[exists] - after[exists])
    return bool(np.all(change <= SETTLED * (size + ROUNDING * size.max(initial=0.0))))


def check_exists(outcome: Outcome, parts: Sequence[Spread]) -> None:
    """Raise `StatisticError` where no mean over the random part exists.

    With a link that leaves some linear predictors without a mean, or Student-t effects and a
    mean that grows exponentially.
    """
    family = outcome.family
    unbounded = any(isinstance(part, NormalSpread | StudentSpread) for part in parts)
    if unbounded and not outcome.is_everywhere:
        raise StatisticError(
            message(
                f"the mean over random effects of the {family.name} family with the "
                f"{family.link.name} link, which has none where the linear predictor is not "
                "positive",
                "links that give every linear predictor a mean",
                'use groups="average", or the log link',
            )
        )
    if outcome.grows and any(isinstance(part, StudentSpread) for part in parts):
        raise StatisticError(
            message(
                "the mean of an exponential of Student-t effects, which is infinite",
                "normal effects or mass points with this link",
                'use groups="average", or kind="linear"',
            )
        )
