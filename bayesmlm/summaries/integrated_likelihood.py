"""The log likelihood of rows and groups with the effects that they share integrated out.

    p(y_j | theta) = integral p(y_j | theta, u_j) p(u_j | theta) du_j

of a group, theta the fixed effects, hyperparameters and the effects of groupings that are not
integrated out; and p(y_i | y_-i, theta) of a row given the other rows of its group. Both are
smoother in theta than densities given u, which a left-out row or group tells much of.

References
----------
Merkle, Furr & Rabe-Hesketh (2019), doi:10.1007/s11336-019-09679-0;
Vehtari, Mononen, Tolvanen, Sivula & Winther (2016), Journal of Machine Learning Research 17, 103.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density import gaussian_groups
from bayesmlm.density.threads import spread
from bayesmlm.design import Design, RandomBlock
from bayesmlm.design.grouping import Grouping
from bayesmlm.effects import random_effects
from bayesmlm.errors import StatisticError, message
from bayesmlm.result import FitResult
from bayesmlm.summaries.group_quadrature import GroupQuadrature
from bayesmlm.summaries.row_likelihood import further_draws, row_log_likelihood
from bayesmlm.summaries.rows import CHUNK, Integers, deviations, fixed_columns, n_draws
from bayesmlm.summaries.standard_errors import root
from bayesmlm.summaries.variance_components import covariance_draws

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Integrated:
    """What the likelihood of groups, or of rows within them, is computed from.

    Parameters
    ----------
    design
        Rows and outcomes; the fit's, or one of other rows with the same groups.
    grouping
        The groups whose rows stand together.
    chain
        Groupings whose effects are integrated out, each nested in the next, the last in
        `grouping`; empty where there is none. See `bayesmlm.summaries.chain`.
    order
        Rows by group, and by the groups of the chain within.
    starts
        First of these of each group, shape (J + 1,).
    X, beta
        Fixed columns with the offset, and draws of coefficients, shapes (N, p) and (S, p).
    others
        Draws of the further parameters.
    factors
        Draws of F, the covariance of the chain's effects F F', shape (S, Q, Q).
    given
        Groupings that are not integrated out, and draws of their effects, shape (J, q, S).
    """

    design: Design
    grouping: Grouping
    chain: tuple[RandomBlock, ...]
    order: Integers
    starts: Integers
    X: Array
    beta: Array
    others: Mapping[str, Array]
    factors: Array
    given: tuple[tuple[RandomBlock, Array], ...]

    def groups(self, chosen: Integers | None = None) -> Iterator[tuple[Integers, Array]]:
        """Return log p(y_j | theta), some groups at a time.

        Parameters
        ----------
        chosen
            Groups wanted, in increasing order; None returns all.

        Yields
        ------
        groups, values
            Codes of the groups, and draws of shape (groups, S).
        """
        wanted = np.arange(self.grouping.size) if chosen is None else chosen
        for some in self.pieces(wanted):
            yield some, self.values(some, by_row=False)

    def rows(self, chosen: Integers | None = None) -> Iterator[tuple[Integers, Array]]:
        """Return log p(y_i | y_-i, theta), some groups at a time.

        Parameters
        ----------
        chosen
            Groups whose rows are wanted; None returns all.

        Yields
        ------
        rows, values
            Positions of the rows, and draws of shape (rows, S).
        """
        wanted = np.arange(self.grouping.size) if chosen is None else chosen
        for some in self.pieces(wanted):
            yield self.rows_of(some), self.values(some, by_row=True)

    def pieces(self, wanted: Integers) -> Iterator[Integers]:
        """Return groups in runs whose rows take at most `CHUNK` numbers."""
        counts = self.grouping.counts[wanted]
        widest = 1 + sum(len(block.effects) for block, _ in self.given)
        whose = np.cumsum(counts) * len(self.beta) * widest // CHUNK
        cuts = np.flatnonzero(np.diff(whose)) + 1
        yield from (each for each in np.split(wanted, cuts) if len(each))

    def rows_of(self, groups: Integers) -> Integers:
        """Return the rows of some groups, in order."""
        return np.concatenate([self.order[self.starts[j] : self.starts[j + 1]] for j in groups])

    def values(self, groups: Integers, by_row: bool) -> Array:
        """Return the log likelihoods of some groups or of their rows; shape (…, S)."""
        rows = self.rows_of(groups)
        base = self.X[rows] @ self.beta.T
        for block, draws in self.given:
            base += deviations(block, rows, draws, 0)
        first = np.append(0, np.cumsum(self.grouping.counts[groups])[:-1])
        if not self.chain:
            found = row_log_likelihood(self.design, rows, base, self.others)
            return found if by_row else np.add.reduceat(found, first, axis=0)
        compute = self.gaussian if self.design.family.name == "gaussian" else self.quadrature
        starts = self.cuts(rows, self.chain[0])
        values = compute(rows, np.ascontiguousarray(base.T), starts, by_row).T
        if not by_row:
            outer = self.cuts(rows, self.chain[-1])[:-1]
            values = np.add.reduceat(values, np.searchsorted(outer, first), axis=0)
        if not np.isfinite(values).all():
            at = int(np.argmax(~np.isfinite(values).all(axis=1)))
            raise StatisticError(
                message(
                    f"the effects of {self.grouping.name} do not integrate numerically at "
                    f"{int((~np.isfinite(values[at])).sum()):,} draws",
                    "draws at which the likelihood of every group is finite",
                    "look at fit.check(), and refit if it did not converge",
                )
            )
        return values

    def cuts(self, rows: Integers, block: RandomBlock) -> Integers:
        """Return where, among some rows in order, each group of a grouping begins, and the end."""
        changes = np.flatnonzero(np.diff(block.grouping.codes[rows], prepend=-1))
        return np.append(changes, len(rows))

    def columns(self, rows: Integers) -> Array:
        """Return the effect columns of the chain, shape (rows, Q)."""
        return np.ascontiguousarray(np.column_stack([block.Z[rows] for block in self.chain]))

    def gaussian(self, rows: Integers, base: Array, starts: Integers, by_row: bool) -> Array:
        """Return the values of a Gaussian response, exactly; shape (S, …)."""
        additions = self.design.outcome.rows
        power = additions.get("weights", np.ones(len(self.design.y)))[rows]
        ones = np.ones(len(self.design.y))
        precision = (
            1 / additions["se"] ** 2 if "se" in additions else additions.get("precision", ones)
        )[rows]
        sigma = np.asarray(self.others.get("sigma", np.ones(len(base))))
        constant = 0.5 * power * (np.log(precision) - np.log(2 * np.pi))
        residual = self.design.y[rows] - base
        Z, weight = self.columns(rows), power * precision
        given = residual, sigma, Z, self.factors, weight, starts
        S, work = len(residual), 10.0 * residual.size * Z.shape[1] ** 2
        if by_row:
            found = np.empty(residual.shape)
            spread(gaussian_groups.rows, S, work, *given, found)
            return np.asarray(found + constant - np.outer(np.log(sigma), power))
        last, widths = self.nesting(rows, starts)
        found = np.empty((S, len(self.cuts(rows, self.chain[-1])) - 1))
        spread(gaussian_groups.groups, S, work, *given, last, widths, found)
        first = self.cuts(rows, self.chain[-1])[:-1]
        c, n = np.add.reduceat(constant, first), np.add.reduceat(power, first)
        return np.asarray(found + c - np.outer(np.log(sigma), n))

    def nesting(self, rows: Integers, starts: Integers) -> tuple[NDArray[np.bool_], Integers]:
        """Return what `gaussian_groups.chain` calls last, and the widths."""
        ends = rows[starts[1:] - 1]
        last = np.ones((len(ends), len(self.chain) - 1), dtype=bool)
        for k, block in enumerate(self.chain[1:]):
            own = block.grouping.codes[ends]
            last[:-1, k] = own[1:] != own[:-1]
        return last, np.array([len(block.effects) for block in self.chain], dtype=np.int64)

    def quadrature(self, rows: Integers, base: Array, starts: Integers, by_row: bool) -> Array:
        """Return the values of another response, by quadrature; shape (S, …)."""
        inner, q = self.chain[0], len(self.chain[0].effects)
        found = GroupQuadrature(self.design, rows, inner, starts, self.others)
        if len(self.chain) > 1:
            return found.within(self.chain[1], base, self.factors)
        return found.evaluate(base, self.factors[:, :q, :q], found.line(len(base)), by_row)


def integrated(
    result: FitResult, grouping: Grouping, chain: tuple[RandomBlock, ...], design: Design
) -> Integrated:
    """Return what computes integrated likelihoods of the rows of a design.

    Parameters
    ----------
    result
        The fit, with a posterior.
    grouping
        The groups.
    chain
        The groupings to integrate out; see `bayesmlm.summaries.chain`.
    design
        The fit's, or that of which the fit left rows out.
    """
    S = n_draws(result)
    X, beta, _ = fixed_columns(result)
    widths = [len(block.effects) for block in chain]
    at = np.cumsum([0, *widths])
    factors = np.zeros((S, at[-1], at[-1]))
    for block, first, last in zip(chain, at[:-1], at[1:], strict=True):
        factors[:, first:last, first:last] = root(covariance_draws(result, block))
    inside = {block.name for block in chain}
    given = tuple(
        (block, effects_of(result, block)) for block in design.random if block.name not in inside
    )
    codes = [block.grouping.codes for block in chain]
    return Integrated(
        design=design,
        grouping=grouping,
        chain=chain,
        order=np.lexsort([*codes, grouping.codes]).astype(np.int64),
        starts=np.concatenate([[0], np.cumsum(grouping.counts)]).astype(np.int64),
        X=X,
        beta=beta,
        others=further_draws(result),
        factors=factors,
        given=given,
    )


def effects_of(result: FitResult, block: RandomBlock) -> Array:
    """Return draws of a grouping's effects, shape (J, q, S)."""
    draws = random_effects(result, block.name).to_numpy()
    return np.ascontiguousarray(draws.reshape(-1, *draws.shape[2:]).transpose(1, 2, 0))
