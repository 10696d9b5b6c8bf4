"""Draws of random effects, kept in the posterior or drawn again from what is.

Effects that were not kept are drawn from their exact conditional distribution given the
hyperparameters, the fixed effects and all other effects, draw by draw, from noise that the
seed of the fit determines: on one machine the same numbers each time, those that would have
been kept. Under another release of NumPy or on another processor they may be other draws of
the same distribution.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.density import GaussianMarginal, gaussian_marginal
from bayesmlm.density.noise import Noise
from bayesmlm.density.recovery import BLOCK, LeadingEffects
from bayesmlm.design import RandomBlock
from bayesmlm.errors import StatisticError, message, suggestion
from bayesmlm.priors import normal_stand_in
from bayesmlm.result import FitResult

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


def effect_blocks(result: FitResult, group: str) -> Iterator[tuple[Integers, Array]]:
    """Return the draws of a grouping's effects, some groups at a time, in order.

    Parameters
    ----------
    result
        The fit.
    group
        The grouping.

    Yields
    ------
    groups, draws
        Which groups, and their draws, shape (groups, q, S): a block of at most 64 MB, the
        caller's to change.
    """
    block = result.design.any_block(group)
    kept = kept_draws(result, block)
    if kept is None:
        yield from leading_effects(result, block).blocks()
        return
    S, J, q = kept.shape
    step = max(1, BLOCK // (S * q))
    for start in range(0, J, step):
        groups = np.arange(start, min(start + step, J))
        yield groups, kept[:, groups].transpose(1, 2, 0).copy()


def random_effects(
    result: FitResult, group: str, labels: Sequence[Any] | None = None
) -> xr.DataArray:
    """Return draws of a grouping's effects, dims (chain, draw, group, effect).

    Parameters
    ----------
    result
        The fit.
    group
        The grouping.
    labels
        Of the groups wanted; None returns all, in memory.

    Raises
    ------
    StatisticError
        For a group that is not in the data.
    """
    import xarray as xr

    block = result.design.any_block(group)
    chosen = positions(block, labels)
    kept = kept_draws(result, block)
    if kept is None:
        effects = leading_effects(result, block)
        drawn = effects.everything() if labels is None else effects.draw(chosen).transpose(2, 0, 1)
    else:
        drawn = kept[:, chosen]
    sd = result.posterior[names.sd(block.name)]
    dim, effect = block.dim, names.effect_dim(block.name)
    return xr.DataArray(
        drawn.reshape(sd.sizes["chain"], sd.sizes["draw"], *drawn.shape[1:]),
        dims=("chain", "draw", dim, effect),
        coords={name: sd[name] for name in ("chain", "draw") if name in sd.coords}
        | {dim: [block.grouping.labels[at] for at in chosen], effect: list(block.effects)},
        name=names.effects(block.name),
        attrs=dict(sd.attrs),
    )


def positions(block: RandomBlock, labels: Sequence[Any] | None) -> Integers:
    """Return where the groups of some labels stand."""
    known = {label: at for at, label in enumerate(block.grouping.labels)}
    if labels is None:
        return np.arange(len(known))
    if isinstance(labels, str) or not np.iterable(labels):
        raise StatisticError(
            message(f"labels={labels!r}", "a list of labels", f"write labels=[{labels!r}]")
        )
    for label in labels:
        if label not in known:
            shown = [str(each) for each in known]
            first = ", ".join(map(repr, block.grouping.labels[:5]))
            raise StatisticError(
                message(
                    f"no group {label!r} of {block.name!r}{suggestion(str(label), shown)}",
                    f"the {len(known):,} groups of the data: {first}{', …' * (len(known) > 5)}",
                    "name groups that the model was fitted to",
                )
            )
    return np.array([known[label] for label in labels], dtype=np.int64)


def kept_draws(result: FitResult, block: RandomBlock) -> Array | None:
    """Return the effects that the posterior holds, shape (S, J, q), or None."""
    posterior = result.tree["posterior"]
    name = names.effects(block.name)
    if name not in posterior:
        return None
    array = posterior[name].transpose("chain", "draw", block.dim, names.effect_dim(block.name))
    values = array.to_numpy()
    return np.asarray(values.reshape(-1, *values.shape[2:]))


def leading_effects(result: FitResult, block: RandomBlock) -> LeadingEffects:
    """Return what draws the effects that were not kept.

    Raises
    ------
    StatisticError
        If what they are drawn from was not kept either.
    """
    marginal = gaussian_marginal(result.design, normal_stand_in(result.priors))
    if names.UNCONSTRAINED not in result.tree.children or not isinstance(
        marginal, GaussianMarginal
    ):
        raise StatisticError(
            message(
                f"a posterior without {names.effects(block.name)!r}",
                "the effects, or the hyperparameters they are drawn from",
                "use the fit as the engine returned it",
            )
        )
    given = result.tree[names.UNCONSTRAINED]
    psi, beta = (
        array.reshape(-1, array.shape[-1])
        for array in (given[name].to_numpy() for name in (names.PSI, names.BETA))
    )
    others = {
        other.name: draws
        for other in result.design.random
        if (draws := kept_draws(result, other)) is not None
    }
    return marginal.recovery(psi, Noise(result.seed)).leading(beta, others)
