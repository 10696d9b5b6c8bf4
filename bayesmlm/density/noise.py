"""Standard normal noise of which any part can be made again alone.

The generator is counter-based: the stream of each group begins at a counter of its own.

References
----------
Salmon, Moraes, Dror & Shaw (2011), doi:10.1145/2063384.2063405.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.threads import spread

Array = NDArray[np.float64]

FIXED, OTHERS, LEADING = range(3)
"""What a stream is for."""

NORMAL = 10
"""Multiplications that a normal number takes the time of."""


@dataclass(frozen=True)
class Noise:
    """The noise behind the draws of all effects.

    Parameters
    ----------
    seed
        A whole number from 0; None gives zeros, and so the means of what is drawn.
    """

    seed: int | None = None

    def fixed(self, S: int, p: int) -> Array:
        """Return the noise of the fixed effects, shape (S, p)."""
        return self.fill(np.empty((S, p)), FIXED)

    def others(self, S: int, m: int) -> Array:
        """Return the noise of all effects but the leading grouping's, shape (S, m)."""
        return self.fill(np.empty((S, m)), OTHERS)

    def leading(self, groups: Iterable[int], q: int, S: int) -> Array:
        """Return the noise of some groups of the leading grouping, shape (groups, q, S).

        That of a group does not depend on which others are asked for.
        """
        chosen = [int(group) for group in groups]
        out = np.empty((len(chosen), q, S))
        spread(self.fill_groups, len(chosen), float(out.size * NORMAL), chosen, out)
        return out

    def fill_groups(self, first: int, last: int, groups: list[int], out: Array) -> None:
        """Fill the noise of groups `first` to `last` of those given."""
        for k in range(first, last):
            self.fill(out[k], LEADING, groups[k])

    @cached_property
    def key(self) -> NDArray[np.uint64]:
        """The generator's key."""
        state = np.random.SeedSequence([self.seed or 0, 2]).generate_state(2, np.uint64)
        return state.astype(np.uint64)

    def fill(self, out: Array, purpose: int, group: int = 0) -> Array:
        """Fill an array from the stream of a purpose and group, and return it."""
        if self.seed is None:
            out[...] = 0
            return out
        stream = np.random.Philox(key=self.key, counter=[0, 0, group, purpose])
        np.random.Generator(stream).standard_normal(out=out)
        return out


MEANS = Noise()
"""No noise."""
