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
from bayesmlm.engines.layout import by_chain, data_groups, posterior_dataset
from bayesmlm.engines.progress import Progress
from bayesmlm.engines.start import jittered_hyperparameters
from bayesmlm.engines.threaded import VARIABLE, sample_callback

if TYPE_CHECKING:
    import xarray as xr


def sample_marginal(
    marginal: GaussianMarginal, options: dict[str, Any], seed: int, progress: Progress
) -> xr.DataTree:
    """Sample the hyperparameters by nutpie, then draw the effects.

    Parameters
    ----------
    marginal
        The density.
    options
        Of `nutpie.sample`: draws, tune, chains, cores, target_accept, maxdepth.
    seed, progress
        As of `Engine.fit`.
    """
    import xarray as xr

    with progress.stage("prepare", "the first time on a machine kernels are compiled"):
        target = marginal_as_callback(posterior(marginal))
        start = partial(jittered_hyperparameters, marginal)
    tree = sample_callback(target, start, options, seed, progress)
    with progress.stage("effects"):
        psi = tree["posterior"][VARIABLE].to_numpy()
        chains = len(psi)
        flat = psi.reshape(-1, psi.shape[2])
        beta, effects = marginal.recover(flat, np.random.default_rng([seed, 1]))
        drawn = posterior_dataset(marginal, flat, beta, effects)
    groups = {
        "posterior": by_chain(drawn, chains),
        "sample_stats": tree["sample_stats"].to_dataset(),
    }
    return xr.DataTree.from_dict(groups | data_groups(marginal))
