"""Fixed and random effects for draws of the hyperparameters that a user's sampler made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.density.gaussian import GaussianMarginal
from bayesmlm.density.noise import Noise
from bayesmlm.design import RandomBlock
from bayesmlm.errors import EngineError, message

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]

TOLERANCE = 1e-8
"""How far below zero rounding may take an eigenvalue of a correlation matrix."""


def recover(marginal: GaussianMarginal, tree: xr.DataTree, noise: Noise) -> xr.DataTree:
    """Return a tree with draws of the effects added to its posterior.

    Parameters
    ----------
    marginal
        The density that the hyperparameters are of.
    tree
        With a group ``posterior``.
    noise
        Behind the draws.

    Raises
    ------
    EngineError
        If the posterior does not hold the hyperparameters, or holds effects already.
    """
    import xarray as xr

    posterior = read_posterior(tree)
    refuse_effects(marginal, posterior)
    factors = [covariance_factor(slots.block, posterior) for slots in marginal.layout.groups]
    sigma = np.ones(posterior.sizes["chain"] * posterior.sizes["draw"])
    if marginal.layout.sigma is not None:
        sigma = positive(names.SIGMA, values(posterior, names.SIGMA))
    scales = marginal.flat_scales(factors, len(sigma))
    drawn = marginal.recovery_at(scales, sigma, tuple(factors), noise)
    beta, effects = drawn.everything(marginal.prior.matrix)
    out = tree.copy()
    added = effects_dataset(marginal, posterior, beta, effects)
    out["posterior"] = xr.DataTree(posterior.merge(added, join="exact", combine_attrs="override"))
    return out


def effects_dataset(
    marginal: GaussianMarginal, posterior: xr.Dataset, beta: Array, effects: dict[str, Array]
) -> xr.Dataset:
    """Return effects in the layout of a posterior, shape (S, …) each, by its chains and draws."""
    import xarray as xr

    shape = (posterior.sizes["chain"], posterior.sizes["draw"])
    coords = dimensions(marginal)
    coords |= {dim: posterior[dim] for dim in (*coords, "chain", "draw") if dim in posterior.coords}
    found: dict[str, tuple[tuple[str, ...], Array]] = {}
    if marginal.design.coef:
        found[names.BETA] = ((names.COEF,), beta)
    for slots in marginal.layout.groups:
        name = slots.block.name
        dims = (names.safe(name), names.effect_dim(name))
        found[names.effects(name)] = (dims, effects[name])
    arrays = {
        name: (("chain", "draw", *dims), value.reshape(*shape, *value.shape[1:]))
        for name, (dims, value) in found.items()
    }
    return xr.Dataset(arrays, coords)


def dimensions(marginal: GaussianMarginal) -> dict[str, Any]:
    """Return the coordinates of the effects by dimension."""
    coef = list(marginal.design.coef)
    found: dict[str, Any] = {names.COEF: coef} if coef else {}
    for slots in marginal.layout.groups:
        block = slots.block
        found[names.safe(block.name)] = list(block.grouping.labels)
        found[names.effect_dim(block.name)] = list(block.effects)
    return found


def read_posterior(tree: Any) -> xr.Dataset:
    """Return the posterior of a tree, by chain and draw."""
    import xarray as xr

    if not isinstance(tree, xr.DataTree) or "posterior" not in tree.children:
        got = f"draws of type {type(tree).__name__}"
        if isinstance(tree, xr.DataTree):
            got = f"a tree of the groups {', '.join(tree.children) or 'none'}"
        raise refused(got, "a DataTree with the group posterior")
    posterior = tree["posterior"].to_dataset()
    if not {"chain", "draw"} <= set(posterior.dims):
        dims = ", ".join(map(str, posterior.dims)) or "none"
        raise refused(f"a posterior of the dimensions {dims}", "chain and draw")
    return posterior


def refuse_effects(marginal: GaussianMarginal, posterior: xr.Dataset) -> None:
    """Refuse a posterior in which a name or a dimension of the effects is taken."""
    wanted = [names.BETA, *(names.effects(slots.block.name) for slots in marginal.layout.groups)]
    taken = [name for name in wanted if name in posterior]
    if taken:
        raise EngineError(
            message(
                f"a posterior that has {', '.join(taken)} already",
                "the hyperparameters, and variables of other names",
                "drop or rename these variables first",
            )
        )
    for dim, expected in dimensions(marginal).items():
        if dim in posterior.dims:
            check_labels(dim, posterior[dim], expected)


def covariance_factor(block: RandomBlock, posterior: xr.Dataset) -> Array:
    """Return Cholesky factors of the effects' covariance matrices, shape (S, q, q)."""
    name, dim = names.sd(block.name), names.effect_dim(block.name)
    sds = positive(name, values(posterior, name, dim, block.effects))
    R = np.tile(np.eye(len(block.effects)), (len(sds), 1, 1))
    if block.pairs:
        name, dim = names.corr(block.name), names.pair_dim(block.name)
        found = values(posterior, name, dim, block.pair_labels)
        for k, (i, j) in enumerate(block.pairs):
            R[:, i, j] = R[:, j, i] = found[:, k]
        if not (np.linalg.eigvalsh(R)[:, 0] > -TOLERANCE).all():
            raise refused(f"draws of {name} that are no correlations", "correlation matrices")
    return sds[:, :, None] * cholesky(R)


def cholesky(R: Array) -> Array:
    """Return the lower factors of correlation matrices, which may be singular; shape (S, q, q)."""
    L = np.zeros_like(R)
    for j in range(R.shape[1]):
        for i in range(j):
            rest = R[:, j, i] - (L[:, j, :i] * L[:, i, :i]).sum(axis=1)
            pivot = L[:, i, i]
            L[:, j, i] = np.divide(rest, pivot, out=np.zeros_like(rest), where=pivot > 0)
        L[:, j, j] = np.sqrt(np.maximum(1 - (L[:, j, :j] ** 2).sum(axis=1), 0))
    return L


def values(
    posterior: xr.Dataset, name: str, dim: str | None = None, expected: Sequence[str] = ()
) -> Array:
    """Return the draws of a variable, shape (S,) or (S, length of its dimension)."""
    if name not in posterior:
        raise refused(f"a posterior without {name}", f"draws of {name}")
    array = posterior[name]
    dims = ("chain", "draw") if dim is None else ("chain", "draw", dim)
    if set(array.dims) != set(dims):
        got = ", ".join(map(str, array.dims))
        raise refused(f"{name} of the dimensions {got}", ", ".join(dims))
    if dim is not None:
        check_labels(name, array[dim], expected)
    found = array.transpose(*dims).to_numpy().astype(float)
    if not np.isfinite(found).all():
        raise refused(f"draws of {name} that are not finite", "finite numbers")
    return np.ascontiguousarray(found.reshape(-1, *found.shape[2:]))


def positive(name: str, found: Array) -> Array:
    """Return draws, all of which are positive."""
    if not (found > 0).all():
        raise refused(f"draws of {name} that are not positive", "positive numbers")
    return found


def check_labels(name: str, along: xr.DataArray, expected: Sequence[Any]) -> None:
    """Refuse a dimension whose labels are not the model's, in its order."""
    have = [str(label) for label in along.to_numpy()]
    if have != [str(label) for label in expected]:
        raise refused(f"{name} of {shortened(have)}", shortened(list(expected)))


def shortened(labels: list[Any]) -> str:
    """Return at most ten labels as text."""
    rest = [f"… ({len(labels)} in all)"] if len(labels) > 10 else []
    return ", ".join([*map(str, labels[:10]), *rest])


def refused(got: str, allowed: str) -> EngineError:
    """Return the error of draws that are not of the model."""
    step = 'pass what a sampler returns for model.to_pymc(random_effects="integrate")'
    return EngineError(message(got, allowed, step))
