"""The prior of the hyperparameters for a batch of vectors, compiled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bayesmlm.density.hyperparameters import Hyperparameters
from bayesmlm.density.hyperparameters import log_prior as normalised
from bayesmlm.density.log_prior import log_prior, prior_arrays
from bayesmlm.priors import Priors

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@njit(cache=True, nogil=True, error_model="numpy")
def log_priors(psi, kinds, first, second, found):
    """Write `log_prior` of every row of psi, shape (S, d), into an array of shape (S,)."""
    unused = np.empty(psi.shape[1])
    for s in range(len(psi)):
        found[s] = log_prior(psi[s], kinds, first, second, unused)


@dataclass(frozen=True)
class PsiPrior:
    """A prior density of hyperparameters.

    Parameters
    ----------
    arrays
        Kind and parameters of each entry's prior.
    constant
        What the kernel leaves out.
    """

    arrays: tuple[Ints, Array, Array]
    constant: float

    def log_density(self, psi: Array) -> Array:
        """Return the normalised log density, change of variables included; shape (S,)."""
        found = np.empty(len(psi))
        log_priors(np.ascontiguousarray(psi), *self.arrays, found)
        return found + self.constant


def psi_prior(layout: Hyperparameters, priors: Priors) -> PsiPrior:
    """Return the prior of psi."""
    arrays = prior_arrays(layout, priors)
    origin = np.zeros(layout.size)
    exact = float(normalised(layout, priors, origin[None])[0])
    return PsiPrior(arrays, exact - log_prior(origin, *arrays, np.zeros(layout.size)))
