"""The log likelihood of a generalized multilevel model as a function of free numbers.

These are p coordinates of the fixed effects, the entries of the effects' Cholesky factors, whose
diagonals may have any sign, so that a variance of zero is inside, and the family's further
parameters on the whole line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.latent import LatentMarginal
from bayesmlm.density.quadrature import QuadratureMarginal
from bayesmlm.engines.mode import Mode, find_mode_by_gradient
from bayesmlm.engines.relative import (
    Block,
    find_blocks,
    identity,
    kernel_factors,
    theta_slopes,
    user_factors,
)
from bayesmlm.engines.start import hyperparameter_start
from bayesmlm.graph.parametrisation import weighted_least_squares, working_response
from bayesmlm.priors import outcome_scale

Array = NDArray[np.float64]

STEP = 1e-4
"""Of the central differences that make a gradient."""


@dataclass(frozen=True)
class Surface:
    """The log likelihood as a function of x: p coordinates, Theta's entries, further parameters.

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
