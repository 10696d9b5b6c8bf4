"""The posterior of a model whose effects are drawn after its hyperparameters.

The effects of the largest grouping are kept, or drawn again whenever they are asked
for; see `bayesmlm.effects`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.density import GaussianMarginal
from bayesmlm.density.noise import Noise
from bayesmlm.density.recovery import Recovery
from bayesmlm.engines.layout import by_chain, posterior_dataset
from bayesmlm.errors import EngineError, message

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

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


@dataclass(frozen=True)
class Drawn:
    """Draws of all effects but the largest grouping's.

    Parameters
    ----------
    marginal, noise
        The density, and where the noise comes from.
    psi
        Hyperparameters, chain after chain, shape (S, d).
    recovery
        The conditional distribution of the effects given psi.
    beta, effects
        As of `Recovery.outer`.
    """

    marginal: GaussianMarginal
    noise: Noise
    psi: Array
    recovery: Recovery
    beta: Array
    effects: dict[str, Array]

    @property
    def coefficients(self) -> Array:
        """Fixed effects in the user's coordinates, shape (S, p)."""
        return self.recovery.to_user(self.beta)

    def take(self, chosen: Integers) -> Drawn:
        """Return some of the draws."""
        psi = self.psi[chosen]
        recovery = self.marginal.recovery(psi, self.noise)
        effects = {group: own[chosen] for group, own in self.effects.items()}
        return Drawn(self.marginal, self.noise, psi, recovery, self.beta[chosen], effects)


def drawn_effects(marginal: GaussianMarginal, psi: Array, seed: int) -> Drawn:
    """Draw all effects but the largest grouping's.

    Parameters
    ----------
    marginal
        The density.
    psi
        Hyperparameters, chain after chain, shape (S, d).
    seed
        Of the effects.
    """
    noise = Noise(seed)
    recovery = marginal.recovery(psi, noise)
    return Drawn(marginal, noise, psi, recovery, *recovery.outer(marginal.prior.matrix))


def completed(
    drawn: Drawn, keep: Keep, chains: int = 1
) -> tuple[dict[str, xr.Dataset], tuple[str, ...]]:
    """Draw the largest grouping's effects, if they are kept.

    Parameters
    ----------
    drawn
        All other effects.
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

    marginal, psi, recovery, beta = drawn.marginal, drawn.psi, drawn.recovery, drawn.beta
    effects = dict(drawn.effects)
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
    posterior = posterior_dataset(marginal, psi, drawn.coefficients, effects, chains)
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
