"""The likelihood of a generalized model with one grouping, its effects integrated out.

theta holds p coordinates of the fixed effects and the d hyperparameters psi; the effects are
integrated out by adaptive Gauss-Hermite quadrature, which with one node is Laplace's
approximation. The likelihood and its gradient are one compiled call for a batch of theta.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density import effect_draws, higher_order, quadrature_gradient, quadrature_kernel
from bayesmlm.density.conditional_effects import factor_gradient, scaled_factor
from bayesmlm.density.gauss_hermite import gauss_hermite
from bayesmlm.density.grouped_rows import GroupedRows, grouped_rows
from bayesmlm.density.hyperparameters import Hyperparameters, hyperparameters
from bayesmlm.density.integrable import refusal
from bayesmlm.density.streams import streams
from bayesmlm.density.theta_prior import ThetaPrior, theta_prior
from bayesmlm.density.threads import spread
from bayesmlm.design import Design
from bayesmlm.priors import Priors

Array = NDArray[np.float64]

WIDEST = 3
"""Effects of a group up to which a product rule is used."""

ROW = 20.0
"""Multiplications that a row costs at a node."""

STEP = 1e-4
"""Of the central differences by which approximations of a higher order are differentiated."""


@dataclass(frozen=True)
class QuadratureMarginal:
    """The density of fixed effects and hyperparameters of a model with one grouping.

    Parameters
    ----------
    design, priors
        The model.
    data, layout, prior
        Its rows, hyperparameters, and prior of theta.
    nodes
        Nodes in each dimension.
    rule
        Points and log weights of the nodes.
    modes
        Standard effects from which the search for the modes begins, shape (J, q).
    order
        With one node, of Laplace's approximation; see `higher_order`.
    """

    design: Design
    priors: Priors
    data: GroupedRows
    layout: Hyperparameters
    prior: ThetaPrior
    nodes: int
    rule: tuple[Array, Array]
    modes: Array
    order: int = higher_order.PLAIN

    @property
    def size(self) -> int:
        """Length of theta."""
        return self.data.X.shape[1] + self.layout.size

    def with_nodes(self, nodes: int) -> QuadratureMarginal:
        """Return the same density by another number of nodes."""
        return replace(self, nodes=nodes, rule=gauss_hermite(nodes, self.modes.shape[1]))

    def split(self, theta: Array) -> tuple[Array, Array]:
        """Return coordinates (S, p) and hyperparameters (S, d)."""
        p = self.data.X.shape[1]
        return np.ascontiguousarray(theta[:, :p]), theta[:, p:]

    def to_user(self, coordinates: Array) -> Array:
        """Return fixed effects in the user's coordinates, shape (S, p)."""
        return np.asarray(np.linalg.solve(self.data.to_X, coordinates.T).T)

    def scales(self, psi: Array) -> tuple[Array, Array]:
        """Return the kernel's G = C L, (S, q, q), and further parameters on the line, (S, K)."""
        G = self.data.to_Z[0] @ self.layout.groups[0].factor(psi)
        return np.ascontiguousarray(G), self.layout.line(psi)

    def work(self, S: int) -> float:
        """Rough number of multiplications of a batch."""
        return ROW * S * len(self.data.offset) * (len(self.rule[1]) + 4)

    def likelihood(self, coordinates: Array, G: Array, others: Array) -> Array:
        """Return the log likelihood by the kernel's parameters, shape (S,)."""
        values = np.empty(len(coordinates))
        spread(
            quadrature_kernel.evaluate, len(values), self.work(len(values)), coordinates, G,
            others, *self.arrays, self.rule, self.modes, values,
        )  # fmt: skip
        if self.order != higher_order.PLAIN:
            rule = higher_order.moments_rule(self.modes.shape[1])
            spread(
                higher_order.add_corrections, len(values), 4 * self.work(len(values)),
                coordinates, G, others, *self.arrays, rule, self.modes, values,
            )  # fmt: skip
        return values + self.data.constant

    def likelihood_slopes(
        self, coordinates: Array, G: Array, others: Array
    ) -> tuple[Array, Array, Array, Array, Array]:
        """Return log likelihoods, their slopes in coordinates, G and others, and the modes."""
        values, slopes = np.empty(len(coordinates)), np.empty_like(coordinates)
        G_slopes, other_slopes = np.empty_like(G), np.empty_like(others)
        modes = np.empty((len(values), *self.modes.shape))
        spread(
            quadrature_gradient.evaluate_gradients, len(values), 2 * self.work(len(values)),
            coordinates, G, others, *self.arrays, self.rule, self.modes, values, slopes, G_slopes,
            other_slopes, modes,
        )  # fmt: skip
        return values + self.data.constant, slopes, G_slopes, other_slopes, modes

    @property
    def arrays(self) -> tuple[Any, ...]:
        """What the kernels need of the rows."""
        data = self.data
        return data.offset, data.X, data.Z[0], data.rows, data.starts

    def log_likelihood(self, theta: Array) -> Array:
        """Return log p(y | theta), shape (S,)."""
        coordinates, psi = self.split(np.atleast_2d(theta))
        return self.likelihood(coordinates, *self.scales(psi))

    def log_likelihood_gradient(self, theta: Array) -> tuple[Array, Array]:
        """Return log p(y | theta), shape (S,), and its gradient, shape (S, size).

        By central differences where the approximation is of a higher order.
        """
        theta = np.atleast_2d(theta)
        if self.order != higher_order.PLAIN:
            (S, d), moves = theta.shape, STEP * np.eye(theta.shape[1])
            around = theta[:, None] + np.concatenate([np.zeros((1, d)), moves, -moves])
            found = self.log_likelihood(around.reshape(-1, d)).reshape(S, -1)
            return found[:, 0], (found[:, 1 : d + 1] - found[:, d + 1 :]) / (2 * STEP)
        coordinates, psi = self.split(theta)
        p = coordinates.shape[1]
        values, slopes, G_slopes, other_slopes, _ = self.likelihood_slopes(
            coordinates, *self.scales(psi)
        )
        gradient = np.zeros_like(theta)
        gradient[:, :p] = slopes
        gradient[:, p + self.layout.further_positions] = other_slopes
        slots, C = self.layout.groups[0], self.data.to_Z[0]
        q = len(C)
        R, L = np.empty((q, q)), np.empty((q, q))
        for s in range(len(theta)):
            own = np.ascontiguousarray(psi[s])
            scaled_factor(own, slots.sds, slots.pair_positions, R, L)
            L_slope = np.ascontiguousarray(C.T @ G_slopes[s])
            factor_gradient(own, slots.sds, slots.pair_positions, R, L, L_slope, gradient[s, p:])
        return values, gradient

    def log_density(self, theta: Array) -> Array:
        """Return log p(theta, y); minus infinity where it cannot be computed; shape (S,)."""
        theta = np.atleast_2d(theta)
        with np.errstate(all="ignore"):
            total = self.log_likelihood(theta) + self.prior.log_density(theta)
        return np.where(np.isfinite(total), total, -np.inf)

    def gradient(self, theta: Array) -> tuple[Array, Array]:
        """Return log p(theta, y) and its gradient, shapes (S,) and (S, size)."""
        values, slopes = self.log_likelihood_gradient(theta)
        priors = [self.prior.with_gradient(own) for own in np.atleast_2d(theta)]
        with np.errstate(all="ignore"):
            total = values + np.array([value for value, _ in priors])
            slopes = slopes + np.stack([slope for _, slope in priors])
        return np.where(np.isfinite(total), total, -np.inf), slopes

    def draw_effects(self, theta: Array, seed: int) -> dict[str, Array]:
        """Draw the effects given draws of theta.

        Returns
        -------
        dict
            By grouping, shape (S, J, q).
        """
        coordinates, psi = self.split(theta)
        G, others = self.scales(psi)
        factors = np.ascontiguousarray(self.layout.groups[0].factor(psi))
        drawn = np.empty((len(theta), *self.modes.shape))
        spread(
            effect_draws.draw, len(theta), self.work(len(theta)), coordinates, G, factors, others,
            streams(seed, len(theta)), *self.arrays, self.modes, drawn,
        )  # fmt: skip
        return {self.layout.groups[0].block.name: drawn}

    def started(self, theta: Array) -> QuadratureMarginal:
        """Return the same density, its modes sought from those at one theta, shape (size,)."""
        coordinates, psi = self.split(theta[None])
        *_, modes = self.likelihood_slopes(coordinates, *self.scales(psi))
        return replace(self, modes=modes[0]) if np.isfinite(modes).all() else self


def quadrature_marginal(design: Design, priors: Priors, nodes: int) -> QuadratureMarginal | str:
    """Return the density of a model with one grouping, or the reason why there is none.

    Parameters
    ----------
    design, priors
        The model.
    nodes
        Nodes in each dimension; one is Laplace's approximation.
    """
    why = refusal(design)
    if why is not None:
        return why
    if len(design.random) != 1:
        return f"quadrature is over one grouping, and there are {len(design.random)}"
    q = len(design.random[0].effects)
    if q > WIDEST:
        return f"{q} effects of a group are too many for a product rule"
    bounded = [name for name in design.coef if priors.coefficients[name].positive]
    if bounded:
        return f"the prior of {bounded[0]} is bounded"
    data, layout = grouped_rows(design, priors), hyperparameters(design)
    return QuadratureMarginal(
        design,
        priors,
        data,
        layout,
        theta_prior(design, priors, layout, data.to_X),
        nodes,
        gauss_hermite(nodes, q),
        np.zeros((design.random[0].grouping.size, q)),
    )
