"""The mean response with random effects integrated out, draw by draw.

A sum over the nodes of each summand of the random part (see `bayesmlm.predict.spread`), and
over their products. The step between nodes is halved until the mean stands still where the
random part varies most.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from bayesmlm.errors import StatisticError, message
from bayesmlm.predict.outcome import Mean
from bayesmlm.predict.spread import NormalSpread, Spread, StudentSpread

Array = NDArray[np.float64]

SETTLED = 1e-10
"""Change at which the step is small enough, relative to the mean of the absolute value."""

STEPS = tuple(0.5**k for k in range(9))
"""Steps between nodes, in standard deviations."""

PROBES = 48
"""Pairs of row and draw at which the step is chosen."""


def integrate(outcome: Mean, eta: Array, parts: Sequence[Spread]) -> Array:
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
    return total(outcome.mean, eta, parts, chosen_step(outcome, eta, parts, longer), longer)


def total(
    mean: Callable[[Array], Array],
    eta: Array,
    parts: Sequence[Spread],
    step: float,
    longer: float,
) -> Array:
    """Return the sum over all nodes."""
    rules = [part.rule(step, longer) for part in parts]
    found = np.zeros(())
    for chosen in product(*(range(len(nodes)) for nodes, _ in rules)):
        shifted, weight = eta, np.ones(1)
        for k, part, (nodes, weights) in zip(chosen, parts, rules, strict=True):
            shifted = shifted + part.shift(float(nodes[k]))
            weight = weight * weights[k]
        found = found + mean(shifted) * weight
    return found


def chosen_step(outcome: Mean, eta: Array, parts: Sequence[Spread], longer: float) -> float:
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
    before = total(own.mean, probes, some, STEPS[0], longer)
    size = total(lambda eta: np.abs(own.mean(eta)), probes, some, STEPS[0], longer)
    for last, step in pairwise(STEPS):
        after = total(own.mean, probes, some, step, longer)
        exists = np.isfinite(after)  # an infinite mean stands still
        if np.all(np.abs(after - before)[exists] <= SETTLED * size[exists]):
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


def check_exists(outcome: Mean, parts: Sequence[Spread]) -> None:
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
