"""Sums by group of rows and replicates, and each group's own least squares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.density.crossproducts import by_group, orthonormal
from bayesmlm.design import Design, RandomBlock

Array = NDArray[np.float64]

FLOOR = 1e-6
"""Share of the variance of a column, or of the residuals, that counts as none."""


@dataclass(frozen=True)
class GroupSums:
    """Sums over the groups of one grouping, and the least squares of its effect columns.

    Parameters
    ----------
    block
        The grouping and its columns.
    candidates
        Names and columns, shape (N, K), of predictors whose slope does not vary by group.
    """

    block: RandomBlock
    candidates: tuple[tuple[str, ...], Array]

    @cached_property
    def matrix(self) -> Any:
        """Sums by group as a sparse matrix of shape (J, N)."""
        from scipy.sparse import csr_array

        codes, J = self.block.grouping.codes, self.block.grouping.size
        N = len(codes)
        return csr_array((np.ones(N), (codes, np.arange(N))), shape=(J, N))

    @cached_property
    def inverse(self) -> Array:
        """Generalised inverses of Z_j'Z_j, shape (J, q, q)."""
        Z, grouping = self.block.Z, self.block.grouping
        return np.linalg.pinv(
            by_group(Z, Z, grouping.codes, grouping.size), rcond=1e-10, hermitian=True
        )

    @cached_property
    def free(self) -> Array:
        """Rows of each group less the rank of its columns, shape (J,)."""
        Z, grouping = self.block.Z, self.block.grouping
        products = by_group(Z, Z, grouping.codes, grouping.size)
        rank = np.linalg.matrix_rank(products, tol=None, hermitian=True)
        return np.asarray(grouping.counts - rank, dtype=float)

    def total(self, E: Array) -> Array:
        """Return the sums of rows by group, (S, N) to (S, J)."""
        return np.asarray((self.matrix @ E.T).T)

    def mean(self, E: Array) -> Array:
        """Return the means of rows by group, (S, N) to (S, J)."""
        return self.total(E) / self.block.grouping.counts

    def coefficients(self, E: Array) -> Array:
        """Return the least-squares coefficients of each group, shape (S, J, q)."""
        Z = self.block.Z
        moments = np.stack([self.total(E * z) for z in Z.T], axis=-1)
        return np.asarray(np.einsum("jab,sjb->sja", self.inverse, moments))

    def without_fit(self, E: Array) -> Array:
        """Return rows less their group's least-squares fit, shape (S, N)."""
        found, codes = self.coefficients(E), self.block.grouping.codes
        out = E.copy()
        for k, z in enumerate(self.block.Z.T):
            out -= z * found[:, codes, k]
        return out

    @cached_property
    def determined(self) -> NDArray[np.bool_]:
        """Which groups determine each of their coefficients, shape (J, q)."""
        Z, grouping = self.block.Z, self.block.grouping
        products = by_group(Z, Z, grouping.codes, grouping.size)
        total = np.einsum("jaa->a", products) / grouping.size
        fitted = np.einsum("jab,jbc->jac", self.inverse, products)
        own = np.abs(np.einsum("jaa->ja", fitted) - 1) < FLOOR
        return own & (np.einsum("jaa->ja", products) > FLOOR * total)

    @cached_property
    def slopes(self) -> tuple[tuple[str, Array, Array], ...]:
        """Candidates that vary within groups: name, column less the groups' fit, its squares."""
        found = []
        for name, x in zip(*self.candidates[:1], self.candidates[1].T, strict=True):
            inside = self.without_fit(x[None])[0]
            squares = self.total(inside[None] ** 2)[0]
            used = squares > FLOOR * ((x - x.mean()) ** 2).mean()
            if used.sum() > 2:
                keep = used[self.block.grouping.codes]
                found.append((name, np.where(keep, inside, 0.0), np.where(used, squares, np.inf)))
        return tuple(found)


def candidates(design: Design, block: RandomBlock) -> tuple[tuple[str, ...], Array]:
    """Return the fixed columns whose slope does not vary over a grouping."""
    basis = orthonormal(block.Z, 1.0)[0]
    chosen = []
    for k, name in enumerate(design.coef):
        x = design.X[:, k]
        left = x - basis @ (basis.T @ x)
        if name != names.INTERCEPT and (left**2).sum() > FLOOR * (x**2).sum():
            chosen.append(k)
    return tuple(design.coef[k] for k in chosen), design.X[:, chosen]
