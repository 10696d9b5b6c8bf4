"""The estimates of nonparametric maximum likelihood as a posterior of one draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.density.hyperparameters import hyperparameters
from bayesmlm.design import Design
from bayesmlm.engines.layout import Laid, data_groups, posterior_dataset
from bayesmlm.engines.mixed import MIXING
from bayesmlm.engines.mixture import Mixing, Mixture
from bayesmlm.engines.relative import partials

Array = NDArray[np.float64]

STEP = 1e-4
"""Of central differences of the gradient."""


@dataclass(frozen=True)
class Maximum:
    """The best parameters found.

    Parameters
    ----------
    at
        The parameters; points that coincide are one, those without mass are left out.
    log_likelihood, gradient, evaluations
        Value, largest derivative, and log likelihoods evaluated.
    gain
        Largest slope of the log likelihood towards a further point.
    """

    at: Mixing
    log_likelihood: float
    gradient: float
    evaluations: int
    gain: float


def beta_covariance(density: Mixture, at: Mixing) -> Array:
    """Return the covariance of the fixed effects by the observed information, shape (p, p).

    Not a number where the log likelihood is flat.
    """
    flat, K = at.flat(), len(at.points)
    moves = STEP * np.eye(len(flat))
    H = np.array(
        [
            density.with_gradient(flat + m, K)[1] - density.with_gradient(flat - m, K)[1]
            for m in moves
        ]
    )
    H = -(H + H.T) / (4 * STEP)
    J = np.array(
        [
            density.user(density.unflat(flat + m, K))[0]
            - density.user(density.unflat(flat - m, K))[0]
            for m in moves
        ]
    ) / (2 * STEP)
    curvature, axes = np.linalg.eigh(H)
    if not curvature.min(initial=np.inf) > 1e-8 * curvature.max(initial=0.0):
        return np.full((J.shape[1],) * 2, np.nan)
    root = (axes / np.sqrt(curvature)).T @ J
    return np.asarray(root.T @ root)


def point_tree(density: Mixture, best: Maximum, K: int) -> Any:
    """Return the estimates as a posterior of one draw, with the points, and their fit."""
    import xarray as xr

    design, at = density.design, best.at
    block = design.random[0]
    q = len(block.effects)
    beta, points = density.user(at)
    share = np.exp(density.log_groups(at)[1])
    n_parameters = density.X.shape[1] + K * q + K - 1 + len(at.log_sigma)
    deviance = -2 * best.log_likelihood
    statistics = {
        "log_likelihood": best.log_likelihood,
        "deviance": deviance,
        "aic": deviance + 2 * n_parameters,
        "bic": deviance + n_parameters * np.log(len(design.y)),
        "parameters": n_parameters,
        "gradient": best.gradient,
        "singular": len(points) < K,
        "ratio": 1.0,
        "evaluations": best.evaluations,
        "points": len(points),
        "further": best.gain,
    }
    other = f"{names.COEF}_other"
    errors = xr.Dataset(
        {"beta_covariance": ((names.COEF, other), beta_covariance(density, at))},
        coords={names.COEF: list(design.coef), other: list(design.coef)},
    )
    laid = Laid(design, hyperparameters(design))
    psi = mixing_hyperparameters(laid, at, points)
    posterior = posterior_dataset(laid, psi, beta[None], {block.name: (share @ points)[None]})
    groups = {
        "posterior": posterior.assign(mixing_variables(design, points, at.mass)),
        MIXING: membership(design, share),
        "sample_stats": xr.Dataset(statistics),
        "standard_errors": errors,
    }
    return xr.DataTree.from_dict(groups | data_groups(laid))


def membership(design: Design, share: Array) -> Any:
    """Return the groups' probabilities of the points."""
    import xarray as xr

    block = design.random[0]
    dims = names.safe(block.name), names.point_dim(block.name)
    coords = {dims[0]: list(block.grouping.labels), dims[1]: np.arange(1, share.shape[1] + 1)}
    return xr.Dataset({names.membership(block.name): (dims, share)}, coords)


def mixing_variables(design: Design, points: Array, mass: Array) -> dict[str, Any]:
    """Return points and masses as arrays of one draw."""
    import xarray as xr

    block = design.random[0]
    effect, dim = names.effect_dim(block.name), names.point_dim(block.name)
    coords = {dim: np.arange(1, len(points) + 1), effect: list(block.effects)}
    found = {
        names.points(block.name): ((dim, effect), points),
        names.mass(block.name): ((dim,), mass),
    }
    return {
        name: xr.DataArray(
            values[None, None],
            dims=("chain", "draw", *dims),
            coords={each: coords[each] for each in dims},
        )
        for name, (dims, values) in found.items()
    }


def mixing_hyperparameters(laid: Laid, at: Mixing, points: Array) -> Array:
    """Return psi of the points' SDs and correlations, shape (1, d)."""
    slots = laid.layout.groups[0]
    psi = np.zeros((1, laid.layout.size))
    covariance = (points * at.mass[:, None]).T @ points
    psi[0, slots.sds] = np.log(np.maximum(np.sqrt(np.diag(covariance)), 1e-150))
    values, axes = np.linalg.eigh(covariance)
    psi[0, slots.partials[0]] = partials(axes * np.sqrt(np.maximum(values, 0.0)))
    if laid.layout.sigma is not None:
        psi[0, laid.layout.sigma] = at.log_sigma[0]
    return psi
