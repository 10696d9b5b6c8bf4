"""Exact draws of fixed and random effects given draws of the hyperparameters.

The kernel draws the fixed effects, and the effects of all groupings but the leading one, the
largest. Given these, the leading grouping's effects are drawn by group, in blocks of any
size: the numbers are the same whichever groups are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.crossproducts import Columns
from bayesmlm.density.leading import Leading, draw_leading, leading
from bayesmlm.density.noise import Noise
from bayesmlm.density.structure import Structure

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

BLOCK = 2**23
"""Numbers drawn at once (64 MB) where not all effects are wanted at once."""


@dataclass(frozen=True)
class Recovery:
    """The conditional distribution of all effects given S vectors of hyperparameters.

    Parameters
    ----------
    structure, data
        The kernel and its data.
    groups
        Names of the groupings, in the order of the design.
    G, sigma
        The kernel's scales, shapes (S, …) and (S,).
    factors
        Of the effects' covariance, by grouping of the design, each of shape (S, q, q).
    noise
        Where the noise comes from.
    """

    structure: Structure
    data: Columns
    groups: tuple[str, ...]
    G: Array
    sigma: Array
    factors: tuple[Array, ...]
    noise: Noise

    @cached_property
    def distinct(self) -> tuple[Integers, Integers, Integers]:
        """Where each distinct vector first occurs, `order` and `first_draw` of the kernels.

        Resampled vectors repeat: each is factored once for all its draws. To sort by one
        number takes a tenth of the time that to sort by all takes; vectors that share it and
        differ may part draws of one vector, which costs a factor and changes nothing.
        """
        vectors = np.column_stack([self.G, self.sigma])
        order = np.argsort(vectors[:, 0], kind="stable")
        ordered = vectors[order]
        begins = np.ones(len(order), dtype=bool)
        begins[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
        starts = np.flatnonzero(begins)
        return order[starts], order, np.append(starts, len(order))

    @property
    def draws(self) -> int:
        """Number of draws, S."""
        return len(self.sigma)

    @property
    def leading_group(self) -> str | None:
        """The largest grouping; None without groupings."""
        return self.groups[self.structure.order[0]] if self.groups else None

    def outer(self, prior: Array) -> tuple[Array, dict[str, Array]]:
        """Draw the fixed effects and all effects but the leading grouping's.

        Parameters
        ----------
        prior
            `FixedPrior.matrix`.

        Returns
        -------
        beta, effects
            Fixed effects in the kernel's coordinates, shape (S, p), and by grouping the
            effects, shape (S, J, q).
        """
        S, p = self.draws, self.data.X.shape[1]
        sizes, widths = self.structure.sizes[1:], self.structure.widths[1:]
        noise = self.noise.others(S, sum(J * q for J, q in zip(sizes, widths, strict=True)))
        first, order, first_draw = self.distinct
        drawn, drawn_beta = self.structure.draw(
            np.ascontiguousarray(self.G[first]),
            np.ascontiguousarray(self.sigma[first]),
            prior,
            first_draw,
            noise,
            self.noise.fixed(S, p),
        )
        z, beta = np.empty_like(drawn), np.empty_like(drawn_beta)
        z[order], beta[order] = drawn, drawn_beta
        effects, at = {}, 0
        order_of, places_of = self.structure.order[1:], self.structure.places[1:]
        for k, places, q in zip(order_of, places_of, widths, strict=True):
            J = len(places)
            standard = z[:, at : at + J * q].reshape(S, J, q)[:, places]
            at += J * q
            effects[self.groups[k]] = standard @ self.factors[k].transpose(0, 2, 1)
        return beta, effects

    def to_user(self, beta: Array) -> Array:
        """Return fixed effects in the user's coordinates, shape (S, p)."""
        if not beta.shape[1]:
            return beta
        return np.asarray(self.data.start + np.linalg.solve(self.data.to_X, beta.T).T)

    def leading(self, beta: Array, effects: dict[str, Array]) -> LeadingEffects:
        """Return the leading grouping's effects given what `outer` drew."""
        k, q = self.structure.order[0], self.structure.widths[0]
        others = [
            (effects[self.groups[m]] @ self.data.to_Z[m].T).reshape(self.draws, -1)
            for m in self.structure.order[1:]
        ]
        known = np.concatenate([*others, np.empty((self.draws, 0))], axis=1)
        return LeadingEffects(
            leading(self.structure, beta.shape[1]),
            self.noise,
            np.ascontiguousarray(self.G[:, : q * q]).reshape(-1, q, q),
            self.sigma,
            np.ascontiguousarray(self.factors[k]),
            np.ascontiguousarray(beta.T),
            np.ascontiguousarray(known.T),
        )

    def everything(self, prior: Array) -> tuple[Array, dict[str, Array]]:
        """Draw all effects.

        Returns
        -------
        beta, effects
            Fixed effects in the user's coordinates, shape (S, p), and by grouping the
            effects, shape (S, J, q).
        """
        beta, effects = self.outer(prior)
        if self.leading_group is not None:
            effects[self.leading_group] = self.leading(beta, effects).everything()
        return self.to_user(beta), effects


@dataclass(frozen=True)
class LeadingEffects:
    """Draws of the leading grouping's effects, by group.

    Parameters
    ----------
    part
        Cross-products of its groups.
    noise
        Where the noise comes from.
    G, sigma, factors, beta, others
        As of `bayesmlm.density.leading_draws.draw_range`.
    """

    part: Leading
    noise: Noise
    G: Array
    sigma: Array
    factors: Array
    beta: Array
    others: Array

    def draw(self, groups: Integers) -> Array:
        """Draw the effects of some groups, shape (groups, q, S)."""
        q, S = self.G.shape[1], len(self.sigma)
        given = self.G, self.sigma, self.factors, self.beta
        work = float(len(groups)) * q * q * (q + 1) * S
        noise = self.noise.leading(groups, q, S)
        return draw_leading(work, self.part.take(groups), (*given, self.others), noise)

    def blocks(self) -> Iterator[tuple[Integers, Array]]:
        """Draw all groups in turn, as many at once as `BLOCK` allows."""
        q, S = self.G.shape[1], len(self.sigma)
        J, step = len(self.part.own), max(1, BLOCK // (q * S))
        for start in range(0, J, step):
            groups = np.arange(start, min(start + step, J))
            yield groups, self.draw(groups)

    def everything(self) -> Array:
        """Draw all groups, shape (S, J, q)."""
        whole = np.empty((len(self.sigma), len(self.part.own), self.G.shape[1]))
        for groups, drawn in self.blocks():
            whole[:, groups[0] : groups[-1] + 1] = drawn.transpose(2, 0, 1)
        return whole
