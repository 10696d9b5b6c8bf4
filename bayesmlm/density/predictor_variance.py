"""The conditional variance of the random part of each row, given the fixed effects.

With rows eta_i = x_i' beta + e_i' z, z standard normal and e_i the scaled effect columns of
the row, and a working response of precision w_i, the variance of e_i' z given the response is
e_i' A⁻¹ e_i, A = I + sum_i w_i e_i e_i'. Groups are eliminated innermost first; nested ones stay
small blocks, of crossed ones all but the leading grouping are dense.

References
----------
Bates, Mächler, Bolker & Walker (2015), doi:10.18637/jss.v067.i01, section 3.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.crossproducts import by_group
from bayesmlm.density.structure import Structure
from bayesmlm.design import RandomBlock

Array = NDArray[np.float64]

ROWS = 2**22
"""Numbers of a dense block of rows that are held at once."""


def predictor_variance(
    blocks: tuple[RandomBlock, ...], structure: Structure, factors: list[Array], weight: Array
) -> Array:
    """Return the variance of each row's random part given the response, shape (N,).

    Parameters
    ----------
    blocks, structure
        The groupings, and the kernel that suits them.
    factors
        F of the covariance F F' by grouping of the design, each of shape (q, q).
    weight
        Precision of each row, shape (N,).
    """
    if not blocks:
        return np.zeros_like(weight)
    order = structure.order
    scaled = [blocks[k].Z @ factors[k] for k in order]
    chosen = tuple(blocks[k] for k in order)
    if structure.is_nested:
        return nested_variance(chosen, scaled, weight)
    return crossed_variance(chosen, scaled, weight)


def nested_variance(blocks: tuple[RandomBlock, ...], scaled: list[Array], weight: Array) -> Array:
    """Return the variances where each grouping lies in the next."""
    rows = np.column_stack(scaled)
    widths = [columns.shape[1] for columns in scaled]
    sizes = [block.grouping.size for block in blocks]
    codes = blocks[0].grouping.codes
    precision = by_group(rows * weight[:, None], rows, codes, sizes[0])
    inverses, gains, parents = [], [], []
    for k, q in enumerate(widths):
        precision[:, :q, :q] += np.eye(q)
        inverse = np.linalg.inv(precision[:, :q, :q])
        gain = inverse @ precision[:, :q, q:]
        rest = precision[:, q:, q:] - precision[:, q:, :q] @ gain
        inverses.append(inverse)
        gains.append(gain)
        if k + 1 < len(blocks):
            above = np.empty(sizes[k], dtype=np.int64)
            above[blocks[k].grouping.codes] = blocks[k + 1].grouping.codes
            parents.append(above)
            precision = np.zeros((sizes[k + 1], *rest.shape[1:]))
            np.add.at(precision, above, rest)
    joint = inverses[-1]
    for k in range(len(blocks) - 2, -1, -1):
        outer = joint[parents[k]]
        cross = -gains[k] @ outer
        own = inverses[k] - cross @ gains[k].transpose(0, 2, 1)
        joint = np.block([[own, cross], [cross.transpose(0, 2, 1), outer]])
    found = np.empty(len(rows))
    step = max(1, ROWS // rows.shape[1] ** 2)
    for start in range(0, len(rows), step):
        some = slice(start, start + step)
        found[some] = np.einsum("na,nab,nb->n", rows[some], joint[codes[some]], rows[some])
    return found


def indicator(block: RandomBlock, columns: Array) -> Any:
    """Return the sparse effect columns of a grouping, shape (N, J q), q columns a group."""
    from scipy import sparse

    n, q = columns.shape
    at = block.grouping.codes[:, None] * q + np.arange(q)
    shape = (n, block.grouping.size * q)
    return sparse.csr_matrix((columns.ravel(), at.ravel(), np.arange(0, n * q + 1, q)), shape=shape)


def crossed_variance(blocks: tuple[RandomBlock, ...], scaled: list[Array], weight: Array) -> Array:
    """Return the variances where groupings cross; the first has its block eliminated."""
    from scipy import sparse
    from scipy.linalg import cholesky, solve_triangular

    lead, own = blocks[0].grouping, scaled[0]
    J, q = lead.size, own.shape[1]
    within = by_group(own * weight[:, None], own, lead.codes, J) + np.eye(q)
    inverse = np.linalg.inv(within)
    at = sparse.bsr_matrix((inverse, np.arange(J), np.arange(J + 1)), shape=(J * q, J * q))
    first = indicator(blocks[0], own)
    others = sparse.hstack(
        [indicator(b, columns) for b, columns in zip(blocks[1:], scaled[1:], strict=True)],
        format="csr",
    )
    weighted = sparse.diags(weight) @ others
    coupling = (first.T @ weighted).tocsr()
    gain = (at @ coupling).tocsr()
    remaining = np.eye(others.shape[1]) + (others.T @ weighted - coupling.T @ gain).toarray()
    lower = cholesky(remaining, lower=True)
    left = (others - first @ gain).tocsr()
    found = np.einsum("na,nab,nb->n", own, inverse[lead.codes], own)
    step = max(1, ROWS // others.shape[1])
    for start in range(0, len(own), step):
        part = left[start : start + step].toarray()
        found[start : start + step] += (solve_triangular(lower, part.T, lower=True) ** 2).sum(0)
    return found
