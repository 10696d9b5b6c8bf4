"""The linear predictor of the rows, some rows and all draws at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design import RandomBlock
from bayesmlm.predict.effects import Source, known_source, new_source
from bayesmlm.predict.parameters import Parameters
from bayesmlm.predict.target import Target

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

CHUNK = 2**19
"""Numbers held at once (4 MB); several arrays of this size are."""

EFFECTS = 1
"""Purpose of the noise of new effects."""


@dataclass(frozen=True)
class LinearPredictor:
    """The linear predictor of rows given their groups' effects.

    Parameters
    ----------
    given
        The parameters of S draws.
    known, new
        Where the effects of known and of new groups come from, by grouping.
    sizes
        Number of known groups by grouping, J.
    """

    given: Parameters
    known: Mapping[str, Source]
    new: Mapping[str, Source]
    sizes: Mapping[str, int]

    def of(self, target: Target, rows: Integers) -> Array:
        """Return draws of the linear predictor of some rows, shape (rows, S)."""
        eta = target.X[rows] @ self.given.beta.T
        eta += target.offset[rows, None]
        for name, codes in target.codes.items():
            groups, at = np.unique(codes[rows], return_inverse=True)
            effects = self.effects(name, groups)
            Z = target.Z[name][rows]
            for k, column in enumerate(Z.T):
                part = effects[at, k]
                part *= column[:, None]
                eta += part
        return eta

    def effects(self, name: str, groups: Integers) -> Array:
        """Return draws of the effects of some groups, known first, shape (groups, q, S)."""
        J = self.sizes[name]
        known, new = groups[groups < J], groups[groups >= J] - J
        parts = [self.known[name].take(known)] if len(known) else []
        parts += [self.new[name].take(new)] if len(new) else []
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


def linear_predictor(given: Parameters, target: Target, seed: int) -> LinearPredictor:
    """Return the linear predictor of rows such as those of `target`."""
    design = given.result.design
    known, new, sizes = {}, {}, {}
    for at, block in enumerate(design.random):
        if block.name not in target.codes:
            continue
        J, codes = block.grouping.size, target.codes[block.name]
        sizes[block.name] = J
        if (codes < J).any():
            known[block.name] = known_source(block, given)
        if (codes >= J).any():
            new[block.name] = new_source(block, given, (seed, EFFECTS, at))
    return LinearPredictor(given, known, new, sizes)


def pieces(target: Target, blocks: tuple[RandomBlock, ...], width: int) -> Iterator[Integers]:
    """Return the rows in runs that share their groups as far as possible.

    Parameters
    ----------
    target
        The rows.
    blocks
        The groupings.
    width
        Numbers that a row takes.
    """
    sizes = {block.name: block.grouping.size for block in blocks}
    keys = sorted(target.codes, key=lambda name: sizes[name])  # the last key sorts first
    order = np.lexsort([target.codes[name] for name in keys]) if keys else np.arange(target.size)
    step = max(1, CHUNK // width)
    for start in range(0, target.size, step):
        yield order[start : start + step]
