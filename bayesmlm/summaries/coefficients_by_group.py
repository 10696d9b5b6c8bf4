"""The groups' whole coefficients: which fixed columns a group's effect columns take up.

A fixed column that is c_j z_q in every row of group j, such as z_q itself, a group-level
predictor w (c_j = w_j, z the intercept) or a product w x (c_j = w_j, z = x), belongs to the
coefficient of z_q: in group j that is sum of beta c_j + u_qj. A column in the span of
several effect columns is divided over them by least squares. Every other column has a
coefficient common to all groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design import RandomBlock
from bayesmlm.summaries.rows import full_rank, generalised_inverse, group_products

Array = NDArray[np.float64]

CLOSE = 1e-9
"""What may be left of a column, relative to its length, that effect columns take up."""


@dataclass(frozen=True)
class Split:
    """Fixed columns as a grouping sees them.

    Parameters
    ----------
    own
        Which fixed columns belong to the groups' coefficients, k of the p.
    loadings
        By group and effect, the weight of each of these columns' coefficient, shape
        (J, q, k); not a number where a group does not tell.
    common
        Which columns have one coefficient for all groups.
    """

    own: tuple[int, ...]
    loadings: Array
    common: tuple[int, ...]

    def totals(self, beta: Array, groups: NDArray[np.int64] | None = None) -> Array:
        """Return the fixed part of some groups' coefficients, shape (groups, q, S), of (S, p)."""
        loadings = self.loadings if groups is None else self.loadings[groups]
        return loadings @ beta[:, list(self.own)].T


def split(X: Array, block: RandomBlock) -> Split:
    """Divide fixed columns, shape (N, p), into the groups' own and the common ones."""
    own, loadings, common = [], [], []
    products = group_products(block, np.ones(len(X)))
    inverse = generalised_inverse(products)
    told = np.where(full_rank(products), 1.0, np.nan)[:, None]
    for k, column in enumerate(X.T):
        found = proportional(column, block)
        if found is None:
            found = in_span(column, block, inverse)
            found = None if found is None else found * told
        if found is None:
            common.append(k)
        else:
            own.append(k)
            loadings.append(found)
    shape = (block.grouping.size, len(block.effects), 0)
    stacked = np.stack(loadings, axis=-1) if loadings else np.empty(shape)
    return Split(tuple(own), stacked, tuple(common))


def proportional(column: Array, block: RandomBlock) -> Array | None:
    """Return the loadings of a column that is a multiple of one effect in each group.

    In a group in whose rows the effect's column is 0 throughout the multiple is not a number,
    unless it is the same in all other groups.
    """
    codes, J = block.grouping.codes, block.grouping.size
    for q, z in enumerate(block.Z.T):
        length = np.bincount(codes, z * z, J)
        told = length > 0
        c = np.bincount(codes, z * column, J) / np.where(told, length, 1.0)
        if told.any() and is_small(column - z * c[codes], column):
            same = np.ptp(c[told]) <= CLOSE * np.abs(c[told]).max()
            found = np.zeros((J, block.Z.shape[1]))
            # one number for all, free of the rounding that tells them apart
            found[:, q] = float(np.median(c[told])) if same else np.where(told, c, np.nan)
            return found
    return None


def in_span(column: Array, block: RandomBlock, inverse: Array) -> Array | None:
    """Return the loadings of a column that is in the span of the effects in each group."""
    codes, J = block.grouping.codes, block.grouping.size
    cross = np.stack([np.bincount(codes, z * column, J) for z in block.Z.T], axis=-1)
    found = np.einsum("jab,jb->ja", inverse, cross)
    inside = is_small(column - (block.Z * found[codes]).sum(axis=1), column)
    return found if inside else None


def is_small(rest: Array, column: Array) -> bool:
    """Return whether nothing but rounding is left of a column."""
    return bool(np.linalg.norm(rest) <= CLOSE * np.linalg.norm(column))
