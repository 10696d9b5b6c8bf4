"""Draws of hyperparameters, fixed and random effects in the posterior's layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.density import (
    ConditionalPosterior,
    GaussianMarginal,
    LatentMarginal,
    QuadratureMarginal,
)
from bayesmlm.density.hyperparameters import Hyperparameters
from bayesmlm.design import Design
from bayesmlm.graph.fixed import column_means

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Laid:
    """A design and the layout of its hyperparameters, without a density.

    Parameters
    ----------
    design, layout
        The two.
    """

    design: Design
    layout: Hyperparameters


Density = GaussianMarginal | ConditionalPosterior | QuadratureMarginal | LatentMarginal | Laid


def posterior_dataset(
    density: Density,
    psi: Array,
    beta: Array,
    effects: dict[str, Array],
    chains: int = 1,
    further: dict[str, Array] | None = None,
) -> xr.Dataset:
    """Return a posterior.

    Parameters
    ----------
    density
        Of the model.
    psi, beta, effects
        Hyperparameters of shape (S, d), fixed effects of shape (S, p), and by grouping the
        effects, shape (S, J, q), where they are kept; draws chain after chain.
    chains
        Number of chains.
    further
        Fixed effects of the formulas of further parameters, of shape (S, p) each.
    """
    import xarray as xr

    design, layout = density.design, density.layout
    variables: dict[str, tuple[tuple[str, ...], Array]] = {}
    coords: dict[str, list[Any]] = {}
    if design.coef:
        variables[names.BETA] = ((names.COEF,), beta)
        coords[names.COEF] = list(design.coef)
    for part in design.further:
        dim = names.of_parameter(names.COEF, part.target)
        if further is not None and part.coef:
            variables[names.of_parameter(names.BETA, part.target)] = ((dim,), further[part.target])
            coords[dim] = list(part.coef)
    for slots in layout.groups:
        block = slots.block
        group, effect = block.dim, names.effect_dim(block.name)
        coords[effect] = list(block.effects)
        variables[names.sd(block.name)] = ((effect,), np.exp(psi[:, slots.sds]))
        if block.pairs:
            pair = names.pair_dim(block.name)
            coords[pair] = list(block.pair_labels)
            variables[names.corr(block.name)] = ((pair,), slots.correlations(psi))
        if block.name in effects:
            coords[group] = list(block.grouping.labels)
            variables[names.effects(block.name)] = ((group, effect), effects[block.name])
    shift = np.zeros(len(psi))
    if design.family.ordered and not isinstance(density, Laid):
        shift = beta @ column_means(design, density.priors)
    for name, values in layout.others(psi, shift).items():
        variables[name] = ((names.THRESHOLD,) * (values.ndim - 1), values)
        if values.ndim > 1:
            coords[names.THRESHOLD] = list(design.outcome.threshold_labels)
    return xr.Dataset(
        {
            name: (("chain", "draw", *dims), by_chain(values, chains))
            for name, (dims, values) in variables.items()
        },
        coords=coords,
    )


def by_chain(values: Array, chains: int) -> Array:
    """Return draws of shape (S, …), chain after chain, in shape (chains, S / chains, …)."""
    return values.reshape(chains, -1, *values.shape[1:])


def data_groups(density: Density) -> dict[str, xr.Dataset]:
    """Return the observed and the constant data, named by row."""
    import xarray as xr

    design = density.design
    coords = {names.OBS: design.positions, names.COEF: list(design.coef)}
    response = names.safe(design.spec.response.column.strip("`"))
    constant: dict[str, tuple[tuple[str, ...], Array]] = {"X": ((names.OBS, names.COEF), design.X)}
    constant |= {name: ((names.OBS,), value) for name, value in design.outcome.rows.items()}
    return {
        "observed_data": xr.Dataset(
            {response: ((names.OBS,), design.y)}, {names.OBS: coords[names.OBS]}
        ),
        "constant_data": xr.Dataset(constant, coords),
    }
