"""Gauss-Hermite rules for the standard normal distribution, in one to three dimensions."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def gauss_hermite(nodes: int, dimensions: int) -> tuple[Array, Array]:
    """Return the product rule around a mode.

    Parameters
    ----------
    nodes
        Nodes in each dimension, K.
    dimensions
        Number of dimensions, q.

    Returns
    -------
    points, log_weights
        Shapes (K^q, q) and (K^q,), such that sum exp(log_weights + h(points)) is the
        integral of exp(h(x)) (2 pi)^(-q/2), exact where h is -x'x/2 plus the logarithm of a
        polynomial.
    """
    x, w = np.polynomial.hermite.hermgauss(nodes)
    log_w = np.log(w) + x**2 - 0.5 * np.log(np.pi)
    chosen = np.array(list(product(range(nodes), repeat=dimensions)), dtype=np.int64)
    chosen = chosen.reshape(-1, dimensions)
    return np.ascontiguousarray(np.sqrt(2) * x[chosen]), log_w[chosen].sum(axis=1)
