"""Linear coordinates in which a sampler meets the fixed coefficients.

The columns of X can be far from zero, on unlike scales and correlated. In the coordinates
z = R b / (s sqrt(N)), with X = Q R the thin QR decomposition and s the scale of the linear
predictor, the columns are orthogonal and of unit scale. The map is linear, so the posterior
is the same and its log density changes by a constant.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def whitening(X: Array, scale: float) -> tuple[Array, Array]:
    """Return the matrix that whitens coefficients, and its inverse.

    Parameters
    ----------
    X
        Columns, shape (N, p), linearly independent.
    scale
        Scale of the linear predictor.

    Returns
    -------
    forward, backward
        z = forward b and b = backward z, both of shape (p, p).
    """
    R = np.linalg.qr(X, mode="r")
    forward = R / (scale * np.sqrt(len(X)))
    return forward, np.linalg.inv(forward)


def linear_transform(forward: Array, backward: Array) -> Any:
    """Return the PyMC transform z = forward b.

    Parameters
    ----------
    forward, backward
        A matrix of shape (p, p) and its inverse.
    """
    import pytensor.tensor as pt
    from pymc.logprob.transforms import Transform

    log_det = float(np.linalg.slogdet(backward)[1])

    class Linear(Transform):
        """z = forward b, a constant linear map of a vector."""

        name = "whitened"
        ndim_supp = 1

        def forward(self, value: Any, *inputs: Any) -> Any:
            return pt.dot(pt.as_tensor(forward), value)

        def backward(self, value: Any, *inputs: Any) -> Any:
            return pt.dot(pt.as_tensor(backward), value)

        def log_jac_det(self, value: Any, *inputs: Any) -> Any:
            return pt.as_tensor(log_det)

    return Linear()
