"""The mean response with random effects integrated out, draw by draw.

A sum over the nodes of each summand of the random part (see `bayesmlm.predict.spread`), and
over their products. The step between nodes is halved until the mean stands still where the
random part varies most. Of categories without an order see `bayesmlm.density.category_shares`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.density.category_shares import category_shares
from bayesmlm.errors import StatisticError, message
from bayesmlm.families.parameter import REAL
from bayesmlm.predict.outcome import Mean
from bayesmlm.predict.spread import NormalSpread, Spread, StudentSpread

Array = NDArray[np.float64]

SETTLED = 1e-10
"""Change at which the step is small enough, relative to the mean of the absolute value."""

STEPS = tuple(0.5**k for k in range(9))
"""Steps between nodes, in standard deviations."""

PROBES = 48
"""Pairs of row and draw at which the step is chosen."""


MOST = 100_000
"""Nodes of all summands together at most."""

Etas = Mapping[str, Array]
"""Linear predictors by parameter, each of shape (n, S)."""


def integrate(outcome: Mean, etas: Etas, parts: Sequence[Spread]) -> Array:
    """Return the mean response over the random part, shape (n, S) or (n, C, S).

    Parameters
    ----------
    outcome
        The response, of S draws.
    etas
        The linear predictors that its mean needs, without the random part.
    parts
        Summands of these.

    Raises
    ------
    StatisticError
        Where there is no such mean.
    """
    if outcome.family.unordered and all(isinstance(part, NormalSpread) for part in parts):
        return of_categories(outcome, etas, parts)
    longer = 0.0
    if any(outcome.grows(part.parameter) for part in parts):
        scales = [part.scale for part in parts if isinstance(part, NormalSpread)]
        longer = max((float(scale.max()) for scale in scales), default=0.0)
    return total(outcome.mean, etas, parts, chosen_step(outcome, etas, parts, longer), longer)


def of_categories(outcome: Mean, etas: Etas, parts: Sequence[Spread]) -> Array:
    """Return the probabilities of categories without an order, shape (n, C, S)."""
    scales = {part.parameter: part.scale for part in parts if isinstance(part, NormalSpread)}
    own = [name for name in outcome.needs if name != names.MU]
    zero = np.zeros_like(etas[names.MU])
    eta = np.stack([etas[name] - etas[names.MU] for name in own])
    scale = np.stack([np.broadcast_to(scales.get(name, zero), zero.shape) for name in own])
    return np.moveaxis(category_shares(eta, scale), 0, 1)


def total(
    mean: Callable[[Etas], Array],
    etas: Etas,
    parts: Sequence[Spread],
    step: float,
    longer: float,
) -> Array:
    """Return the sum over all nodes."""
    rules = [part.rule(step, longer) for part in parts]
    check_count([len(nodes) for nodes, _ in rules])
    found = np.zeros(())
    for chosen in product(*(range(len(nodes)) for nodes, _ in rules)):
        shifted, weight = dict(etas), np.ones(1)
        for k, part, (nodes, weights) in zip(chosen, parts, rules, strict=True):
            shifted[part.parameter] = shifted[part.parameter] + part.shift(float(nodes[k]))
            weight = weight * weights[k]
        found = found + mean(shifted) * weight
    return found


def check_count(counts: Sequence[int]) -> None:
    """Raise `StatisticError` for too many summands to integrate over their product."""
    if math.prod(counts) > MOST:
        raise StatisticError(
            message(
                f"a mean over {len(counts)} random effects that are independent, by "
                f"{' x '.join(map(str, counts))} nodes",
                f"{MOST:,} nodes together",
                'use groups="new" with replicates=, which draws the effects',
            )
        )


def chosen_step(outcome: Mean, etas: Etas, parts: Sequence[Spread], longer: float) -> float:
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
    probes = {name: eta[rows, draws][None] for name, eta in etas.items()}
    before = total(own.mean, probes, some, STEPS[0], longer)
    size = total(lambda etas: np.abs(own.mean(etas)), probes, some, STEPS[0], longer)
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

    With a link that leaves some linear predictors without a mean or a possible parameter,
    Student-t effects and a mean that grows exponentially, or effects on the logarithm of a
    lognormal sigma.
    """
    unbounded = [part for part in parts if isinstance(part, NormalSpread | StudentSpread)]
    reason = next((why for part in unbounded if (why := why_not(outcome, part))), None)
    if reason is not None:
        what, allowed, step = reason
        raise StatisticError(message(f"the mean {what}", allowed, step))


def why_not(outcome: Mean, part: Spread) -> tuple[str, str, str] | None:
    """Return of what there is no mean, what is allowed and what to do; None where there is one."""
    family, own = outcome.family, [p for p in outcome.further if p.target == part.parameter]
    if own and own[0].link.name == "identity" and own[0].parameter.support != REAL:
        return (
            f"over random effects of {part.parameter} with the identity link, which in part are "
            "impossible",
            f"links that give {part.parameter} its range",
            f'use groups="average", or write {part.parameter} ~ … for its own link',
        )
    if (family.name, part.parameter) in (("lognormal", "sigma"), ("student", "nu")):
        return (
            f"over random effects of {part.parameter} of a {family.name} response, which "
            + ("is infinite" if part.parameter == "sigma" else "has none where nu is at most 1"),
            "random effects of its location",
            'use groups="average", or kind="linear"',
        )
    if not own and not outcome.is_everywhere:
        return (
            f"over random effects of the {family.name} family with the {family.link.name} link, "
            "which has none where the linear predictor is not positive",
            "links that give every linear predictor a mean",
            'use groups="average", or the log link',
        )
    if outcome.grows(part.parameter) and isinstance(part, StudentSpread):
        return (
            "of an exponential of Student-t effects, which is infinite",
            "normal effects or mass points with this link",
            'use groups="average", or kind="linear"',
        )
    return None
