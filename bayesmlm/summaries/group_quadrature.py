"""Integrated likelihoods of responses that are not Gaussian, by quadrature.

Of one grouping by `bayesmlm.density.quadrature_groups`. Where that lies within an outer one,
the outer effect is integrated too, by nodes about the mean of its posterior at the mean of the
draws, with its SD: sum over nodes of the inner integrals' products.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density import quadrature_groups
from bayesmlm.density.gauss_hermite import gauss_hermite
from bayesmlm.density.threads import spread as spread_out
from bayesmlm.design import Design, RandomBlock
from bayesmlm.families.rows import code
from bayesmlm.summaries.row_likelihood import row_log_likelihood

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

NODES = {1: 15, 2: 9, 3: 7}
"""Nodes in each dimension, by the number of effects."""

OUTER, COARSE = 15, np.linspace(-8.0, 8.0, 81)
"""Nodes of an outer effect, and the grid on which its posterior is looked for."""


@dataclass(frozen=True)
class GroupQuadrature:
    """Some rows, in the order of the groups of one grouping.

    Parameters
    ----------
    design
        Of the rows.
    rows
        Their positions.
    block
        The grouping.
    starts
        First of the rows of each group, and the number of rows, shape (J + 1,).
    others
        Draws of the further parameters.
    """

    design: Design
    rows: Integers
    block: RandomBlock
    starts: Integers
    others: Mapping[str, Array]

    def line(self, S: int) -> Array:
        """Return the further parameters on the whole line, shape (S, K)."""
        parts = [
            parameter.line(self.others[parameter.name].reshape(S, -1))
            for parameter in self.design.parameters
        ]
        return np.ascontiguousarray(np.hstack([*parts, np.empty((S, 0))]))

    def outcome(self) -> tuple[object, ...]:
        """Return what the family's kernel needs of the rows."""
        design, rows = self.design, self.rows
        known = np.array(design.family.known(design.outcome.rows), dtype=float)
        if known.shape[1] > 1:
            known = np.ascontiguousarray(known[:, rows])
        weights = design.outcome.rows.get("weights", np.ones(len(design.y)))[rows]
        return code(design.family), design.y[rows].astype(float), known, weights

    def constants(self) -> Array:
        """Return what the family's kernel leaves out of each row, shape (rows,)."""
        eta = np.ones((len(self.rows), 1))
        first = {name: draws[:1] for name, draws in self.others.items()}
        exact = row_log_likelihood(self.design, self.rows, eta, first)[:, 0]
        line = GroupQuadrature(self.design, self.rows, self.block, self.starts, first).line(1)
        kernel = quadrature_groups.each_row(self.outcome(), eta[:, 0], line.T.copy())
        return np.asarray(exact - kernel)

    def evaluate(self, base: Array, factors: Array, line: Array, by_row: bool) -> Array:
        """Return log likelihoods of groups, or of rows given the others of their group.

        Parameters
        ----------
        base
            Linear predictors without the effects, shape (S, rows).
        factors
            F of the effects' covariance F F', shape (S, q, q).
        line
            As of `line`.
        by_row
            Whether of rows.

        Returns
        -------
        array, shape (S, J) or (S, rows)
        """
        q = factors.shape[1]
        rule = gauss_hermite(NODES[q], q)
        Z = np.ascontiguousarray(self.block.Z[self.rows])
        J = len(self.starts) - 1
        found = np.empty((len(base), base.shape[1] if by_row else J))
        spread_out(
            quadrature_groups.evaluate, len(base), 20.0 * base.size * len(rule[1]),
            np.ascontiguousarray(base), Z, np.ascontiguousarray(factors), line, self.outcome(),
            self.starts, rule, np.zeros((J, q)), by_row, found,
        )  # fmt: skip
        left_out = self.constants()
        return np.asarray(
            found + (left_out if by_row else np.add.reduceat(left_out, self.starts[:-1]))
        )

    def within(self, outer: RandomBlock, base: Array, factors: Array) -> Array:
        """Return log likelihoods of the groups of an outer grouping of one effect, shape (S, J).

        Parameters
        ----------
        outer
            The grouping.
        base
            As of `evaluate`.
        factors
            Of the covariance of inner and outer effects, block diagonal, shape (S, q + 1, q + 1).
        """
        codes, column = outer.grouping.codes[self.rows], outer.Z[self.rows, 0]
        changes = np.diff(codes, prepend=-1) != 0
        which = np.cumsum(changes) - 1
        first = np.searchsorted(self.starts[:-1], np.flatnonzero(changes))
        inner, sd, line = factors[:, :-1, :-1], factors[:, -1, -1], self.line(len(base))

        def given(z: Array, eta: Array, F: Array, scale: Array, own: Array) -> Array:
            shifted = eta + scale[:, None] * z[:, which] * column
            return np.add.reduceat(self.evaluate(shifted, F, own, False), first, axis=1)

        K, J = len(COARSE), len(first)
        mean, own = (np.repeat(each.mean(axis=0)[None], K, axis=0) for each in (base, line))
        scale = np.full(K, np.sqrt((sd**2).mean()))
        grid = np.repeat(COARSE[:, None], J, axis=1)
        values = given(grid, mean, root_mean(inner, K), scale, own) - grid**2 / 2
        share = np.exp(values - values.max(axis=0))
        share /= share.sum(axis=0)
        centre = (share * grid).sum(axis=0)
        spread = np.sqrt((share * (grid - centre) ** 2).sum(axis=0))
        spread = np.maximum(spread, COARSE[1] - COARSE[0])
        points, log_weights = gauss_hermite(OUTER, 1)
        terms = []
        for x, weight in zip(points[:, 0], log_weights, strict=True):
            z = np.repeat((centre + spread * x)[None], len(base), axis=0)
            terms.append(weight + np.log(spread) - z**2 / 2 + given(z, base, inner, sd, line))
        return np.asarray(np.logaddexp.reduce(terms, axis=0))


def root_mean(factors: Array, times: int) -> Array:
    """Return a factor of the mean covariance, repeated, shape (times, q, q)."""
    T = np.einsum("sab,scb->ac", factors, factors) / len(factors)
    values, vectors = np.linalg.eigh(T)
    F = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.repeat(F[None], times, axis=0)
