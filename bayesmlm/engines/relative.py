"""Cholesky factors of the effects' covariances as free numbers, for maximum likelihood.

Each factor Theta is lower triangular and its diagonal may have any sign, so that a variance
of zero is inside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.hyperparameters import Hyperparameters

Array = NDArray[np.float64]

SINGULAR = 1e-4
"""Smallest singular value of Theta, in units of its columns, below which a fit is singular."""


@dataclass(frozen=True)
class Block:
    """A block of correlated effects and its part of theta.

    Theta is lower triangular in coordinates in which the effects' columns are orthonormal,
    so that neither units nor origins of the predictors matter to the optimiser.

    Parameters
    ----------
    group, members
        Index of the grouping, and of the m effects in it.
    axes, to_axes
        The kernel's columns of the effects, shape (q, m), are ``axes @ to_axes``.
    lower, places
        Rows and columns of Theta's free entries, and their positions in theta.
    """

    group: int
    members: tuple[int, ...]
    axes: Array
    to_axes: Array
    lower: tuple[NDArray[np.int64], NDArray[np.int64]]
    places: NDArray[np.int64]

    def theta(self, theta: Array) -> Array:
        """Return Theta of this block, shape (S, m, m)."""
        m = len(self.members)
        matrix = np.zeros((len(theta), m, m))
        rows, columns = self.lower
        matrix[:, rows, columns] = theta[:, self.places]
        return matrix


def find_blocks(layout: Hyperparameters, to_Z: tuple[Array, ...]) -> tuple[Block, ...]:
    """Return the blocks of correlated effects, in the order of theta.

    Parameters
    ----------
    layout
        The groupings.
    to_Z
        Coordinates of each grouping's columns, in the order of the design.
    """
    found, at = [], 0
    for k, slots in enumerate(layout.groups):
        for members in slots.block.blocks:
            axes, to_axes = np.linalg.qr(to_Z[k][:, members])
            lower = np.tril_indices(len(members))
            places = np.arange(at, at + len(lower[0]))
            at += len(places)
            found.append(Block(k, members, axes, to_axes, lower, places))
    return tuple(found)


def identity(blocks: tuple[Block, ...]) -> Array:
    """Return theta of SDs one and no correlation."""
    parts = [np.eye(len(block.members))[block.lower] for block in blocks]
    return np.concatenate([*parts, np.empty(0)])


def kernel_factors(blocks: tuple[Block, ...], to_Z: tuple[Array, ...], theta: Array) -> list[Array]:
    """Return the kernel's scales of each grouping, each of shape (S, q, q)."""
    S = len(theta)
    found = [np.zeros((S, q, q)) for q in map(len, to_Z)]
    for block in blocks:
        found[block.group][:, :, block.members] = block.axes @ block.theta(theta)
    return found


def user_factors(blocks: tuple[Block, ...], to_Z: tuple[Array, ...], theta: Array) -> list[Array]:
    """Return a factor of each grouping's covariance in the user's coordinates, (S, q, q).

    Square, not triangular.
    """
    found = [np.zeros((len(theta), q, q)) for q in map(len, to_Z)]
    for block in blocks:
        inside = np.ix_(np.arange(len(theta)), block.members, block.members)
        found[block.group][inside] = np.linalg.solve(block.to_axes, block.theta(theta))
    return found


def theta_slopes(blocks: tuple[Block, ...], slopes: list[Array], size: int) -> Array:
    """Return the slopes in theta, shape (size,), given those in the kernel's scales."""
    found = np.zeros(size)
    for block in blocks:
        own = block.axes.T @ slopes[block.group][:, block.members]
        found[block.places] = own[block.lower]
    return found


def set_hyperparameters(layout: Hyperparameters, factors: list[Array], psi: Array) -> None:
    """Set the SDs and correlations in psi, shape (d,); correlations of zero SDs are zero."""
    for slots, L in zip(layout.groups, factors, strict=True):
        sds = np.sqrt((L**2).sum(axis=1))
        psi[slots.sds] = np.log(np.maximum(sds, 1e-150))
        for members, at in zip(slots.block.blocks, slots.partials, strict=True):
            psi[at] = partials(L[np.ix_(members, members)])


def is_singular(blocks: tuple[Block, ...], theta: Array) -> bool:
    """Whether a variance is zero or a correlation is one."""
    return any(
        np.linalg.svd(block.theta(theta[None])[0], compute_uv=False).min() < SINGULAR
        for block in blocks
    )


def partials(factor: Array) -> Array:
    """Return atanh of the partial correlations of a covariance, in the order of `cholesky_factor`.

    Parameters
    ----------
    factor
        F of the covariance F F', square. Correlations that are one within rounding keep
        their digits, as the ratio of an entry to what remains of its row.
    """
    L = np.linalg.qr(factor.T)[1].T
    L = L * np.where(np.diag(L) < 0, -1.0, 1.0)
    found = []
    for j, row in enumerate(L):
        length = np.sqrt((row**2).sum())
        for i in range(j):
            rest = max(np.sqrt((row[i + 1 : j + 1] ** 2).sum()), 1e-16 * length)
            found.append(np.arcsinh(row[i] / rest) if rest > 0 else 0.0)
    return np.array(found)
