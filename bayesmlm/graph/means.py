"""What the coefficients of the groups are expected to be, where they are sampled centred.

A fixed column that is an effect's column times a value of the group is a predictor of the
group's coefficient: it moves from the rows to the groups, and so does the intercept. Each
moves once; the linear predictor of the rows stays the same function.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import Design, ParameterDesign, RandomBlock
from bayesmlm.graph.fixed import Fixed
from bayesmlm.graph.labels import data, effect_label
from bayesmlm.graph.parametrisation import CENTRED, EffectCoordinates

Array = NDArray[np.float64]


@dataclass(frozen=True)
class GroupMean:
    """The mean of a centred coefficient, W slopes + intercept.

    Parameters
    ----------
    W
        Group-level predictors, shape (J, m).
    slopes
        Their slopes, m of them, in the terms of the `Fixed` they come from.
    intercept
        The intercept, or None where it stays with the rows.
    """

    W: Array
    slopes: tuple[Any, ...]
    intercept: Any = None

    def tensor(self, label: str) -> Any:
        """Return the mean as a tensor of shape (J,) or a scalar; the predictors become data."""
        import pytensor.tensor as pt

        mean: Any = 0.0
        if self.slopes:
            mean = pt.dot(data(f"W_{label}", self.W), pt.stack(self.slopes))
        return mean if self.intercept is None else mean + self.intercept


def group_means(
    design: Design | ParameterDesign, coordinates: tuple[EffectCoordinates, ...], fixed: Fixed
) -> dict[tuple[str, str], GroupMean]:
    """Move fixed columns to the groups whose centred coefficients they predict.

    Returns
    -------
    dict
        The mean of each centred coefficient, by grouping and effect.
    """
    chosen = {(c.group, c.effect) for c in coordinates if c.choice == CENTRED}
    centred = {
        (block.name, effect): (block, k)
        for block in design.random
        for k, effect in enumerate(block.effects)
        if (block.name, effect) in chosen
    }
    means = {key: column_mean(block, k, fixed) for key, (block, k) in centred.items()}
    # The intercept moves last: a slope that moves changes where it holds.
    first = next((key for key in means if key[1] == names.INTERCEPT), None)
    if first is not None and fixed.intercept is not None:
        means[first] = GroupMean(means[first].W, means[first].slopes, fixed.take_intercept())
    return means


def tensors(means: dict[tuple[str, str], GroupMean]) -> dict[tuple[str, str], Any]:
    """Return the means as tensors of the PyMC model on the context stack."""
    return {key: mean.tensor(effect_label(*key)) for key, mean in means.items()}


def column_mean(block: RandomBlock, k: int, fixed: Fixed) -> GroupMean:
    """Move the columns that predict coefficient k to its groups."""
    values, slopes = [], []
    for c in tuple(fixed.free):
        w = group_values(fixed.X[:, c], block, k)
        if w is None:
            continue
        if block.effects[k] == names.INTERCEPT:
            w = w - fixed.means[c]
        else:
            fixed.uncentre(c)
        values.append(w)
        slopes.append(fixed.take(c))
    W = np.column_stack([np.empty((block.grouping.size, 0)), *values])
    return GroupMean(W, tuple(slopes))


def group_values(x: Array, block: RandomBlock, k: int) -> Array | None:
    """Return w such that x = z_k w[group] in every row, shape (J,), or None."""
    z, codes, size = block.Z[:, k], block.grouping.codes, block.grouping.size
    length = np.bincount(codes, z * z, size)
    w = np.bincount(codes, z * x, size) / np.where(length > 0, length, 1.0)
    exact = np.abs(x - z * w[codes]).max() <= 1e-9 * np.abs(x).max()
    return w if exact else None
