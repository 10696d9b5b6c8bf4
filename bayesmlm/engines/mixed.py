"""Effects of mass points, drawn from each group's probabilities of the points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.density.hyperparameters import hyperparameters
from bayesmlm.design import Design
from bayesmlm.engines.layout import Laid, data_groups

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]

MIXING = "mixing"
"""Group of the tree that holds the groups' probabilities of the points."""


def with_effects(tree: xr.DataTree, design: Design, seed: int) -> xr.DataTree:
    """Draw the effects of mass points that a graph summed out.

    Parameters
    ----------
    tree
        With ``points_<group>`` and ``membership_<group>`` in its posterior. The probabilities
        move, averaged over draws, to the group ``mixing``.
    design
        The model; without mass points the tree is returned as it is.
    seed
        Of the draws.
    """
    import xarray as xr

    block = next((block for block in design.random if block.distribution == "points"), None)
    if block is None:
        return tree
    posterior = tree["posterior"].to_dataset()
    points = posterior[names.points(block.name)]
    share = posterior[names.membership(block.name)]
    drawn = draw_effects(points.to_numpy(), share.to_numpy(), np.random.default_rng([seed, 3]))
    group, effect = names.safe(block.name), names.effect_dim(block.name)
    posterior = posterior.drop_vars(names.membership(block.name))
    posterior[names.effects(block.name)] = xr.DataArray(
        drawn,
        dims=("chain", "draw", group, effect),
        coords={group: share[group], effect: points[effect]},
    )
    groups = {name: node.to_dataset() for name, node in tree.children.items()}
    groups["posterior"] = posterior
    groups[MIXING] = share.mean(("chain", "draw")).to_dataset()
    groups["observed_data"] = data_groups(Laid(design, hyperparameters(design)))["observed_data"]
    return xr.DataTree.from_dict(groups)


def draw_effects(points: Array, share: Array, rng: np.random.Generator) -> Array:
    """Return effects drawn from probabilities.

    Parameters
    ----------
    points
        Shape (..., K, q).
    share
        Shape (..., J, K).
    rng
        The source of randomness.

    Returns
    -------
    array, shape (..., J, q)
    """
    below = share.cumsum(axis=-1)
    uniform = rng.random((*share.shape[:-1], 1)) * below[..., -1:]
    chosen = (below <= uniform).sum(axis=-1).clip(max=share.shape[-1] - 1)
    return np.asarray(np.take_along_axis(points, chosen[..., None], axis=-2))
