"""NUTS on the marginal posterior of the hyperparameters, and exact draws of the rest.

A handful of SDs and correlations is all that the sampler sees; the fixed and random effects
are drawn from their conditional distribution for every draw. Nothing is compiled per model.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmlm.density import GaussianMarginal
from bayesmlm.density.callback import marginal_as_callback
from bayesmlm.density.posterior import posterior
from bayesmlm.engines.effects import Keep, completed, drawn_effects
from bayesmlm.engines.layout import data_groups
from bayesmlm.engines.progress import Progress
from bayesmlm.engines.start import jittered_hyperparameters
from bayesmlm.engines.threaded import VARIABLE, sample_callback

if TYPE_CHECKING:
    import xarray as xr


def sample_marginal(
    marginal: GaussianMarginal, options: dict[str, Any], keep: Keep, seed: int, progress: Progress
) -> tuple[xr.DataTree, tuple[str, ...]]:
    """Sample the hyperparameters by nutpie, then draw the effects.

    Parameters
    ----------
    marginal
        The density.
    options
        Of `nutpie.sample`: draws, tune, chains, cores, target_accept, maxdepth.
    keep
        The option ``keep_random_effects``.
    seed, progress
        As of `Engine.fit`.

    Returns
    -------
    tree, notes
    """
    import xarray as xr

    with progress.stage("prepare", "the first time on a machine kernels are compiled"):
        target = marginal_as_callback(posterior(marginal))
        start = partial(jittered_hyperparameters, marginal)
    tree = sample_callback(target, start, options, seed, progress)
    with progress.stage("effects"):
        psi = tree["posterior"][VARIABLE].to_numpy()
        chains, _, d = psi.shape
        drawn, notes = completed(drawn_effects(marginal, psi.reshape(-1, d), seed), keep, chains)
    groups = {
        name: dataset.assign_coords(
            {dim: np.arange(dataset.sizes[dim]) for dim in ("chain", "draw")}
        )
        for name, dataset in drawn.items()
    }
    groups["sample_stats"] = tree["sample_stats"].to_dataset()
    return xr.DataTree.from_dict(groups | data_groups(marginal)), notes
