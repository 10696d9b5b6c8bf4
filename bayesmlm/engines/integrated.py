"""NUTS on the marginal posterior of the hyperparameters, and exact draws of the rest.

A handful of SDs and correlations is all that the sampler sees; the fixed and random effects
are drawn from their conditional distribution for every draw. Nothing is compiled per model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density import GaussianMarginal
from bayesmlm.density.posterior import Posterior, posterior
from bayesmlm.engines.layout import data_groups, posterior_dataset
from bayesmlm.engines.progress import Progress, chain_report
from bayesmlm.engines.sampled import complete
from bayesmlm.engines.start import starting_point

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]

JITTER = 0.5
"""Half width of the uniform jitter of the chains' starts."""


@dataclass(frozen=True)
class Target:
    """The density as nutpie calls it: module-level callables of plain arrays."""

    density: Posterior
    start: Array

    def make_density(self) -> Any:
        """Return the function nutpie calls."""
        return self.density

    def make_expand(self, *_: Any) -> Any:
        """Return the function that names a draw."""
        return lambda x, **_: {"psi": x}

    def initial_point(self, seed: int) -> Array:
        """Return a jittered start."""
        rng = np.random.default_rng(seed)
        return self.start + rng.uniform(-JITTER, JITTER, len(self.start))


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
        from nutpie import sample
        from nutpie.compiled_pyfunc import from_pyfunc

        target = Target(posterior(marginal), starting_point(marginal))
        target.density(target.start)
        model = from_pyfunc(
            marginal.layout.size,
            target.make_density,
            target.make_expand,
            [np.dtype(np.float64)],
            [(marginal.layout.size,)],
            ["psi"],
            make_initial_point_fn=target.initial_point,
        )
    update = progress.counter("sample")
    with progress.stage("sample", drawn=False):
        tree = sample(
            model,
            seed=seed,
            save_warmup=False,
            progress_bar=False,
            progress_callback=chain_report(update),
            **options,
        )
    complete(update, tree, options)
    with progress.stage("effects"):
        psi = tree["posterior"]["psi"].to_numpy()
        chains, draws, d = psi.shape
        flat = psi.reshape(-1, d)
        beta, effects = marginal.recover(flat, np.random.default_rng([seed, 1]))
        drawn = posterior_dataset(marginal, flat, beta, effects)
    split = {
        name: (
            ("chain", "draw", *array.dims[2:]),
            array.to_numpy().reshape(chains, draws, *array.shape[2:]),
        )
        for name, array in drawn.items()
    }
    groups = {
        "posterior": xr.Dataset(split, coords=drawn.coords).assign_coords(
            chain=np.arange(chains), draw=np.arange(draws)
        ),
        "sample_stats": tree["sample_stats"].to_dataset(),
    }
    return xr.DataTree.from_dict(groups | data_groups(marginal))
