"""Which kernel suits the groupings of a design, and its arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density import crossed, crossed_moments, nested, nested_draws, nested_moments
from bayesmlm.density.crossed_arrays import crossed_arrays, crossed_order
from bayesmlm.density.crossproducts import Columns
from bayesmlm.density.nested_arrays import nested_arrays, nesting_order
from bayesmlm.design import RandomBlock

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Kernel:
    """Functions of one kind of structure.

    Parameters
    ----------
    evaluate
        Figures of the likelihood of a batch of hyperparameters.
    draw
        Draws of the effects.
    moments
        What the gradient needs; compiled.
    """

    evaluate: Callable[..., Any]
    draw: Callable[..., Any]
    moments: Callable[..., Any]


NESTED = Kernel(nested.evaluate, nested_draws.draw, nested_moments.moments)
CROSSED = Kernel(crossed.evaluate, crossed.draw, crossed_moments.moments)


@dataclass(frozen=True)
class Structure:
    """A kernel and what it needs of the data.

    Parameters
    ----------
    kernel
        `NESTED` or `CROSSED`.
    arguments
        The arrays that come before G, sigma and prior in each function of the kernel.
    order
        Index, in the design, of each grouping in the kernel's order.
    sizes, widths
        Numbers of groups and effects, in the kernel's order.
    places
        Place of each group in the kernel's order of groups, one array a grouping.
    work
        Rough number of multiplications of one evaluation.
    """

    kernel: Kernel
    arguments: tuple[Any, ...]
    order: tuple[int, ...]
    sizes: tuple[int, ...]
    widths: tuple[int, ...]
    places: tuple[Ints, ...]
    work: float

    @property
    def is_nested(self) -> bool:
        """Whether the nested kernel is used."""
        return self.kernel is NESTED

    @property
    def n_effects(self) -> int:
        """Number of random effects over all groupings."""
        return sum(J * q for J, q in zip(self.sizes, self.widths, strict=True))

    def evaluate(self, G: Array, sigma: Array, prior: Array) -> Array:
        """Return log determinants of the random and the fixed part and the quadratic form.

        Parameters
        ----------
        G, sigma
            Scales and residual SD of each hyperparameter vector, shapes (S, …) and (S,).
        prior
            Matrix of the fixed effects' prior.

        Returns
        -------
        array, shape (S, 3)
        """
        work = self.work * len(sigma)
        return np.asarray(self.kernel.evaluate(work, *self.arguments, G, sigma, prior))

    def draw(
        self,
        G: Array,
        sigma: Array,
        prior: Array,
        first_draw: Ints,
        noise: Array,
        noise_beta: Array,
    ) -> tuple[Array, Array]:
        """Return draws of standardised and fixed effects; see `nested_draws.draw`."""
        found = self.kernel.draw(
            self.work * len(sigma), *self.arguments, G, sigma, prior, first_draw, noise, noise_beta
        )
        return found[0], found[1]

    def moments(self, G: Array, sigma: float, prior: Array) -> tuple[Array, Array, Array, Array]:
        """Return what the gradient needs at one vector; see `nested_moments.moments`."""
        found = self.kernel.moments(*self.arguments, G, sigma, prior)
        return found[0], found[1], found[2], found[3]


def structure(blocks: tuple[RandomBlock, ...], data: Columns) -> Structure | None:
    """Return the structure of a design, or None where a crossed remainder is too large."""
    order = nesting_order(blocks)
    if order is not None:
        return nested_structure(blocks, data, order)
    return crossed_structure(blocks, data, crossed_order(blocks))


def flattened(arguments: tuple[Any, ...]) -> list[Any]:
    """Return arrays that may lie in tuples one after another."""
    parts = (part if isinstance(part, tuple) else (part,) for part in arguments)
    return [array for part in parts for array in part]


def shapes(
    blocks: tuple[RandomBlock, ...], order: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the numbers of groups and of effects in an order."""
    return (
        tuple(blocks[k].grouping.size for k in order),
        tuple(len(blocks[k].effects) for k in order),
    )


def nested_structure(
    blocks: tuple[RandomBlock, ...], data: Columns, order: tuple[int, ...]
) -> Structure:
    """Return the structure of groupings that nest, from the innermost out."""
    arguments, places = nested_arrays(blocks, data, order)
    sizes, widths = shapes(blocks, order)
    width = sum(widths) + data.X.shape[1] + 1
    work = float(sum(J * q * width**2 for J, q in zip(sizes, widths, strict=True)))
    return Structure(NESTED, arguments, order, sizes, widths, places, work)


def crossed_structure(
    blocks: tuple[RandomBlock, ...],
    data: Columns,
    order: tuple[int, ...],
    sparse_columns: int | None = None,
) -> Structure | None:
    """Return the structure of groupings that cross, the leading one first.

    Parameters
    ----------
    sparse_columns
        How many columns of the remainder are kept sparse; None takes the quickest.
    """
    arguments = crossed_arrays(blocks, data, order, sparse_columns)
    if arguments is None:
        return None
    leading, _, shape = arguments
    sizes, widths = shapes(blocks, order)
    work = shape.multiplications + 10.0 * (leading.values.size + leading.pairs.size * widths[0])
    places = tuple(np.arange(size) for size in sizes)
    return Structure(CROSSED, arguments, order, sizes, widths, places, work)
