"""Draws of everything a response depends on but the random effects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import ParameterDesign, RandomBlock
from bayesmlm.families.parameter import REAL, UNIT
from bayesmlm.result import FitResult

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Parameters:
    """S draws of everything that all rows share.

    Parameters
    ----------
    betas
        Fixed coefficients as displayed, shape (S, p), by the parameter whose linear predictor
        they belong to: ``"mu"`` the location, and those with a formula.
    sds, correlations
        By grouping, shapes (S, q) and (S, pairs).
    others
        The further parameters without a formula, shape (S,); thresholds, as displayed, (S, K).
    freedom
        Degrees of freedom of Student-t effects by grouping, shape (S,).
    points, masses
        Of effects that take one of K values, by grouping, shapes (S, K, q) and (S, K).
    """

    betas: Mapping[str, Array]
    sds: Mapping[str, Array]
    correlations: Mapping[str, Array]
    others: Mapping[str, Array]
    freedom: Mapping[str, Array]
    points: Mapping[str, Array] = field(default_factory=dict)
    masses: Mapping[str, Array] = field(default_factory=dict)

    @property
    def beta(self) -> Array:
        """The coefficients of the location, shape (S, p)."""
        return self.betas[names.MU]

    @property
    def size(self) -> int:
        """Number of draws, S."""
        return len(self.beta)

    def take(self, at: Any) -> Parameters:
        """Return some of the draws, some maybe several times."""
        parts = (self.betas, self.sds, self.correlations, self.others, self.freedom)
        every = (*parts, self.points, self.masses)
        return Parameters(*({name: own[at] for name, own in part.items()} for part in every))

    def covariance(self, block: RandomBlock) -> Array:
        """Return the covariance matrices of a grouping's effects, shape (S, q, q)."""
        return covariances(block, self.sds[block.name], self.correlations[block.name])

    def broadcast(self) -> dict[str, Array]:
        """Return `others` as families take them for S rows of draws."""
        return {
            name: values[:, None] if values.ndim == 1 else values[:, None, :]
            for name, values in self.others.items()
        }


def covariances(block: RandomBlock, sds: Array, correlations: Array) -> Array:
    """Return covariance matrices, (S, q, q), of SDs (S, q) and correlations (S, pairs)."""
    q = sds.shape[1]
    T = np.zeros((len(sds), q, q))
    T[:, np.arange(q), np.arange(q)] = sds**2
    for k, (i, j) in enumerate(block.pairs):
        T[:, i, j] = T[:, j, i] = correlations[:, k] * sds[:, i] * sds[:, j]
    return T


def by_row(
    further: tuple[ParameterDesign, ...], predictors: Mapping[str, Array]
) -> dict[str, Array]:
    """Return parameters with a formula from their linear predictors, where they are possible.

    Parameters
    ----------
    further
        The parameters.
    predictors
        By parameter, of any shape; parameters without one are left out.

    Returns
    -------
    dict
        Values of the same shapes; NaN where the link gives no possible one.
    """
    found = {}
    for part in further:
        if part.target in predictors:
            with np.errstate(over="ignore"):
                values = part.link.inverse(predictors[part.target])
            found[part.target] = np.where(possible(part, values), values, np.nan)
    return found


def possible(part: ParameterDesign, values: Array) -> NDArray[np.bool_]:
    """Return where values are inside the support of a parameter, limits of its link included."""
    support = part.parameter.support
    if support == REAL:
        return np.isfinite(values)
    above = values > 0 if part.link.name == "identity" else values >= 0
    return np.asarray(above & (values <= 1) if support == UNIT else above)


def flat(array: xr.DataArray) -> Array:
    """Return draws chain after chain, shape (S, …)."""
    values = array.transpose("chain", "draw", ...).to_numpy()
    return np.asarray(values.reshape(-1, *values.shape[2:]), dtype=float)


def fitted_parameters(result: FitResult) -> Parameters:
    """Return the posterior draws of a fit, chain after chain; of a maximum one draw."""
    design, posterior = result.design, result.posterior
    nothing = np.empty((posterior.sizes["chain"] * posterior.sizes["draw"], 0))

    def by_group(coin: Any, blocks: Iterable[RandomBlock] = design.blocks) -> dict[str, Array]:
        found = {block.name: coin(block.name) for block in blocks}
        return {group: flat(posterior[n]) for group, n in found.items() if n in posterior}

    betas = {part.target: names.of_parameter(names.BETA, part.target) for part in design.parts}
    return Parameters(
        betas={p: flat(posterior[n]) if n in posterior else nothing for p, n in betas.items()},
        sds=by_group(names.sd),
        correlations=dict.fromkeys((block.name for block in design.blocks), nothing)
        | by_group(names.corr, [block for block in design.blocks if block.pairs]),
        others={p.name: flat(posterior[p.name]) for p in design.parameters},
        freedom=by_group(names.nu, [b for b in design.blocks if b.distribution == "student"]),
        points=by_group(names.points),
        masses=by_group(names.mass),
    )
