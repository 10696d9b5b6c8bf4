"""NUTS on the compiled log posterior with the random effects explicit."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmlm.density import ConditionalPosterior
from bayesmlm.density.callback import conditional_as_callback
from bayesmlm.engines.layout import data_groups, posterior_dataset
from bayesmlm.engines.progress import Progress
from bayesmlm.engines.start import jittered_start
from bayesmlm.engines.threaded import VARIABLE, sample_callback

if TYPE_CHECKING:
    import xarray as xr


def sample_conditional(
    posterior: ConditionalPosterior, options: dict[str, Any], seed: int, progress: Progress
) -> xr.DataTree:
    """Sample all parameters.

    Parameters
    ----------
    posterior
        The log posterior.
    options
        Of `nutpie.sample`: draws, tune, chains, cores, target_accept, maxdepth.
    seed, progress
        As of `Engine.fit`.
    """
    import xarray as xr

    with progress.stage("prepare", "the first time on a machine kernels are compiled"):
        target = conditional_as_callback(posterior)
        start = partial(jittered_start, posterior)
    tree = sample_callback(target, start, options, seed, progress)
    with progress.stage("effects"):
        theta = tree["posterior"][VARIABLE].to_numpy()
        flat = theta.reshape(-1, target.size)
        parts, further = posterior.recover(flat), posterior.further_beta(flat)
        drawn = posterior_dataset(posterior, *parts, chains=len(theta), further=further)
    groups = {
        "posterior": drawn.assign_coords({d: np.arange(drawn.sizes[d]) for d in ("chain", "draw")}),
        "sample_stats": tree["sample_stats"].to_dataset(),
    }
    return xr.DataTree.from_dict(groups | data_groups(posterior))
