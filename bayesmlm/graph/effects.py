"""The random effects of one grouping in PyMC.

With L the Cholesky factor of the effects' covariance and z standard normal, effect k of a
group is u_k = sum_{j <= k} L_kj z_j. Non-centred, z_k is the variable sampled; centred, it is
the group's own coefficient w'gamma + u_k, whose conditional distribution given the effects
before it is normal, and z_k follows from it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import RandomBlock
from bayesmlm.graph.fixed import Fixed
from bayesmlm.graph.parametrisation import CENTRED, EffectCoordinates
from bayesmlm.priors import LKJ, Priors, cholesky_factor, pymc_vector

Array = NDArray[np.float64]


def add_effects(
    block: RandomBlock,
    priors: Priors,
    fixed: Fixed,
    coordinates: tuple[EffectCoordinates, ...],
) -> list[Any]:
    """Add the effects of one grouping.

    Returns
    -------
    list of tensors
        What each effect adds to the linear predictor of the rows, shape (N,).
    """
    import pymc as pm
    import pytensor.tensor as pt

    centred = {c.effect for c in coordinates if c.group == block.name and c.choice == CENTRED}
    sds = add_sds(block, priors)
    factors = add_correlations(block, priors)
    index = pm.Data(f"{names.safe(block.name)}_index", block.grouping.codes, dims=names.OBS)
    deviations: list[Any] = [None] * len(block.effects)
    parts = []
    for members, rows in zip(block.blocks, factors, strict=True):
        standard: list[Any] = []
        for i, k in enumerate(members):
            expected = sum((rows[i][j] * standard[j] for j in range(i)), 0.0) * sds[k]
            spread = rows[i][i] * sds[k]
            label = f"{names.safe(block.name)}_{names.safe(block.effects[k])}"
            if block.effects[k] in centred:
                mean = group_mean(block, k, fixed)
                value = pm.Normal(
                    f"coef_{label}", mean + expected, spread, dims=names.safe(block.name)
                )
                deviations[k] = value - mean
                standard.append((deviations[k] - expected) / spread)
            else:
                standard.append(pm.Normal(f"z_{label}", 0.0, 1.0, dims=names.safe(block.name)))
                value = deviations[k] = expected + spread * standard[-1]
            parts.append(value[index] * column(block, k))
    dims = (names.safe(block.name), names.effect_dim(block.name))
    pm.Deterministic(names.effects(block.name), pt.stack(deviations, axis=1), dims=dims)
    return parts


def column(block: RandomBlock, k: int) -> Any:
    """Return effect column k as data, or 1 for the intercept."""
    import pymc as pm

    if block.effects[k] == names.INTERCEPT:
        return 1.0
    label = f"Z_{names.safe(block.name)}_{names.safe(block.effects[k])}"
    return pm.Data(label, block.Z[:, k], dims=names.OBS)


def add_sds(block: RandomBlock, priors: Priors) -> list[Any]:
    """Add the SDs of a grouping's effects, one tensor an effect."""
    import pymc as pm
    import pytensor.tensor as pt

    own = [priors.sds[block.name][effect] for effect in block.effects]
    name, dim = names.sd(block.name), names.effect_dim(block.name)
    if len({type(prior) for prior in own}) == 1:
        vector = pymc_vector(name, tuple(own), dims=dim)
        return [vector[k] for k in range(len(own))]
    values = [
        prior.pymc(f"{name}_{names.safe(effect)}")
        for effect, prior in zip(block.effects, own, strict=True)
    ]
    pm.Deterministic(name, pt.stack(values), dims=dim)
    return values


def add_correlations(block: RandomBlock, priors: Priors) -> list[list[list[Any]]]:
    """Add the correlations of a grouping's effects.

    Returns
    -------
    list
        Per block of correlated effects the Cholesky factor of its correlation matrix, row
        by row.
    """
    import pymc as pm
    import pytensor.tensor as pt

    factors, correlations = [], []
    joint = [members for members in block.blocks if len(members) > 1]
    for members in block.blocks:
        q = len(members)
        partial = None
        if q > 1:
            lkj: LKJ = priors.correlations[block.name]
            suffix = "" if len(joint) == 1 else f"_{joint.index(members)}"
            partial = lkj.pymc(f"half_partial_corr_{names.safe(block.name)}{suffix}", q)
        rows = cholesky_factor(partial, q, pt.sqrt)
        factors.append(rows)
        correlations += [
            sum((rows[i][m] * rows[j][m] for m in range(i + 1)), 0.0)
            for j in range(q)
            for i in range(j)
        ]
    if correlations:
        pm.Deterministic(
            names.corr(block.name), pt.stack(correlations), dims=names.pair_dim(block.name)
        )
    return factors


def group_mean(block: RandomBlock, k: int, fixed: Fixed) -> Any:
    """Return the mean of each group's coefficient k, from the fixed part, shape (J,) or 0.

    A fixed column that is effect column k times a value of the group is a predictor of the
    group's coefficient; it moves from the rows to the groups.
    """
    import pymc as pm
    import pytensor.tensor as pt

    mean: Any = 0.0
    is_intercept = block.effects[k] == names.INTERCEPT
    found = {
        c: values
        for c in tuple(fixed.free)
        if (values := group_values(fixed.X[:, c], block, k)) is not None
    }
    if found:
        slopes = pt.stack([fixed.take(c) for c in found])
        label = f"W_{names.safe(block.name)}_{names.safe(block.effects[k])}"
        mean = pt.dot(pm.Data(label, np.column_stack(list(found.values()))), slopes)
    if is_intercept and fixed.intercept is not None:
        mean = mean + fixed.take_intercept()
    return mean


def group_values(x: Array, block: RandomBlock, k: int) -> Array | None:
    """Return w such that x = z_k w[group] in every row, shape (J,), or None."""
    z, codes, size = block.Z[:, k], block.grouping.codes, block.grouping.size
    length = np.bincount(codes, z * z, size)
    w = np.bincount(codes, z * x, size) / np.where(length > 0, length, 1.0)
    exact = np.abs(x - z * w[codes]).max() <= 1e-9 * np.abs(x).max()
    return w if exact else None
