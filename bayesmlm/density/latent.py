"""The density of the hyperparameters of a generalized model, all else integrated out.

The effects of the leading grouping are integrated out by adaptive quadrature, or with one
node by Laplace's approximation; fixed effects and the effects of all other groupings by
Laplace's approximation: with one node a nested Laplace approximation, with more a hybrid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density import latent_batch
from bayesmlm.density.elimination import DENSE_LIMIT
from bayesmlm.density.fixed_prior import is_normal
from bayesmlm.density.gauss_hermite import gauss_hermite
from bayesmlm.density.grouped_rows import GroupedRows, grouped_rows
from bayesmlm.density.hyperparameters import Hyperparameters, hyperparameters, log_prior
from bayesmlm.density.integrable import refusal
from bayesmlm.density.latent_kernel import CONVERGED, EXACT, ROUGH
from bayesmlm.density.noise import Noise
from bayesmlm.density.streams import streams
from bayesmlm.density.theta_prior import theta_prior
from bayesmlm.density.threads import spread
from bayesmlm.design import Design
from bayesmlm.priors import Priors

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

NEWTON = 5
"""Steps that a Newton search takes, roughly."""


@dataclass(frozen=True)
class LatentMarginal:
    """The density of the hyperparameters of a generalized model.

    Parameters
    ----------
    design, priors
        The model.
    data, layout
        Its rows and hyperparameters.
    arguments
        Arrays of the kernel: columns of all groupings, widths, and what
        `latent_kernel.evaluate_field` calls data.
    prior
        Precision of the fixed effects in coordinates (p, p), that times their mean (p,), and
        half its log determinant.
    nodes, rule
        Nodes in each dimension of the leading grouping, and the rule.
    field, modes
        Where searches begin, shapes (m,) and (J, q).
    """

    design: Design
    priors: Priors
    data: GroupedRows
    layout: Hyperparameters
    arguments: tuple[Any, ...]
    prior: tuple[Array, Array, float]
    nodes: int
    rule: tuple[Array, Array]
    field: Array
    modes: Array

    def with_nodes(self, nodes: int) -> LatentMarginal:
        """Return the same density by another number of nodes."""
        return replace(self, nodes=nodes, rule=gauss_hermite(nodes, self.modes.shape[1]))

    def scales(self, psi: Array) -> tuple[Array, Array]:
        """Return the kernel's scales, flat by row, and further parameters on the line, (S, K)."""
        parts = [
            (C @ self.layout.groups[k].factor(psi)).reshape(len(psi), -1)
            for k, C in zip(self.data.order, self.data.to_Z, strict=True)
        ]
        return np.concatenate(parts, axis=1), self.layout.line(psi)

    def work(self, S: int) -> float:
        """Rough number of multiplications of a batch."""
        m = len(self.field)
        nodes = len(self.rule[1])
        return NEWTON * S * (m**3 / 3 + len(self.data.offset) * (nodes + 4) * 30.0)

    def solve(
        self, psi: Array, start: Array | None = None, enough: float = CONVERGED
    ) -> tuple[Array, Array, Array]:
        """Return log p(y | psi), fields and modes, shapes (S,), (S, m) and (S, J, q).

        Parameters
        ----------
        psi
            Shape (S, d).
        start
            Fields from which searches begin, shape (S, m); None takes `field`.
        enough
            Of `latent_kernel.solve`.
        """
        Z, widths, data = self.arguments
        precision, shift, half_log_det = self.prior
        S, N = len(psi), len(self.data.offset)
        values, fields, modes = self.results(S, self.field)
        if start is not None:
            fields[:] = start
        spread(
            latent_batch.evaluate, S, self.work(S), np.empty((S, 0)), *self.scales(psi),
            self.data.offset, np.empty((N, 0)), Z, widths, data, self.data.rows,
            (precision, shift), self.rule, False, enough, self.modes, values, fields, modes,
        )  # fmt: skip
        return values + self.data.constant + half_log_det + self.prior_constant, fields, modes

    def results(self, S: int, field: Array) -> tuple[Array, Array, Array]:
        """Return room for values, fields, which begin at one, and modes."""
        return np.empty(S), np.tile(field, (S, 1)), np.empty((S, *self.modes.shape))

    @property
    def prior_constant(self) -> float:
        """Return -m'Pm / 2 of the fixed effects' prior mean m."""
        precision, shift, _ = self.prior
        return -0.5 * float(shift @ np.linalg.solve(precision, shift)) if len(shift) else 0.0

    def solve_given(
        self,
        coordinates: Array,
        G: Array,
        others: Array,
        start: Array | None = None,
        enough: float = EXACT,
        joint: bool = True,
    ) -> tuple[Array, Array, Array]:
        """Return log likelihoods at given fixed effects by the kernel's parameters.

        With one node at the joint mode of all effects, or, where `joint` is False, as `solve`
        has it. Fields hold the standard effects of all groupings but the leading one; `start`
        and `enough` are those of `solve`.

        Returns
        -------
        values, fields, modes
            Shapes (S,), (S, m - p) and (S, J, q).
        """
        Z, widths, (X, at, local, starts, touched_starts, touched) = self.arguments
        p = X.shape[1]
        data = (X[:, :0].copy(), at - p, local, starts, touched_starts, touched - p)
        values, fields, modes = self.results(len(coordinates), self.field[p:])
        if start is not None:
            fields[:] = start
        spread(
            latent_batch.evaluate, len(values), self.work(len(values)), coordinates, G, others,
            self.data.offset, X, Z, widths, data, self.data.rows,
            (np.empty((0, 0)), np.empty(0)), self.rule, joint, enough, self.modes, values, fields,
            modes,
        )  # fmt: skip
        return values + self.data.constant, fields, modes

    def covariances(self, psi: Array, fields: Array) -> Array:
        """Return the covariances of the user's fixed effects given psi, shape (S, p, p).

        Parameters
        ----------
        psi, fields
            Hyperparameters (S, d), and where searches begin (S, m).
        """
        Z, widths, data = self.arguments
        precision, shift, _ = self.prior
        p = self.data.X.shape[1]
        found, back = np.empty((len(psi), p, p)), np.linalg.inv(self.data.to_X)
        spread(
            latent_batch.covariances, len(psi), self.work(len(psi)), *self.scales(psi),
            self.data.offset, Z, widths, data, self.data.rows, (precision, shift), self.rule,
            ROUGH, fields, self.modes, found,
        )  # fmt: skip
        return np.asarray(back @ found @ back.T)

    def log_likelihood(self, psi: Array) -> Array:
        """Return log p(y | psi), shape (S,)."""
        return self.solve(np.atleast_2d(psi))[0]

    def log_density(self, psi: Array) -> Array:
        """Return log p(psi, y); minus infinity where it cannot be computed; shape (S,)."""
        psi = np.atleast_2d(psi)
        with np.errstate(all="ignore"):
            total = self.log_likelihood(psi) + log_prior(self.layout, self.priors, psi)
        return np.where(np.isfinite(total), total, -np.inf)

    def started(self, psi: Array) -> LatentMarginal:
        """Return the same density, its searches begun at what is found at one psi."""
        values, fields, modes = self.solve(psi[None])
        if not np.isfinite(values[0]):
            return self
        return replace(self, field=fields[0], modes=modes[0])

    def split(self, fields: Array) -> tuple[Array, dict[str, Array]]:
        """Return coordinates (S, p) and other groupings' standard effects (S, J, q)."""
        at = self.data.X.shape[1]
        standard = {}
        for k in self.data.order[1:]:
            block = self.design.random[k]
            J, q = block.grouping.size, len(block.effects)
            standard[block.name] = fields[:, at : at + J * q].reshape(-1, J, q)
            at += J * q
        return fields[:, : self.data.X.shape[1]], standard

    def to_user(self, coordinates: Array) -> Array:
        """Return fixed effects in the user's coordinates, shape (S, p)."""
        return np.asarray(np.linalg.solve(self.data.to_X, coordinates.T).T)

    def recover(
        self, psi: Array, seed: int, starts: Callable[[Array], Array] | None = None
    ) -> tuple[Array, dict[str, Array]]:
        """Draw fixed and random effects given hyperparameters.

        The latent field is drawn from its Normal approximation, the leading effects from
        their conditional distribution given it.

        Parameters
        ----------
        psi
            Shape (S, d).
        seed
            Of the draws.
        starts
            From some psi to the fields from which searches begin, (S', d) to (S', m).

        Returns
        -------
        beta, effects
            Fixed effects in the user's coordinates, shape (S, p), and by grouping the
            effects, shape (S, J, q).
        """
        Z, widths, data = self.arguments
        precision, shift, _ = self.prior
        _, first, which = np.unique(psi, axis=0, return_index=True, return_inverse=True)
        which = which.ravel()
        ends = np.concatenate([[0], np.cumsum(np.bincount(which, minlength=len(first)))])
        order = np.argsort(which, kind="stable")
        fields = np.tile(self.field, (len(first), 1)) if starts is None else starts(psi[first])
        drawn = Noise(seed).others(len(psi), len(self.field))
        leading = np.empty((len(psi), *self.modes.shape))
        spread(
            latent_batch.draw, len(first), self.work(len(first)), *self.scales(psi[first]), ends,
            streams(seed, len(first)), self.data.offset, Z, widths, data, self.data.rows,
            (precision, shift), self.rule, ROUGH, fields, self.modes, drawn, leading,
        )  # fmt: skip
        fields, standard = np.empty_like(drawn), np.empty_like(leading)
        fields[order], standard[order] = drawn, leading
        coordinates, effects = self.split(fields)
        effects[self.design.random[self.data.order[0]].name] = standard
        for slots in self.layout.groups:
            name = slots.block.name
            effects[name] = effects[name] @ slots.factor(psi).transpose(0, 2, 1)
        return self.to_user(coordinates), effects


def latent_marginal(design: Design, priors: Priors, nodes: int) -> LatentMarginal | str:
    """Return the density of a generalized model, or the reason why there is none.

    Parameters
    ----------
    design, priors
        The model.
    nodes
        Nodes in each dimension of the leading grouping's effects.
    """
    why = refusal(design)
    if why is not None:
        return why
    if not design.random:
        return "there is no random effect"
    if not is_normal(priors):
        return "a fixed effect has a prior that is not Normal"
    data, layout = grouped_rows(design, priors), hyperparameters(design)
    blocks = [design.random[k] for k in data.order]
    others = sum(block.grouping.size * len(block.effects) for block in blocks[1:])
    if others > DENSE_LIMIT:
        return "the crossed groupings are too large for a dense factor"
    p, q = data.X.shape[1], len(blocks[0].effects)
    prior = theta_prior(design, priors, layout, data.to_X)
    _, _, centre, scale = prior.coefficients
    rows = prior.forms / scale[:, None]
    half_log_det = float(np.linalg.slogdet(rows)[1]) if p else 0.0
    widths = np.array([len(block.effects) for block in blocks], dtype=np.int64)
    return LatentMarginal(
        design,
        priors,
        data,
        layout,
        (np.ascontiguousarray(np.hstack(data.Z)), widths, field_arrays(data, blocks, p)),
        (np.ascontiguousarray(rows.T @ rows), rows.T @ (centre / scale), half_log_det),
        nodes,
        gauss_hermite(nodes, q),
        np.zeros(p + others),
        np.zeros((blocks[0].grouping.size, q)),
    )


def field_arrays(data: GroupedRows, blocks: list[Any], p: int) -> tuple[Any, ...]:
    """Return what `latent_kernel.evaluate_field` calls data."""
    N = len(data.offset)
    first, columns = p, [np.empty((N, 0), dtype=np.int64)]
    for block, codes in zip(blocks[1:], data.codes[1:], strict=True):
        width = len(block.effects)
        columns.append(first + codes[:, None] * width + np.arange(width))
        first += block.grouping.size * width
    at = np.ascontiguousarray(np.hstack(columns))
    local = np.empty_like(at)
    touched, touched_starts = [np.empty(0, dtype=np.int64)], [0]
    for start, stop in zip(data.starts[:-1], data.starts[1:], strict=True):
        own, which = np.unique(at[start:stop], return_inverse=True)
        local[start:stop] = which.reshape(stop - start, -1)
        touched.append(own)
        touched_starts.append(touched_starts[-1] + len(own))
    return (
        data.X,
        at,
        local,
        data.starts,
        np.array(touched_starts, dtype=np.int64),
        np.concatenate(touched),
    )
