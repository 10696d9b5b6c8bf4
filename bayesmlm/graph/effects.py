"""The random effects of one grouping in PyMC.

With L the Cholesky factor of the effects' covariance and z standard normal, effect k of a
group is u_k = sum_{j <= k} L_kj z_j. Non-centred, z_k is the variable sampled; centred, it is
the group's own coefficient w'gamma + u_k, whose conditional distribution given the effects
before it is normal, and z_k follows from it.

Student-t effects are non-centred: z is a multivariate t, scaled to unit variance, so that an
SD is the SD whatever the degrees of freedom (Lange, Little & Taylor 1989,
doi:10.1080/01621459.1989.10478852).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayesmlm import names
from bayesmlm.design import RandomBlock
from bayesmlm.graph.labels import data, effect_label, unused
from bayesmlm.priors import LKJ, Priors, cholesky_factor, pymc_vector


def add_effects(
    block: RandomBlock, priors: Priors, means: Mapping[tuple[str, str], Any]
) -> list[Any]:
    """Add the effects of one grouping.

    Parameters
    ----------
    block, priors
        The effects and their priors.
    means
        Mean of each centred coefficient, by grouping and effect; the others are not centred.

    Returns
    -------
    list of tensors
        What each effect adds to the linear predictor of the rows, shape (N,).
    """
    import pymc as pm
    import pytensor.tensor as pt

    group = block.dim
    sds = add_sds(block, priors)
    factors = add_correlations(block, add_partials(block, priors))
    index = data(f"{names.safe(block.name)}_index", block.grouping.codes, dims=names.OBS)
    nu = add_freedom(block, priors) if block.distribution == "student" else None
    deviations: list[Any] = [None] * len(block.effects)
    parts = []
    for members, rows in zip(block.blocks, factors, strict=True):
        standard: list[Any] = []
        heavy = [] if nu is None else add_standard(block, members, nu)
        for i, k in enumerate(members):
            expected = sum((rows[i][j] * standard[j] for j in range(i)), 0.0) * sds[k]
            spread = rows[i][i] * sds[k]
            label = effect_label(block.name, block.effects[k])
            mean = means.get((block.name, block.effects[k]))
            if mean is not None:
                value = pm.Normal(unused(f"coef_{label}"), mean + expected, spread, dims=group)
                deviations[k] = value - mean
                standard.append((deviations[k] - expected) / spread)
            else:
                new = heavy[i] if heavy else pm.Normal(unused(f"z_{label}"), 0.0, 1.0, dims=group)
                standard.append(new)
                value = deviations[k] = expected + spread * standard[-1]
            parts.append(value[index] * column(block, k))
    dims = (group, names.effect_dim(block.name))
    pm.Deterministic(names.effects(block.name), pt.stack(deviations, axis=1), dims=dims)
    return parts


def add_freedom(block: RandomBlock, priors: Priors) -> Any:
    """Add the degrees of freedom of Student-t effects, above 2."""
    import pymc as pm

    above = priors.freedom[block.name].pymc(unused(f"{names.nu(block.name)}_above_2"))
    return pm.Deterministic(names.nu(block.name), 2.0 + above)


def add_standard(block: RandomBlock, members: tuple[int, ...], nu: Any) -> list[Any]:
    """Add the standardised Student-t effects of the groups, uncorrelated, of variance one."""
    import pymc as pm
    import pytensor.tensor as pt

    group, q = block.dim, len(members)
    label = unused(f"z_{effect_label(block.name, block.effects[members[0]])}")
    unit = pt.sqrt((nu - 2) / nu)
    if q == 1:
        return [pm.StudentT(label, nu=nu, mu=0.0, sigma=1.0, dims=group) * unit]
    shape = (block.grouping.size, q)
    z = pm.MvStudentT(label, nu=nu, mu=np.zeros(q), scale=np.eye(q), shape=shape)
    return [z[:, k] * unit for k in range(q)]


def column(block: RandomBlock, k: int) -> Any:
    """Return effect column k as data, or 1 for the intercept."""
    if block.effects[k] == names.INTERCEPT:
        return 1.0
    label = f"Z_{effect_label(block.name, block.effects[k])}"
    return data(label, block.Z[:, k], dims=names.OBS)


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
        prior.pymc(unused(f"{name}[{names.safe(effect)}]"))
        for effect, prior in zip(block.effects, own, strict=True)
    ]
    pm.Deterministic(name, pt.stack(values), dims=dim)
    return values


def add_partials(block: RandomBlock, priors: Priors) -> list[Any]:
    """Add the partial correlations of a grouping's effects.

    Returns
    -------
    list
        One tensor a block of correlated effects, None where a block has one effect.
    """
    joint = [members for members in block.blocks if len(members) > 1]
    partials: list[Any] = []
    for members in block.blocks:
        partial = None
        if len(members) > 1:
            lkj: LKJ = priors.correlations[block.name]
            suffix = "" if len(joint) == 1 else f"_{joint.index(members)}"
            label = unused(f"half_partial_corr_{names.safe(block.name)}{suffix}")
            partial = lkj.pymc(label, len(members))
        partials.append(partial)
    return partials


def add_correlations(block: RandomBlock, partials: list[Any]) -> list[list[list[Any]]]:
    """Add the correlations of a grouping's effects.

    Parameters
    ----------
    block
        The effects.
    partials
        From `add_partials`.

    Returns
    -------
    list
        Per block of correlated effects the Cholesky factor of its correlation matrix, row
        by row.
    """
    import pymc as pm
    import pytensor.tensor as pt

    factors, correlations = [], []
    for members, partial in zip(block.blocks, partials, strict=True):
        q = len(members)
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
