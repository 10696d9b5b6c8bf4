"""NUTS on the PyMC graph, by nutpie or by PyMC's own sampler."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bayesmlm import names
from bayesmlm.design import Design
from bayesmlm.engines.progress import Progress, chain_report
from bayesmlm.engines.quiet import quiet

if TYPE_CHECKING:
    import xarray as xr

STATISTICS = {
    "tree_depth": "depth",
    "reached_max_treedepth": "maxdepth_reached",
    "lp": "logp",
    "acceptance_rate": "mean_tree_accept",
}
"""PyMC's name of each sampler statistic, and nutpie's, which is used for both."""


def sample_by_nutpie(
    model: Any, kept: list[str], options: dict[str, Any], seed: int, progress: Progress
) -> xr.DataTree:
    """Compile the graph and sample it with nutpie.

    Parameters
    ----------
    model
        A `pymc.Model`.
    kept
        Names of the variables the posterior keeps.
    options
        Of `nutpie.sample`: draws, tune, chains, cores, target_accept, maxdepth.
    seed, progress
        As of `Engine.fit`.
    """
    with quiet():
        import nutpie
        import xarray as xr
        from threadpoolctl import threadpool_limits

        with progress.stage("compile", "the first time on a machine a minute and a half"):
            compiled = nutpie.compile_pymc_model(model, var_names=kept)
        update = progress.counter("sample")
        with progress.stage("sample", drawn=False), threadpool_limits(1, "blas"):
            tree = nutpie.sample(
                compiled,
                seed=seed,
                save_warmup=False,
                progress_bar=False,
                progress_callback=chain_report(update),
                **options,
            )
    complete(update, tree, options)
    groups = {name: tree[name].to_dataset() for name in ("posterior", "sample_stats")}
    groups["posterior"] = groups["posterior"][kept]
    return xr.DataTree.from_dict(groups | observations(model))


def complete(update: Any, tree: xr.DataTree, options: dict[str, Any]) -> None:
    """Draw a counted stage as complete.

    Raises
    ------
    KeyboardInterrupt
        If nutpie was interrupted: it returns the draws made so far, padded with NaN.
    """
    statistics = tree["sample_stats"]
    energy = statistics["energy"]
    if energy.sizes["draw"] < options["draws"] or bool(energy.isnull().any()):
        raise KeyboardInterrupt
    if update is not None:
        total = options["chains"] * (options["draws"] + options["tune"])
        update(total, total, f"{int(statistics['diverging'].sum())} divergences")


def sample_by_pymc(
    model: Any, kept: list[str], options: dict[str, Any], seed: int, progress: Progress
) -> xr.DataTree:
    """Sample the graph with PyMC's own sampler; see `sample_by_nutpie`."""
    with quiet():
        import pymc as pm
        import xarray as xr
        from threadpoolctl import threadpool_limits

        with progress.stage("sample", "compiling, then sampling"), threadpool_limits(1, "blas"):
            tree = pm.sample(
                draws=options["draws"],
                tune=options["tune"],
                chains=options["chains"],
                cores=options["cores"],
                random_seed=seed,
                nuts_sampler="pymc",
                nuts={
                    "target_accept": options["target_accept"],
                    "max_treedepth": options["maxdepth"],
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


def posterior_names(design: Design) -> list[str]:
    """Return the names of the variables the posterior keeps."""
    parts = [part.target for part in design.parts if part.coef]
    kept = [names.of_parameter(names.BETA, target) for target in parts]
    for block in design.blocks:
        kept.append(names.sd(block.name))
        if block.pairs:
            kept.append(names.corr(block.name))
        if block.distribution == "points":
            kept += [names.points(block.name), names.mass(block.name)]
            kept.append(names.membership(block.name))
            continue
        if block.distribution == "student":
            kept.append(names.nu(block.name))
        kept.append(names.effects(block.name))
    kept += [parameter.name for parameter in design.parameters]
    for mean in design.latent.means:
        kept += [*names.latent_parameters(mean.x), names.latent(mean.x)]
    return kept


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
