"""How many nodes a quadrature needs: doubled until the log likelihood stands still."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FIRST, MOST = 7, 56
"""Nodes in each dimension at first, and at most."""

STILL = 0.01
"""Change of the log likelihood that counts as none."""


def choose_nodes(
    log_likelihood: Callable[[int, Array], Array], points: Array, still: float = STILL
) -> tuple[int, float]:
    """Return the fewest nodes of 7, 14, 28, … whose doubling does not move the log likelihood.

    Parameters
    ----------
    log_likelihood
        Of a number of nodes and points (S, d), shape (S,).
    points
        Where it must stand still.
    still
        Change that counts as none.

    Returns
    -------
    nodes, move
        The number, and how far doubling it moves the log likelihood: above `still` only
        where `MOST` nodes are not enough.
    """
    nodes, values = FIRST, log_likelihood(FIRST, points)
    while True:
        doubled = log_likelihood(2 * nodes, points)
        move = float(np.abs(doubled - values).max())
        if move < still or nodes >= MOST:
            return nodes, move
        nodes, values = 2 * nodes, doubled
