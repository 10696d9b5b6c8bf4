"""Where optimisers start: SDs of two fifths of the response's, no correlation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density import GaussianMarginal

Array = NDArray[np.float64]

EFFECT_SHARE = 0.4
RESIDUAL_SHARE = 0.7


def starting_point(marginal: GaussianMarginal) -> Array:
    """Return hyperparameters to start from, shape (d,)."""
    design, layout = marginal.design, marginal.layout
    scale = float(design.y.std())
    start = np.zeros(layout.size)
    for slots in layout.groups:
        length = np.sqrt((slots.block.Z**2).mean(axis=0))
        start[slots.sds] = np.log(EFFECT_SHARE * scale / length)
    if layout.sigma is not None:
        start[layout.sigma] = np.log(RESIDUAL_SHARE * scale)
    return start
