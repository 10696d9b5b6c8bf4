"""Covariance of the effects of several groupings together, given beta, T and sigma².

With u = R z, z standard normal, the covariance of z is (R' Z' W Z R / sigma² + I)⁻¹. The
grouping of most effects is eliminated, as its part is block diagonal: with D that part, B its
products with the others, C theirs and S = C - B' D⁻¹ B, the others have the covariance S⁻¹
and it has D⁻¹ + D⁻¹ B S⁻¹ B' D⁻¹.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design import Design, RandomBlock
from bayesmlm.errors import StatisticError, message
from bayesmlm.summaries.rows import group_products

Array = NDArray[np.float64]

LARGEST = 2**26
"""Numbers in the largest matrix (512 MB)."""


@dataclass(frozen=True)
class Joint:
    """Cross-products of the effects of all groupings.

    Parameters
    ----------
    lead, others
        The grouping of most effects, and the rest.
    own
        Z' W Z of each group of the first, shape (J, q, q).
    cross, rest
        Its products with the others and theirs, shapes (J q, m) and (m, m).
    """

    lead: RandomBlock
    others: tuple[RandomBlock, ...]
    own: Array
    cross: Array
    rest: Array

    def variances(self, block: RandomBlock, roots: dict[str, Array], sigma2: float) -> Array:
        """Return C_qq of one grouping's effects, shape (J, q).

        Parameters
        ----------
        block
            The grouping.
        roots
            R of every grouping, T = R R', of shape (q, q).
        sigma2
            The residual variance.
        """
        J, q = self.own.shape[:2]
        R = roots[self.lead.name]
        D = R.T @ self.own @ R / sigma2 + np.eye(q)
        B = R.T @ self.right(self.cross, roots).reshape(J, q, -1) / sigma2
        DB = np.linalg.solve(D, B)
        m = B.shape[2]
        C = self.right(self.right(self.rest, roots).T, roots) / sigma2 + np.eye(m)
        S = np.linalg.inv(C - np.tensordot(B, DB, axes=([0, 1], [0, 1])))
        if block.name == self.lead.name:
            inner = np.linalg.inv(D) + (DB.reshape(-1, m) @ S).reshape(J, q, m) @ np.swapaxes(
                DB, 1, 2
            )
        else:
            inner = diagonal_blocks(S, self.others, block)
        return np.asarray(np.einsum("ab,jbc,ac->ja", roots[block.name], inner, roots[block.name]))

    def right(self, matrix: Array, roots: dict[str, Array]) -> Array:
        """Return a matrix over the others' effects times their R, group by group."""
        parts, at = [], 0
        for other in self.others:
            q, size = len(other.effects), len(other.effects) * other.grouping.size
            columns = matrix[:, at : at + size].reshape(len(matrix), -1, q) @ roots[other.name]
            parts.append(columns.reshape(len(matrix), size))
            at += size
        return np.concatenate(parts, axis=1)


def diagonal_blocks(S: Array, blocks: tuple[RandomBlock, ...], block: RandomBlock) -> Array:
    """Return the blocks of one grouping's groups on the diagonal of S, shape (J, q, q)."""
    names = [other.name for other in blocks]
    before = blocks[: names.index(block.name)]
    J, q = block.grouping.size, len(block.effects)
    start = sum(other.grouping.size * len(other.effects) for other in before)
    at = start + np.arange(J)[:, None] * q + np.arange(q)
    return S[at[:, :, None], at[:, None, :]]


def columns_of(block: RandomBlock) -> Any:
    """Return the effect columns of all groups as a sparse matrix, shape (N, J q)."""
    from scipy.sparse import csr_array

    N, q = block.Z.shape
    indices = block.grouping.codes[:, None] * q + np.arange(q)
    pointers = np.arange(0, N * q + 1, q)
    shape = (N, q * block.grouping.size)
    return csr_array((block.Z.ravel(), indices.ravel(), pointers), shape)


def joint(design: Design, weights: Array) -> Joint:
    """Return the cross-products of a design of several groupings.

    Raises
    ------
    StatisticError
        Where they are too large.
    """
    from scipy.sparse import hstack

    blocks = sorted(design.random, key=lambda b: b.grouping.size * len(b.effects), reverse=True)
    lead, others = blocks[0], tuple(blocks[1:])
    m = sum(b.grouping.size * len(b.effects) for b in others)
    size = m * max(m, lead.grouping.size * len(lead.effects))
    if size > LARGEST:
        raise StatisticError(
            message(
                f"the covariance of {len(blocks)} groupings, of {m:,} effects beside the largest",
                f"matrices of at most {LARGEST:,} numbers",
                'read the posterior ones: fit.standard_errors(kind="posterior")',
            )
        )
    first, rest = columns_of(lead), hstack([columns_of(b) for b in others]).tocsr()
    weighted = rest.multiply(weights[:, None]).tocsr()
    return Joint(
        lead,
        others,
        group_products(lead, weights),
        (first.T @ weighted).toarray(),
        (rest.T @ weighted).toarray(),
    )
