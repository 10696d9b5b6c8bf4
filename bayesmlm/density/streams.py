"""Uniform random numbers inside compiled code, a stream of its own for each draw.

References
----------
Steele, Lea & Flood (2014), doi:10.1145/2660193.2660195.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

STRIDE = np.uint64(0x9E3779B97F4A7C15)
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
THIRTY, TWENTY_SEVEN, THIRTY_ONE, ELEVEN = (np.uint64(k) for k in (30, 27, 31, 11))


@njit(cache=True, nogil=True, error_model="numpy")
def uniform(stream):
    """Return a number between 0 and 1, neither of them, and move the stream, shape (1,)."""
    stream[0] += STRIDE
    z = stream[0]
    z = (z ^ (z >> THIRTY)) * FIRST
    z = (z ^ (z >> TWENTY_SEVEN)) * SECOND
    z = z ^ (z >> THIRTY_ONE)
    return (np.float64(z >> ELEVEN) + 0.5) * 2.0**-53


def streams(seed: int, S: int) -> NDArray[np.uint64]:
    """Return where S streams begin, shape (S, 1)."""
    return (
        np.random.SeedSequence([seed, 3])
        .generate_state(S, np.uint64)
        .astype(np.uint64)
        .reshape(S, 1)
    )
