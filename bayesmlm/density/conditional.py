"""The log posterior with the random effects explicit, compiled, for every family with a kernel.

With theta = (c, psi, v): c the coordinates of the fixed effects, psi the hyperparameters and v
a value a group and effect,

    log p(theta | y) = sum_i w_i log p(y_i | eta_i, psi) + log p(c) + log p(psi)
                       + sum_j log p(v_j | psi, c) + constant.

It is the density of the PyMC graph, in the graph's coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.density import conditional_kernel
from bayesmlm.density.fixed_coordinates import FixedCoordinates, fixed_coordinates
from bayesmlm.density.hyperparameters import Hyperparameters, hyperparameters, log_prior
from bayesmlm.density.log_prior import STANDARD_NORMAL, STANDARD_STUDENT, prior_arrays
from bayesmlm.design import Design
from bayesmlm.families.rows import code
from bayesmlm.graph.means import GroupMean, group_means
from bayesmlm.graph.parametrisation import CENTRED, EffectCoordinates
from bayesmlm.priors import Prior, Priors, StudentT

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

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
    fixed
        Coordinates of the fixed effects.
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
    fixed: FixedCoordinates
    means: dict[tuple[str, str], GroupMean]
    arguments: tuple[tuple[Any, ...], ...]
    constant: float = 0.0

    @property
    def size(self) -> int:
        """Length of theta."""
        p, d = len(self.design.coef), self.layout.size
        return p + d + sum(b.grouping.size * len(b.effects) for b in self.design.random)

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """Return the log density at theta and its gradient, shape (size,)."""
        gradient = np.empty(self.size)
        value = conditional_kernel.log_posterior(
            np.ascontiguousarray(theta, dtype=float), gradient, *self.arguments
        )
        return value + self.constant, gradient

    def split(self, theta: Array) -> tuple[Array, Array, dict[str, Array]]:
        """Return coordinates (S, p), psi (S, d) and by grouping the values (S, J, q)."""
        p, d = len(self.design.coef), self.layout.size
        values, at = {}, p + d
        for block in self.design.random:
            J, q = block.grouping.size, len(block.effects)
            values[block.name] = theta[:, at : at + J * q].reshape(len(theta), J, q)
            at += J * q
        return theta[:, :p], theta[:, p : p + d], values

    def mean_matrix(self, group: str, effect: str) -> Array:
        """Return the means of a centred coefficient as linear forms, shape (J, p)."""
        mean = self.means[group, effect]
        matrix = np.zeros((len(mean.W), len(self.design.coef)))
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
            Hyperparameters (S, d), coefficients in the user's coordinates (S, p), and by
            grouping the effects' deviations (S, J, q).
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
        return psi, coordinates @ self.fixed.display.T, effects

    def log_density(self, theta: Array) -> float:
        """Return the normalised log density at theta by NumPy and SciPy, without kernels."""
        coordinates, *_ = self.split(theta[None])
        psi, beta, effects = self.recover(theta[None])
        scaled = self.fixed.with_priors @ coordinates[0]
        total = float(log_prior(self.layout, self.priors, psi)[0])
        if len(scaled):
            total += float(np.linalg.slogdet(self.fixed.with_priors)[1])
        for value, prior in zip(scaled, self.fixed.priors, strict=True):
            total += float(prior.log_density(value))
        eta = self.design.X @ beta[0] + self.design.offset
        for slots in self.layout.groups:
            block = slots.block
            u = effects[block.name][0]
            eta = eta + (block.Z * u[block.grouping.codes]).sum(axis=1)
            L = slots.factor(psi)[0]
            standard = np.linalg.solve(L, u.T)
            total -= 0.5 * float((standard**2).sum() + standard.size * np.log(2 * np.pi))
            centred = [(block.name, effect) in self.means for effect in block.effects]
            total -= len(u) * float(np.log(np.diag(L)[centred]).sum())
        rows = self.design.outcome.rows
        shift = beta @ self.fixed.means if self.design.family.ordered else np.zeros(1)
        others = {name: values[0] for name, values in self.layout.others(psi, shift).items()}
        density = self.design.family.log_density(self.design.y, eta, others, rows)
        return total + float((rows.get("weights", 1.0) * density).sum())


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
    other = next((block for block in design.random if not block.is_normal), None)
    if other is not None:
        return f"the effects by {other.name} are not normal ({other.distribution})"
    if design.latent.reason:
        return design.latent.reason
    bounded = [name for name in design.coef if priors.coefficients[name].positive]
    if bounded:
        return f"the prior of {bounded[0]} is bounded"
    cuts = priors.further.get(names.THRESHOLDS)
    if isinstance(cuts, StudentT) and cuts.mu != 0:
        return "the prior of the thresholds is a StudentT that is not about zero"
    layout = hyperparameters(design)
    fixed = fixed_coordinates(design, priors)
    parts = fixed.parts(design)
    means = group_means(design, coordinates, parts)
    kinds, first, second, forms, shifts = coefficient_priors(fixed)
    at_mean = np.zeros(len(design.coef)) if parts.intercept is None else parts.intercept
    row_forms = np.stack([at_mean, *(parts.slopes[k] for k in parts.free)])
    columns = np.ascontiguousarray(parts.X[:, parts.free] - parts.means[parts.free])
    found = ConditionalPosterior(
        design,
        priors,
        layout,
        fixed,
        means,
        (
            (forms, shifts, kinds, first, second, row_forms.reshape(-1, len(design.coef))),
            (*prior_arrays(layout, priors), *positions(layout)),
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
    if design.family.link.name in EVERYWHERE or np.isfinite(posterior(theta)[0]):
        return theta
    coordinates, _, values = posterior.split(theta[None])  # views: theta is set through them
    X = design.X @ posterior.fixed.display
    wanted = design.family.link.link(np.array([design.y.mean()])) - design.offset
    coordinates[0] = np.linalg.lstsq(X, wanted, rcond=None)[0]
    for group, effect in posterior.means:
        block = design.block(group)
        at = block.effects.index(effect)
        values[group][0, :, at] = posterior.mean_matrix(group, effect) @ coordinates[0]
    return theta


def coefficient_priors(fixed: FixedCoordinates) -> tuple[Ints, Array, Array, Array, Array]:
    """Return kinds, parameters, forms and shifts of the standardised coefficients."""
    coded = [standardised(prior) for prior in fixed.priors]
    kinds = np.array([kind for kind, *_ in coded], dtype=np.int64)
    freedom, centre, scale = (np.array([c[k] for c in coded], dtype=float) for k in (1, 2, 3))
    forms = np.ascontiguousarray(fixed.with_priors / scale[:, None])
    return kinds, freedom, np.zeros(len(coded)), forms, -centre / scale


def standardised(prior: Prior) -> tuple[int, float, float, float]:
    """Return the kernel's code of a prior on the line, degrees of freedom, centre and scale."""
    values = prior.parameters()
    name = type(prior).__name__
    if name == "Normal":
        return STANDARD_NORMAL, 0.0, values["mu"], values["sigma"]
    if name == "Cauchy":
        return STANDARD_STUDENT, 1.0, values["alpha"], values["beta"]
    return STANDARD_STUDENT, values["nu"], values["mu"], values["sigma"]


def positions(layout: Hyperparameters) -> tuple[Ints, Ints, Ints]:
    """Return the positions in psi of further parameters, SDs and partial correlations, flat."""
    whole = np.empty(0, dtype=np.int64)
    return (
        layout.further_positions,
        np.concatenate([*(slots.sds for slots in layout.groups), whole]).astype(np.int64),
        np.concatenate([*(slots.pair_positions.ravel() for slots in layout.groups), whole]),
    )


def effect_arrays(
    design: Design,
    coordinates: tuple[EffectCoordinates, ...],
    means: dict[tuple[str, str], GroupMean],
) -> tuple[Any, ...]:
    """Return what the kernel needs of the groupings; see `conditional_kernel`."""
    p = len(design.coef)
    forms: list[Array] = []
    predictors: list[Array] = []
    form_start, W_start = [0], [0]
    for choice in coordinates:
        mean = means.get((choice.group, choice.effect))
        if mean is not None:
            own = [*mean.slopes, *([] if mean.intercept is None else [mean.intercept])]
            ones = np.ones((len(mean.W), len(own) - len(mean.slopes)))
            forms += own
            predictors.append(np.hstack([mean.W, ones]).ravel())
        form_start.append(len(forms))
        W_start.append(sum(len(w) for w in predictors))
    centred = [choice.choice == CENTRED for choice in coordinates]
    return (
        np.array([block.grouping.size for block in design.random], dtype=np.int64),
        np.array([len(block.effects) for block in design.random], dtype=np.int64),
        np.array(centred, dtype=np.int64),
        np.array(forms, dtype=float).reshape(-1, p),
        np.array(form_start, dtype=np.int64),
        np.concatenate([*predictors, np.empty(0)]),
        np.array(W_start, dtype=np.int64),
    )


def outcome_arrays(design: Design, kernel: int, columns: Array) -> tuple[Any, ...]:
    """Return what the kernel needs of the rows; see `conditional_kernel`."""
    rows, n = design.outcome.rows, len(design.y)
    Z = np.hstack([np.empty((n, 0)), *(block.Z for block in design.random)])
    codes = [block.grouping.codes for block in design.random]
    return (
        np.array([kernel], dtype=np.int64),
        np.array(design.y, dtype=float),
        np.array(design.offset, dtype=float),
        columns,
        np.ascontiguousarray(Z),
        np.array(codes, dtype=np.int64).reshape(len(codes), n).T.copy(),
        np.array(design.family.known(rows), dtype=float),
        np.array(rows.get("weights", np.ones(1)), dtype=float),
    )
