"""Coordinates in which the lower tails of log SDs are light.

Where data do not rule out that an SD is zero, its density there is finite, and that of x = log
sd falls as exp(x) only: slower in x than importance sampling about the mode proposes. Below a
start x0 the coordinate z with

    x = z - c u² ,   u = (x0 - z) / c  > 0,

has a tail that falls as a normal one does; above x0 it is x.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

START = 1.5
"""SDs below the mode of a log SD where the stretch begins."""


@dataclass(frozen=True)
class Stretch:
    """Coordinates z of hyperparameters psi.

    Parameters
    ----------
    at
        Which hyperparameters are log SDs, shape (k,).
    starts, scales
        x0 and c of each, shape (k,).
    """

    at: NDArray[np.int64]
    starts: Array
    scales: Array

    def to_psi(self, z: Array) -> Array:
        """Return hyperparameters, shape (S, d)."""
        psi = z.copy()
        # products and sums only: the same digits whatever the batch
        psi[:, self.at] -= self.scales * self.below(z) * self.below(z)
        return psi

    def below(self, z: Array) -> Array:
        """Return u, zero above the starts, shape (S, k)."""
        return np.maximum((self.starts - z[:, self.at]) / self.scales, 0.0)

    def log_jacobian(self, z: Array) -> Array:
        """Return log |d psi / d z|, shape (S,)."""
        return np.asarray(np.log1p(2 * self.below(z)).sum(axis=1))


def stretch(at: NDArray[np.int64], mode: Array, covariance: Array) -> Stretch:
    """Return the coordinates about a mode of psi, shape (d,), of a covariance (d, d)."""
    sds = np.sqrt(np.diag(covariance)[at])
    return Stretch(at, mode[at] - START * sds, sds)
