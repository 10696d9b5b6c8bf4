"""The log posterior with the random effects explicit, compiled, for every family with a kernel.

With theta = (c, psi, v): c the coordinates of the fixed effects, psi the hyperparameters and v
a value a group and effect,

    log p(theta | y) = sum_i w_i log p(y_i | eta_i, psi) + log p(c) + log p(psi)
                       + sum_j log p(v_j | psi, c) + constant.

It is the density of the PyMC graph, in the graph's coordinates. Where further parameters have
formulas, their fixed effects are among the coordinates and their effects among the values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.density import conditional_kernel
from bayesmlm.density.conditional_arrays import (
    coefficient_priors,
    effect_arrays,
    outcome_arrays,
    positions,
)
from bayesmlm.density.fixed_coordinates import FixedCoordinates
from bayesmlm.density.hyperparameters import Hyperparameters, hyperparameters, log_prior
from bayesmlm.density.linear_parts import Part, linear_parts, n_coefficients, together, typical
from bayesmlm.density.log_prior import prior_arrays
from bayesmlm.design import Design
from bayesmlm.families.rows import code
from bayesmlm.graph.means import GroupMean, group_means
from bayesmlm.graph.parametrisation import EffectCoordinates
from bayesmlm.priors import Priors, StudentT

Array = NDArray[np.float64]

EVERYWHERE = frozenset({"log", "logit", "probit", "cloglog"})
"""Links that any linear predictor suits."""


@dataclass(frozen=True)
class ConditionalPosterior:
    """The log posterior of everything, as one compiled call.

    Parameters
    ----------
    design, priors
        The model.
    layout
        Positions of the hyperparameters in psi.
    parts
        The linear predictors, the location's first.
    means
        Means of the centred coefficients, by grouping and effect.
    arguments
        The arrays of the kernel, in four tuples.
    constant
        What the kernel leaves out.
    """

    design: Design
    priors: Priors
    layout: Hyperparameters
    parts: tuple[Part, ...]
    means: dict[tuple[str, str], GroupMean]
    arguments: tuple[tuple[Any, ...], ...]
    constant: float = 0.0

    @property
    def fixed(self) -> FixedCoordinates:
        """Coordinates of the location's fixed effects."""
        return self.parts[0].fixed

    @property
    def n_coordinates(self) -> int:
        """Number of fixed effects of all parameters."""
        return n_coefficients(self.design)

    @property
    def size(self) -> int:
        """Length of theta."""
        values = sum(b.grouping.size * len(b.effects) for b in self.design.blocks)
        return self.n_coordinates + self.layout.size + values

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """Return the log density at theta and its gradient, shape (size,)."""
        gradient = np.empty(self.size)
        value = conditional_kernel.log_posterior(
            np.ascontiguousarray(theta, dtype=float), gradient, *self.arguments
        )
        return value + self.constant, gradient

    def split(self, theta: Array) -> tuple[Array, Array, dict[str, Array]]:
        """Return coordinates (S, p), psi (S, d) and by grouping the values (S, J, q)."""
        p, d = self.n_coordinates, self.layout.size
        values, at = {}, p + d
        for block in self.design.blocks:
            J, q = block.grouping.size, len(block.effects)
            values[block.name] = theta[:, at : at + J * q].reshape(len(theta), J, q)
            at += J * q
        return theta[:, :p], theta[:, p : p + d], values

    def mean_matrix(self, group: str, effect: str) -> Array:
        """Return the means of a centred coefficient as linear forms, shape (J, p)."""
        mean = self.means[group, effect]
        matrix = np.zeros((len(mean.W), self.n_coordinates))
        for w, form in zip(mean.W.T, mean.slopes, strict=True):
            matrix += np.outer(w, form)
        return matrix if mean.intercept is None else matrix + mean.intercept

    def recover(self, theta: Array) -> tuple[Array, Array, dict[str, Array]]:
        """Return what draws of theta mean.

        Parameters
        ----------
        theta
            Shape (S, size).

        Returns
        -------
        psi, beta, effects
            Hyperparameters (S, d), the location's coefficients in the user's coordinates
            (S, p), and by grouping the effects' deviations (S, J, q).
        """
        coordinates, psi, values = self.split(theta)
        effects = {}
        for slots in self.layout.groups:
            block = slots.block
            L, own = slots.factor(psi), values[block.name]
            u, standard = np.empty_like(own), np.empty_like(own)
            for k, effect in enumerate(block.effects):
                expected = np.einsum("sm,sjm->sj", L[:, k, :k], standard[:, :, :k])
                spread = L[:, k, k, None]
                if (block.name, effect) not in self.means:
                    standard[:, :, k] = own[:, :, k]
                    u[:, :, k] = expected + spread * own[:, :, k]
                else:
                    matrix = self.mean_matrix(block.name, effect)
                    u[:, :, k] = own[:, :, k] - coordinates @ matrix.T
                    standard[:, :, k] = (u[:, :, k] - expected) / spread
            effects[block.name] = u
        return psi, self.parts[0].beta(coordinates), effects

    def further_beta(self, theta: Array) -> dict[str, Array]:
        """Return the coefficients of the further parameters' formulas, shape (S, p) each."""
        coordinates, *_ = self.split(theta)
        return {part.design.target: part.beta(coordinates) for part in self.parts[1:]}

    def log_density(self, theta: Array) -> float:
        """Return the normalised log density at theta by NumPy and SciPy, without kernels."""
        coordinates, *_ = self.split(theta[None])
        psi, beta, effects = self.recover(theta[None])
        every = together(self.parts)
        scaled = every.with_priors @ coordinates[0]
        total = float(log_prior(self.layout, self.priors, psi)[0])
        if len(scaled):
            total += float(np.linalg.slogdet(every.with_priors)[1])
        for value, prior in zip(scaled, every.priors, strict=True):
            total += float(prior.log_density(value))
        eta, *rest = (self.linear_predictor(part, coordinates, effects) for part in self.parts)
        for slots in self.layout.groups:
            block = slots.block
            u = effects[block.name][0]
            L = slots.factor(psi)[0]
            standard = np.linalg.solve(L, u.T)
            total -= 0.5 * float((standard**2).sum() + standard.size * np.log(2 * np.pi))
            centred = [(block.name, effect) in self.means for effect in block.effects]
            total -= len(u) * float(np.log(np.diag(L)[centred]).sum())
        rows = self.design.outcome.rows
        shift = beta @ self.fixed.means if self.design.family.ordered else np.zeros(1)
        others = {name: values[0] for name, values in self.layout.others(psi, shift).items()}
        for part, own in zip(self.design.further, rest, strict=True):
            others[part.target] = part.link.inverse(own)
        density = self.design.family.log_density(self.design.y, eta, others, rows)
        return total + float((rows.get("weights", 1.0) * density).sum())

    def linear_predictor(self, part: Part, coordinates: Array, effects: dict[str, Array]) -> Array:
        """Return the linear predictor of a parameter at the first draw, shape (N,)."""
        eta = part.design.X @ part.beta(coordinates)[0] + part.design.offset
        for block in part.design.random:
            eta = eta + (block.Z * effects[block.name][0][block.grouping.codes]).sum(axis=1)
        return np.asarray(eta)


def conditional_posterior(
    design: Design, priors: Priors, coordinates: tuple[EffectCoordinates, ...]
) -> ConditionalPosterior | str:
    """Return the compiled log posterior of a model, or the reason why there is none.

    Parameters
    ----------
    design, priors
        The model.
    coordinates
        Centred or non-centred, per random effect.
    """
    kernel = code(design.family)
    if kernel is None:
        return f"the {design.family.name} family has no compiled density"
    other = next((block for block in design.blocks if not block.is_normal), None)
    if other is not None:
        return f"the effects by {other.name} are not normal ({other.distribution})"
    if design.latent.reason:
        return design.latent.reason
    bounded = [
        names.parameter_coef(part.target, name)
        for part in design.parts
        for name, prior in priors.of(part.target).coefficients.items()
        if prior.positive
    ]
    if bounded:
        return f"the prior of {bounded[0]} is bounded"
    cuts = priors.further.get(names.THRESHOLDS)
    if isinstance(cuts, StudentT) and cuts.mu != 0:
        return "the prior of the thresholds is a StudentT that is not about zero"
    layout = hyperparameters(design)
    parts = linear_parts(design, priors)
    kinds, first, second, forms, shifts = coefficient_priors(together(parts))
    p = n_coefficients(design)
    means: dict[tuple[str, str], GroupMean] = {}
    row_forms, columns = [], []
    for part in parts:
        fixed = part.fixed.among(part.first, p).parts(part.design)
        means |= group_means(part.design, coordinates, fixed)
        at_mean = np.zeros(p) if fixed.intercept is None else fixed.intercept
        row_forms.append(np.stack([at_mean, *(fixed.slopes[k] for k in fixed.free)]))
        columns.append(fixed.X[:, fixed.free] - fixed.means[fixed.free])
    found = ConditionalPosterior(
        design,
        priors,
        layout,
        parts,
        means,
        (
            (forms, shifts, kinds, first, second, np.vstack(row_forms)),
            (*prior_arrays(layout, priors), *positions(design, layout)),
            effect_arrays(design, coordinates, means),
            outcome_arrays(design, kernel, columns),
        ),
    )
    origin = reference(found)
    value = found(origin)[0]
    if not np.isfinite(value):
        return "no linear predictor found that its link allows"
    return replace(found, constant=found.log_density(origin) - value)


def reference(posterior: ConditionalPosterior) -> Array:
    """Return a point of positive density: zero, or where all rows have the mean response."""
    design = posterior.design
    theta = np.zeros(posterior.size)
    links = {design.family.link.name, *(part.link.name for part in design.further)}
    if links <= EVERYWHERE or np.isfinite(posterior(theta)[0]):
        return theta
    coordinates, _, values = posterior.split(theta[None])  # views: theta is set through them
    means = [design.family.link.link(np.array([design.y.mean()]))]
    means += [part.link.link(np.array([typical(part, design)])) for part in design.further]
    for part, mean in zip(posterior.parts, means, strict=True):
        own = coordinates[0, part.first : part.first + len(part.design.coef)]
        X, wanted = part.design.X @ part.fixed.display, mean - part.design.offset
        own[:] = np.linalg.lstsq(X, wanted, rcond=None)[0]
    for group, effect in posterior.means:
        block = design.any_block(group)
        at = block.effects.index(effect)
        values[group][0, :, at] = posterior.mean_matrix(group, effect) @ coordinates[0]
    return theta
