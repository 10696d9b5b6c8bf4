"""The posterior of a model whose effects are drawn after its hyperparameters.

The effects of the largest grouping are kept, or drawn again whenever they are asked
for; see `bayesmlm.effects`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.density import GaussianMarginal
from bayesmlm.density.noise import Noise
from bayesmlm.engines.layout import by_chain, posterior_dataset
from bayesmlm.errors import EngineError, message

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]

Keep = bool | str
"""Of the option ``keep_random_effects``."""

AUTO = "auto"

LARGEST = 500e6
"""Bytes of all random effects up to which "auto" keeps them."""


def check_keep(engine: str, value: Any) -> None:
    """Refuse anything but True, False and "auto".

    Raises
    ------
    EngineError
    """
    if not isinstance(value, bool) and not (isinstance(value, str) and value == AUTO):
        raise EngineError(
            message(
                f"{engine}(keep_random_effects={value!r})",
                f"True, False, or 'auto', which keeps up to {LARGEST / 1e6:.0f} MB of them",
                "leave it out for the automatic choice",
            )
        )


def is_kept(keep: Keep, n_effects: int, draws: int) -> bool:
    """Return whether the effects are kept."""
    if isinstance(keep, bool):
        return keep
    return n_effects * draws * np.dtype(float).itemsize <= LARGEST


def recovered(
    marginal: GaussianMarginal, psi: Array, seed: int, keep: Keep, chains: int = 1
) -> tuple[dict[str, xr.Dataset], tuple[str, ...]]:
    """Draw the effects given the hyperparameters.

    Parameters
    ----------
    marginal
        The density.
    psi
        Hyperparameters, chain after chain, shape (S, d).
    seed
        Of the effects.
    keep
        The option ``keep_random_effects``.
    chains
        Number of chains.

    Returns
    -------
    groups, notes
        Of the tree, the posterior among them, and what the user is told.
    """
    import xarray as xr

    recovery = marginal.recovery(psi, Noise(seed))
    beta, effects = recovery.outer(marginal.prior.matrix)
    group = recovery.leading_group
    groups, notes = {}, []
    if group is not None and is_kept(keep, marginal.structure.n_effects, len(psi)):
        effects[group] = recovery.leading(beta, effects).everything()
    elif group is not None:
        groups[names.UNCONSTRAINED] = xr.Dataset(
            {
                names.PSI: (("chain", "draw", "hyperparameter"), by_chain(psi, chains)),
                names.BETA: (("chain", "draw", "column"), by_chain(beta, chains)),
            },
            coords={"hyperparameter": list(marginal.layout.labels)},
        )
        notes.append(not_kept(marginal, group, len(psi)))
    posterior = posterior_dataset(marginal, psi, recovery.to_user(beta), effects, chains)
    return {"posterior": posterior, **groups}, tuple(notes)


def not_kept(marginal: GaussianMarginal, group: str, draws: int) -> str:
    """Return the note on effects that are not kept."""
    structure = marginal.structure
    number = structure.sizes[0] * structure.widths[0]
    size = number * draws * np.dtype(float).itemsize / 1e6
    return (
        f"Random effects of {group} ({number:,} effects × {draws:,} draws, {size:,.0f} MB) are not "
        "kept: ranef(), coef(), plots and random_effects() draw them again, the same each time "
        "(keep_random_effects=True keeps them)."
    )
