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
THIRTY, TWENTY_SEVEN, THIRTY_ONE, TWELVE = (np.uint64(k) for k in (30, 27, 31, 12))


@njit(cache=True, nogil=True, error_model="numpy")
def fill(stream, out):
    """Fill out with numbers between 0 and 1, neither of them, and move the stream, shape (1,)."""
    start = stream[0]
    for i in range(np.uint64(len(out))):
        z = start + (i + np.uint64(1)) * STRIDE
        z = (z ^ (z >> THIRTY)) * FIRST
        z = (z ^ (z >> TWENTY_SEVEN)) * SECOND
        z = z ^ (z >> THIRTY_ONE)
        out[i] = (np.float64(z >> TWELVE) + 0.5) * 2.0**-52
    stream[0] = start + np.uint64(len(out)) * STRIDE


def streams(seed: int, S: int) -> NDArray[np.uint64]:
    """Return where S streams begin, shape (S, 1)."""
    state = np.random.SeedSequence([seed, 3]).generate_state(S, np.uint64)
    return state.astype(np.uint64).reshape(S, 1)
