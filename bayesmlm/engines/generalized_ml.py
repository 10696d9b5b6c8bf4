"""Maximum likelihood of generalized multilevel models, the effects integrated numerically.

The likelihood is maximised over the fixed effects and the Cholesky factors of the effects'
covariances, whose diagonals may have any sign, so a variance of zero is inside.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.density.latent import LatentMarginal
from bayesmlm.density.node_choice import choose_nodes
from bayesmlm.density.quadrature import QuadratureMarginal
from bayesmlm.density.shift import many_nodes
from bayesmlm.engines.layout import data_groups, posterior_dataset
from bayesmlm.engines.mode import Mode, find_mode_by_gradient
from bayesmlm.engines.relative import (
    Block,
    find_blocks,
    identity,
    is_singular,
    kernel_factors,
    set_hyperparameters,
    theta_slopes,
    user_factors,
)
from bayesmlm.engines.start import hyperparameter_start
from bayesmlm.families.parameter import ORDERED
from bayesmlm.graph.parametrisation import weighted_least_squares, working_response
from bayesmlm.priors import outcome_scale

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]

STARTS = (0.7, 0.1)
"""SDs on the scale of the linear predictor from which the optimiser starts."""

STEP = 1e-4
"""Of the central differences that make a gradient."""

FLAT = 0.01
"""Curvature in a further parameter, on the whole line, of an SD of 10: with less, no maximum."""

SPREAD = 2.0
"""SDs beyond the maximum at which the log likelihood, too, must not depend on the nodes."""


@dataclass(frozen=True)
class Surface:
    """The log likelihood as a function of x: p coordinates, Theta's entries, others.

    Parameters
    ----------
    marginal
        The density; its priors are not used.
    """

    marginal: QuadratureMarginal | LatentMarginal

    @cached_property
    def to_Z(self) -> tuple[Array, ...]:
        """Coordinates of the groupings' columns, in the order of the design."""
        data = self.marginal.data
        return tuple(data.to_Z[data.order.index(k)] for k in range(len(data.order)))

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks of correlated effects."""
        return find_blocks(self.marginal.layout, self.to_Z)

    @cached_property
    def places(self) -> tuple[int, int]:
        """Where Theta's entries begin in x, and where they end."""
        p = self.marginal.data.X.shape[1]
        return p, p + len(identity(self.blocks))

    @cached_property
    def units(self) -> Array:
        """Units of x in which the optimiser works, shape (d,): the response's, where it has one."""
        design = self.marginal.design
        units = np.ones(self.places[1] + self.marginal.layout.further_positions.size)
        if design.family.has_scale:
            units[: self.places[1]] = outcome_scale(design)
        return units

    def find(self, start: Array) -> Mode:
        """Return the maximum found from one start."""

        def gradient(z: Array) -> tuple[Array, Array]:
            values, slopes = self.gradient(z * self.units)
            return values, slopes * self.units

        found = find_mode_by_gradient(gradient, start / self.units)
        hessian = found.hessian / np.outer(self.units, self.units)
        return replace(found, point=found.point * self.units, hessian=hessian)

    def arguments(self, x: Array) -> tuple[Array, list[Array], Array]:
        """Return coordinates (S, p), scales in the order of the design, others (S, K)."""
        first, last = self.places
        scales = kernel_factors(self.blocks, self.to_Z, x[:, first:last])
        coordinates, others = x[:, :first], x[:, last:]
        return np.ascontiguousarray(coordinates), scales, np.ascontiguousarray(others)

    def flat(self, scales: list[Array]) -> Array:
        """Return scales as `LatentMarginal` takes them, shape (S, …)."""
        S, order = len(scales[0]), self.marginal.data.order
        return np.concatenate([scales[k].reshape(S, -1) for k in order], axis=1)

    def gradient(self, x: Array) -> tuple[Array, Array]:
        """Return log likelihoods (S,) and gradients of shape (S, d).

        Exact with one grouping, by central differences with several.
        """
        if isinstance(self.marginal, LatentMarginal):
            S, d = x.shape
            moves = np.concatenate([np.zeros((1, d)), STEP * np.eye(d), -STEP * np.eye(d)])
            values = self.log_likelihood((x[:, None] + moves).reshape(-1, d)).reshape(S, -1)
            return values[:, 0], (values[:, 1 : d + 1] - values[:, d + 1 :]) / (2 * STEP)
        first, last = self.places
        coordinates, scales, others = self.arguments(x)
        values, slopes, G_slopes, other_slopes, _ = self.marginal.likelihood_slopes(
            coordinates, np.ascontiguousarray(scales[0]), others
        )
        found = np.zeros_like(x)
        found[:, :first], found[:, last:] = slopes, other_slopes
        for s in range(len(x)):
            found[s, first:last] = theta_slopes(self.blocks, [G_slopes[s]], last - first)
        return values, found

    def log_likelihood(self, x: Array) -> Array:
        """Return log likelihoods, shape (S,)."""
        coordinates, scales, others = self.arguments(x)
        if isinstance(self.marginal, LatentMarginal):
            return self.marginal.solve_given(coordinates, self.flat(scales), others)[0]
        return self.marginal.likelihood(coordinates, np.ascontiguousarray(scales[0]), others)

    def sds(self, theta: Array) -> list[Array]:
        """Return the SDs of each grouping's effects, in the design's order, shape (S, q)."""
        factors = user_factors(self.blocks, self.to_Z, theta)
        return [np.sqrt((T**2).sum(axis=2)) for T in factors]

    def start(self, share: float) -> Array:
        """Return x of a regression without effects and SDs of a share."""
        design, layout = self.marginal.design, self.marginal.layout
        beta = weighted_least_squares(design.X, *working_response(design))
        first, last = self.places
        theta = share * identity(self.blocks) * self.units[first:last]
        others = hyperparameter_start(self.marginal, outcome_scale(design))
        others = others[layout.further_positions]
        return np.concatenate([self.marginal.data.to_X @ beta, theta, others])

    def with_nodes(self, nodes: int) -> Surface:
        """Return the same surface by another number of nodes."""
        return replace(self, marginal=self.marginal.with_nodes(nodes))

    def started(self, x: Array) -> Surface:
        """Return the same surface, its inner searches begun at what is found at x."""
        if not isinstance(self.marginal, LatentMarginal):
            return self
        coordinates, scales, others = self.arguments(x[None])
        values, fields, modes = self.marginal.solve_given(coordinates, self.flat(scales), others)
        if not np.isfinite(values[0]):
            return self
        field = np.concatenate([coordinates[0], fields[0]])
        return replace(self, marginal=replace(self.marginal, field=field, modes=modes[0]))

    def effects(self, x: Array) -> dict[str, Array]:
        """Return the conditional modes of the effects by grouping, shape (1, J, q)."""
        first, last = self.places
        marginal = self.marginal
        coordinates, scales, others = self.arguments(x[None])
        if isinstance(marginal, LatentMarginal):
            _, fields, modes = marginal.solve_given(coordinates, self.flat(scales), others)
            _, standard = marginal.split(np.hstack([coordinates, fields]))
        else:
            *_, modes = marginal.likelihood_slopes(
                coordinates, np.ascontiguousarray(scales[0]), others
            )
            standard = {}
        blocks = marginal.design.random
        standard[blocks[marginal.data.order[0]].name] = modes
        factors = user_factors(self.blocks, self.to_Z, x[None, first:last])
        return {
            block.name: standard[block.name] @ T.transpose(0, 2, 1)
            for block, T in zip(blocks, factors, strict=True)
        }


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
