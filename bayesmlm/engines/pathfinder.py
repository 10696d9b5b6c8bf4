"""Pathfinder by pymc-extras: normal approximations along the way to the mode, resampled.

References
----------
Zhang, Carpenter, Gelman & Vehtari (2022), Journal of Machine Learning Research 23, 306.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design import Design
from bayesmlm.engines.audit import FLOOR, Audit, audit
from bayesmlm.engines.effects import AUTO, Keep
from bayesmlm.engines.engine import Engine
from bayesmlm.engines.graph_target import GraphTarget, check_effects, graph_target
from bayesmlm.engines.progress import Progress
from bayesmlm.engines.quiet import quiet
from bayesmlm.engines.weights import WeightedSample, effective, smooth
from bayesmlm.errors import EngineError, message
from bayesmlm.priors import Priors
from bayesmlm.result import FitResult

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]

LEAST = {"draws": 100, "draws_per_path": 100, "paths": 1}
"""Smallest values of the options that are numbers."""

ELBO_DRAWS = 10
"""Draws by which a path chooses its best normal."""

JITTER = 2.0
"""Half width of the uniform jitter of the paths' starts."""


@dataclass(frozen=True)
class Pathfinder(Engine):
    """Multi-path Pathfinder, an optional extra: ``pip install "bayesmlm[extras]"``.

    Parameters
    ----------
    paths
        Optimisations from different starts.
    draws
        Draws kept, resampled by Pareto smoothed importance weights.
    draws_per_path
        Draws of each path's approximation, from which they are taken.
    random_effects, parametrisation, keep_random_effects
        As of `ADVI`.
    """

    paths: int = 8
    draws: int = 4000
    draws_per_path: int = 2000
    random_effects: str = "auto"
    parametrisation: str | Mapping[str, str] | None = None
    keep_random_effects: Keep = AUTO

    name: ClassVar[str] = "pathfinder"

    def __post_init__(self) -> None:
        for option, least in LEAST.items():
            value = getattr(self, option)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                allowed = f"a whole number from {least}"
                raise EngineError(
                    message(f"Pathfinder({option}={value!r})", allowed, "leave it out")
                )
            object.__setattr__(self, option, int(value))  # a NumPy integer is welcome
        options = self.random_effects, self.parametrisation, self.keep_random_effects
        check_effects("Pathfinder", *options)

    def __str__(self) -> str:
        return f"Pathfinder: {self.draws:,} draws from {self.paths} paths"

    def fit(self, design: Design, priors: Priors, seed: int, progress: Progress) -> FitResult:
        """Approximate the posterior; see `Engine.fit`."""
        require_extras()
        with progress.running():
            with progress.stage("build the graph"), quiet():
                options = self.random_effects, self.parametrisation, self.keep_random_effects
                target = graph_target(design, priors, *options, "Pathfinder")
            with progress.stage("paths", "compiling the graph first"), quiet():
                found = self.explore(target, seed)
            with progress.stage("draws"), quiet():
                sample, told = weighted(found)
                chosen = sample.choose(self.draws, np.random.default_rng([seed, 1]))
                _, outputs = target.evaluate(sample.points[chosen])
                groups, notes = target.groups(outputs, seed)
        failed = self.paths - len(found.samples)
        lost = (f"{failed} of {self.paths} paths failed.",) if failed else ()
        return FitResult(
            spec=design.spec,
            design=design,
            priors=priors,
            tree=self.tree(groups, told, effective(chosen), int(np.sum(found.lbfgs_niter))),
            engine=self,
            seed=seed,
            seconds=dict(progress.seconds),
            notes=(*target.notes, *lost, *notes),
        )

    def explore(self, target: GraphTarget, seed: int) -> Any:
        """Run the paths, one after the other.

        Raises
        ------
        EngineError
            If all fail.
        """
        from pymc_extras.inference.pathfinder.lbfgs import LBFGSConfig
        from pymc_extras.inference.pathfinder.multipath import multipath_pathfinder

        try:
            with np.errstate(all="ignore"):
                return multipath_pathfinder(
                    target.model,
                    num_paths=self.paths,
                    num_draws=self.draws,
                    num_draws_per_path=self.draws_per_path,
                    num_elbo_draws=ELBO_DRAWS,
                    jitter=JITTER,
                    lbfgs_config=LBFGSConfig().set_default_maxcor(target.size),
                    importance_sampling=None,
                    progressbar=False,
                    parallel=False,
                    random_seed=seed,
                )
        except ValueError as error:
            raise EngineError(
                message(
                    f"Pathfinder on this model: {error}",
                    "a posterior that an optimiser can climb",
                    'fit with "nuts"',
                )
            ) from error

    def tree(self, groups: dict[str, Any], told: Audit, ess: float, iterations: int) -> xr.DataTree:
        """Return the tree; every posterior variable carries the effective number of draws."""
        import xarray as xr

        for array in groups["posterior"].values():
            array.attrs["ess"] = ess
        statistics = {
            "k_hat": told.khat,
            "ess": told.ess,
            "elbo": told.elbo,
            "elbo_error": told.error,
            "settled": True,
            "iterations": iterations,
        }
        return xr.DataTree.from_dict(groups | {"sample_stats": xr.Dataset(statistics)})


def require_extras() -> None:
    """Raise `EngineError` where pymc-extras is missing, or another than the one expected."""
    try:
        import pymc_extras.inference.pathfinder.multipath  # noqa: F401
    except ImportError as error:
        raise EngineError(
            message(
                f"Pathfinder without pymc-extras 0.15 ({error})",
                "pymc-extras 0.15, an optional extra",
                'pip install "bayesmlm[extras]", or fit with "advi"',
            )
        ) from error


def weighted(found: Any) -> tuple[WeightedSample, Audit]:
    """Return the draws of all paths with smoothed weights, and what the weights say.

    Raises
    ------
    EngineError
        If no draw has a finite density.
    """
    points = found.samples.reshape(-1, found.samples.shape[-1])
    density, approximation = found.logP.ravel(), found.logQ.ravel()
    finite = np.isfinite(density) & np.isfinite(approximation)
    if not finite.any():
        raise EngineError(
            message(
                "Pathfinder found no draw with a finite density",
                "a posterior that an optimiser can climb",
                'fit with "nuts"',
            )
        )
    told = audit(density[finite], approximation[finite])
    log_weights = (density - approximation)[finite]
    weights, khat = smooth(np.maximum(log_weights, log_weights.max() + FLOOR))
    return WeightedSample(points[finite], weights, khat, len(points)), told
