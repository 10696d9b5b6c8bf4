"""The No-U-Turn sampler on the PyMC graph.

References
----------
Hoffman & Gelman (2014), Journal of Machine Learning Research 15, 1593–1623.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bayesmlm import names
from bayesmlm.design import Design
from bayesmlm.engines.engine import Engine
from bayesmlm.engines.progress import Progress
from bayesmlm.errors import EngineError, message
from bayesmlm.graph import build_model, choose
from bayesmlm.priors import Priors
from bayesmlm.result import FitResult

SAMPLERS = ("nutpie", "pymc")

STATISTICS = {
    "tree_depth": "depth",
    "reached_max_treedepth": "maxdepth_reached",
    "lp": "logp",
    "acceptance_rate": "mean_tree_accept",
}
"""PyMC's name of each sampler statistic, and nutpie's, which is used for both."""


@dataclass(frozen=True)
class NUTS(Engine):
    """Hamiltonian Monte Carlo with the No-U-Turn rule.

    Parameters
    ----------
    draws, tune
        Kept and warm-up iterations of each chain.
    chains, cores
        Number of chains, and how many run at once (as many as there are processors).
    target_accept
        Acceptance rate aimed at, in (0, 1); higher takes smaller steps.
    max_treedepth
        At most 2^max_treedepth - 1 steps a draw.
    sampler
        ``"nutpie"`` or ``"pymc"``.
    parametrisation
        ``"centred"`` or ``"non-centred"`` for all effects, or by ``"group"`` or
        ``"group[effect]"``; None chooses from the data.
    """

    draws: int = 2000
    tune: int = 1000
    chains: int = 4
    cores: int | None = None
    target_accept: float = 0.9
    max_treedepth: int = 10
    sampler: str = "nutpie"
    parametrisation: str | Mapping[str, str] | None = None

    name: ClassVar[str] = "nuts"

    def __post_init__(self) -> None:
        for option in ("draws", "tune", "chains", "max_treedepth", "cores"):
            value, default = getattr(self, option), getattr(type(self), option)
            if value is None and default is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise EngineError(
                    message(
                        f"NUTS({option}={value!r})",
                        "a whole number from 1",
                        f"pass {option}={default or 4}, or leave it out",
                    )
                )
            object.__setattr__(self, option, int(value))  # a NumPy integer is welcome
        target: Any = self.target_accept
        if isinstance(target, bool) or not isinstance(target, float) or not 0 < target < 1:
            raise EngineError(
                message(
                    f"NUTS(target_accept={target!r})",
                    "a number between 0 and 1",
                    "0.9 is the default; 0.95 or 0.99 removes most divergences",
                )
            )
        if self.sampler not in SAMPLERS:
            raise EngineError(
                message(
                    f"NUTS(sampler={self.sampler!r})",
                    ", ".join(map(repr, SAMPLERS)),
                    "leave it out for nutpie",
                )
            )

    def fit(self, design: Design, priors: Priors, seed: int, progress: Progress) -> FitResult:
        """Sample the posterior; see `Engine.fit`."""
        coordinates = choose(design, self.parametrisation)
        with progress.running():
            with progress.stage("build the graph"), quiet():
                model = build_model(design, priors, coordinates)
            run = self.run_nutpie if self.sampler == "nutpie" else self.run_pymc
            tree = run(model, posterior_names(design), seed, progress)
        return FitResult(
            spec=design.spec,
            design=design,
            priors=priors,
            tree=tree,
            engine=self,
            seed=seed,
            seconds=dict(progress.seconds),
            notes=tuple(f"Sampled {choice}." for choice in coordinates),
        )

    def __str__(self) -> str:
        return (
            f"NUTS by {self.sampler}: {self.chains} chains of {self.draws:,} draws after "
            f"{self.tune:,} of warm-up, acceptance {self.target_accept:g}"
        )

    @property
    def workers(self) -> int:
        """Number of chains that run at once."""
        return min(self.chains, self.cores or available_cores())

    def run_nutpie(self, model: Any, kept: list[str], seed: int, progress: Progress) -> Any:
        """Compile and sample with nutpie."""
        with quiet():
            import nutpie
            import xarray as xr
            from threadpoolctl import threadpool_limits

            with progress.stage("compile", "the first time on a machine a minute and a half"):
                compiled = nutpie.compile_pymc_model(model, var_names=kept)
            count = progress.counter("sample")

            def report(chains: Any) -> None:
                done = sum(chain.finished_draws for chain in chains)
                total = sum(chain.total_draws for chain in chains)
                count(done, total, f"{sum(chain.divergences for chain in chains)} divergences")

            with progress.stage("sample", drawn=False), threadpool_limits(1, "blas"):
                tree = nutpie.sample(
                    compiled,
                    draws=self.draws,
                    tune=self.tune,
                    chains=self.chains,
                    cores=self.workers,
                    seed=seed,
                    save_warmup=False,
                    progress_bar=False,
                    progress_callback=report if count is not None else None,
                    target_accept=self.target_accept,
                    maxdepth=self.max_treedepth,
                )
        if count is not None:
            total = self.chains * (self.draws + self.tune)
            divergences = int(tree["sample_stats"]["diverging"].sum())
            count(total, total, f"{divergences} divergences")
        groups = {name: tree[name].to_dataset() for name in ("posterior", "sample_stats")}
        groups["posterior"] = groups["posterior"][kept]
        return xr.DataTree.from_dict(groups | observations(model))

    def run_pymc(self, model: Any, kept: list[str], seed: int, progress: Progress) -> Any:
        """Sample with PyMC's own sampler."""
        with quiet():
            import pymc as pm
            import xarray as xr
            from threadpoolctl import threadpool_limits

            with progress.stage("sample", "compiling, then sampling"), threadpool_limits(1, "blas"):
                tree = pm.sample(
                    draws=self.draws,
                    tune=self.tune,
                    chains=self.chains,
                    cores=self.workers,
                    random_seed=seed,
                    nuts_sampler="pymc",
                    nuts={
                        "target_accept": self.target_accept,
                        "max_treedepth": self.max_treedepth,
                    },
                    var_names=kept,
                    progressbar=False,
                    compute_convergence_checks=False,
                    quiet=True,
                    model=model,
                )
        groups = {
            "posterior": tree["posterior"].to_dataset()[kept],
            "sample_stats": tree["sample_stats"].to_dataset().rename(STATISTICS),
        }
        return xr.DataTree.from_dict(groups | observations(model))


def available_cores() -> int:
    """Return the number of processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def posterior_names(design: Design) -> list[str]:
    """Return the names of the variables the posterior keeps."""
    kept = [names.BETA] if design.coef else []
    for block in design.random:
        kept.append(names.sd(block.name))
        if block.pairs:
            kept.append(names.corr(block.name))
        kept.append(names.effects(block.name))
    return kept + ([names.SIGMA] if design.estimates_scale else [])


def observations(model: Any) -> dict[str, Any]:
    """Return the datasets of observed and of constant data."""
    import xarray as xr
    from pymc.backends.arviz import (
        coords_and_dims_for_inferencedata,
        find_constants,
        find_observations,
    )

    coords, dims = coords_and_dims_for_inferencedata(model)

    def dataset(values: Mapping[str, Any]) -> xr.Dataset:
        arrays = {}
        for name, value in values.items():
            own = dims.get(name) or [f"{name}_dim_{k}" for k in range(value.ndim)]
            arrays[name] = xr.DataArray(
                value, dims=own, coords={dim: coords[dim] for dim in own if dim in coords}
            )
        return xr.Dataset(arrays)

    return {
        "observed_data": dataset(find_observations(model)),
        "constant_data": dataset(find_constants(model)),
    }


@contextmanager
def quiet() -> Iterator[None]:
    """Silence what the libraries say of themselves; bayesmlm reports what matters."""
    os.environ.setdefault("PYTENSOR_FLAGS", "blas__ldflags=")
    loggers = [logging.getLogger(name) for name in ("pymc", "pytensor", "nutpie")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
