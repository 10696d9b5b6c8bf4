"""The linear predictors of the rows, some rows and all draws at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import RandomBlock
from bayesmlm.predict.effects import Source, known_source, new_source
from bayesmlm.predict.parameters import Parameters
from bayesmlm.predict.target import Target
from bayesmlm.result import FitResult

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

CHUNK = 2**19
"""Numbers held at once (4 MB); several arrays of this size are."""

EFFECTS = 1
"""Purpose of the noise of new effects."""


@dataclass(frozen=True)
class LinearPredictor:
    """The linear predictors of rows given their groups' effects.

    Parameters
    ----------
    given
        The parameters of S draws.
    parameters
        By grouping, whose linear predictor its effects belong to.
    known, new
        Where the effects of known and of new groups come from, by grouping.
    sizes
        Number of known groups by grouping, J.
    """

    given: Parameters
    parameters: Mapping[str, str]
    known: Mapping[str, Source]
    new: Mapping[str, Source]
    sizes: Mapping[str, int]

    def of(self, target: Target, rows: Integers, parameter: str = names.MU) -> Array:
        """Return draws of a parameter's linear predictor of some rows, shape (rows, S)."""
        eta = target.X[parameter][rows] @ self.given.betas[parameter].T
        eta += target.offset[parameter][rows, None]
        for name, codes in target.codes.items():
            if self.parameters[name] != parameter:
                continue
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


def linear_predictor(
    result: FitResult, chosen: Integers, given: Parameters, target: Target, seed: int
) -> LinearPredictor:
    """Return the linear predictors of rows such as those of `target`.

    Parameters
    ----------
    result
        The fit.
    chosen
        Which of its draws, in order; a draw may repeat; shape (S,).
    given
        Their parameters.
    target
        The rows.
    seed
        Of new effects.
    """
    known, new, sizes, parameters = {}, {}, {}, {}
    for at, block in enumerate(result.design.blocks):
        if block.name not in target.codes:
            continue
        parameters[block.name] = block.parameter
        J, codes = block.grouping.size, target.codes[block.name]
        sizes[block.name] = J
        if (codes < J).any():
            known[block.name] = known_source(block, result, chosen)
        if (codes >= J).any():
            new[block.name] = new_source(block, given, (seed, EFFECTS, at))
    return LinearPredictor(given, parameters, known, new, sizes)


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
