"""Maximum likelihood of generalized multilevel models, the effects integrated numerically.

The likelihood is maximised over the fixed effects, the Cholesky factors of the effects'
covariances and the family's further parameters; see `surface`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.density.latent import LatentMarginal
from bayesmlm.density.node_choice import choose_nodes
from bayesmlm.density.shift import many_nodes
from bayesmlm.engines.layout import data_groups, posterior_dataset
from bayesmlm.engines.mode import Mode
from bayesmlm.engines.relative import is_singular, set_hyperparameters, user_factors
from bayesmlm.engines.surface import Surface
from bayesmlm.families.parameter import ORDERED

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]

STARTS = (0.7, 0.1)
"""SDs on the scale of the linear predictor from which the optimiser starts."""

STEP = 1e-4
"""Of the central differences that make the slopes of SDs."""

FLAT = 0.01
"""Curvature in a further parameter, on the whole line, of an SD of 10: with less, no maximum."""

SPREAD = 2.0
"""SDs beyond the maximum at which the log likelihood, too, must not depend on the nodes."""


def maximise(surface: Surface) -> Mode:
    """Return the best maximum from several starts."""
    found = []
    for share in STARTS[:1] if isinstance(surface.marginal, LatentMarginal) else STARTS:
        start = surface.start(share)
        found.append(surface.started(start).find(start))
    return max(found, key=lambda mode: mode.value)


def maximise_with_nodes(surface: Surface, nodes: int | str) -> tuple[Surface, Mode, float]:
    """Return the surface by the number of nodes asked for, its maximum, and what still moves."""
    if nodes != "auto":
        chosen = surface.with_nodes(int(nodes))
        return chosen, maximise(chosen), 0.0
    best = maximise(surface.with_nodes(7))
    first, last = surface.places
    sds = np.sqrt(np.diag(covariance(surface, best, 0.05)))
    wider = best.point.copy()
    wider[first:last] += SPREAD * np.sign(wider[first:last]) * sds[first:last]
    count, move = choose_nodes(
        lambda k, x: surface.with_nodes(k).log_likelihood(x), np.stack([best.point, wider])
    )
    chosen = surface.with_nodes(count)
    if count != 7:
        best = chosen.find(best.point)
    return chosen, best, move


def endless(surface: Surface, best: Mode) -> NDArray[np.bool_]:
    """Return which entries of x are of further parameters that have no maximum, shape (d,)."""
    found = np.zeros(len(best.point), dtype=bool)
    at = surface.places[1]
    for own in surface.marginal.layout.further:
        last = at + own.parameter.size
        if own.parameter.support != ORDERED:
            found[at:last] = -np.diag(best.hessian)[at:last] < FLAT
        at = last
    return found


def endless_note(surface: Surface, best: Mode) -> tuple[str, ...]:
    """Return a note on the further parameters that have no maximum, if there are any."""
    layout, last = surface.marginal.layout, surface.places[1]
    at = layout.further_positions[endless(surface, best)[last:]]
    if not len(at):
        return ()
    labels = " and ".join(layout.labels[k] for k in at)
    return (f"The likelihood has no maximum in {labels}: the estimate is where the search ended.",)


def covariance(surface: Surface, best: Mode, smallest: float = 1e-8) -> Array:
    """Return the covariance of x, given the further parameters that have no maximum."""
    free = np.flatnonzero(~endless(surface, best))
    squares = np.outer(surface.units[free], surface.units[free])
    found, own = np.zeros_like(best.hessian), best.hessian[np.ix_(free, free)] * squares
    found[np.ix_(free, free)] = replace(best, hessian=own).covariance(smallest) * squares
    return found


def shifts(surface: Surface, best: Mode) -> dict[str, xr.DataArray]:
    """Return how far one node puts the maximum off: one Newton step to many, in standard errors.

    Of the effects' SDs (0 where a SD is zero, which has no standard error) and of coefficients.
    """
    import xarray as xr

    marginal, (first, last), x = surface.marginal, surface.places, best.point
    many = surface.started(x).with_nodes(many_nodes(marginal))
    V = covariance(surface, best)
    move = V @ (many.gradient(x[None])[1][0] - surface.started(x).gradient(x[None])[1][0])
    back = np.linalg.inv(marginal.data.to_X)
    theta, d = x[first:last], last - first
    around = theta + STEP * np.concatenate([np.eye(d), -np.eye(d)])
    sds = np.concatenate(surface.sds(around), axis=1)
    slopes = ((sds[:d] - sds[d:]) / (2 * STEP)).T
    labels = [
        f"{names.sd(block.name)}[{effect}]"
        for block in marginal.design.random
        for effect in block.effects
    ]
    coef = list(marginal.design.coef)
    beta = in_errors(back, move[:first], V[:first, :first])
    found = in_errors(slopes, move[first:last], V[first:last, first:last])
    return {
        "shift": xr.DataArray(found, {"hyperparameter": labels}, ("hyperparameter",)),
        "beta_shift": xr.DataArray(beta, {names.COEF: coef}, (names.COEF,)),
    }


def in_errors(rows: Array, move: Array, covariance: Array) -> Array:
    """Return the moves of linear forms, shape (K, d), in their standard errors."""
    errors = np.sqrt(np.einsum("ka,ab,kb->k", rows, covariance, rows))
    return np.where(errors > 0, rows @ move / np.where(errors > 0, errors, 1.0), 0.0)


def point_tree(surface: Surface, best: Mode, nodes: int) -> Any:
    """Return the estimates as a posterior of one draw, with their covariance and fit."""
    import xarray as xr

    marginal = surface.marginal
    design, layout = marginal.design, marginal.layout
    first, last = surface.places
    theta = best.point[first:last]
    psi = np.zeros((1, layout.size))
    set_hyperparameters(
        layout, [T[0] for T in user_factors(surface.blocks, surface.to_Z, theta[None])], psi[0]
    )
    psi[0, layout.further_positions] = best.point[last:]
    beta = marginal.to_user(best.point[None, :first])
    back = np.linalg.inv(marginal.data.to_X)
    errors = covariance(surface, best)[:first, :first]
    deviance, n_parameters = -2 * best.value, len(best.point)
    statistics = {
        "log_likelihood": best.value,
        "deviance": deviance,
        "aic": deviance + 2 * n_parameters,
        "bic": deviance + n_parameters * np.log(len(design.y)),
        "parameters": n_parameters,
        "gradient": best.gradient,
        "singular": is_singular(surface.blocks, theta),
        "ratio": 0.0,
        "evaluations": best.evaluations,
        "nodes": nodes,
    }
    other = f"{names.COEF}_other"
    own = xr.Dataset(
        {"beta_covariance": ((names.COEF, other), back @ errors @ back.T)},
        coords={names.COEF: list(design.coef), other: list(design.coef)},
    )
    groups = {
        "posterior": posterior_dataset(marginal, psi, beta, surface.effects(best.point)),
        "sample_stats": xr.Dataset(statistics).assign(shifts(surface, best) if nodes == 1 else {}),
        "standard_errors": own,
    }
    return xr.DataTree.from_dict(groups | data_groups(marginal))
