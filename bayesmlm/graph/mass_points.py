"""Effects that take one of K values, the mass points, in PyMC: which one is summed out.

With raw points x_k standard normal, the first effect's in ascending order, and masses pi_k,

    u_k = sd (x_k - m) / s,   m = sum_k pi_k x_k,   s² = sum_k pi_k (x_k - m)²,

so that the distribution has mean zero and the SD that has the prior. A group's likelihood is
the sum over its points of pi_k prod_i p(y_i | eta_i + z_i' u_k).

References
----------
Stephens (2000), doi:10.1111/1467-9868.00265, on labels; Aitkin (1999),
doi:10.1111/j.0006-341X.1999.00117.x.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesmlm import names
from bayesmlm.design import RandomBlock
from bayesmlm.graph.effects import add_sds, column
from bayesmlm.graph.labels import data, unused
from bayesmlm.priors import MASS_PRIOR, Priors


@dataclass(frozen=True)
class Points:
    """Mass points under construction.

    Parameters
    ----------
    block
        The effects.
    log_mass
        Logarithms of the masses, shape (K,).
    index
        Group of each row.
    parts
        What each point adds to the linear predictor of the rows, each of shape (N,).
    """

    block: RandomBlock
    log_mass: Any
    index: Any
    parts: list[Any]


def add_points(block: RandomBlock, priors: Priors) -> Points:
    """Add the points and masses of one grouping's effects."""
    import pymc as pm
    import pytensor.tensor as pt
    from pymc.distributions.transforms import ordered

    group, K = block.name, block.points or 0
    sds = add_sds(block, priors)
    mass = pm.Dirichlet(names.mass(group), np.full(K, MASS_PRIOR), dims=names.point_dim(group))
    scaled = []
    for k, effect in enumerate(block.effects):
        # points that coincide have no direction: each effect starts with distinct ones
        start = np.linspace(-1.5, 1.5, K) if k == 0 else 0.5 * (-1.0) ** np.arange(K)
        options = {"transform": ordered} if k == 0 else {}
        label = unused(f"raw_points_{names.safe(group)}[{names.safe(effect)}]")
        raw = pm.Normal(label, shape=K, initval=start, **options)
        centred = raw - (mass * raw).sum()
        scaled.append(centred / pt.sqrt((mass * centred**2).sum()))
    if block.pairs:
        products = [(mass * scaled[i] * scaled[j]).sum() for i, j in block.pairs]
        pm.Deterministic(names.corr(group), pt.stack(products), dims=names.pair_dim(group))
    values = [sd * each for sd, each in zip(sds, scaled, strict=True)]
    dims = (names.point_dim(group), names.effect_dim(group))
    pm.Deterministic(names.points(group), pt.stack(values, axis=1), dims=dims)
    index = data(f"{names.safe(group)}_index", block.grouping.codes, dims=names.OBS)
    columns = [column(block, k) for k in range(len(block.effects))]
    parts = [
        sum((own[k] * z for own, z in zip(values, columns, strict=True)), 0.0) for k in range(K)
    ]
    return Points(block, pt.log(mass), index, parts)


def group_likelihood(points: Points, by_row: list[Any]) -> Any:
    """Return the log likelihood of each group, its point summed out, shape (J,).

    Parameters
    ----------
    points
        The points.
    by_row
        Log likelihood of the rows at each point, each of shape (N,).
    """
    import pymc as pm
    import pytensor.tensor as pt

    block = points.block
    rows = pt.stack(by_row, axis=1)
    none = pt.zeros((block.grouping.size, len(by_row)))
    joint = pt.inc_subtensor(none[points.index], rows) + points.log_mass
    dims = (names.safe(block.name), names.point_dim(block.name))
    pm.Deterministic(names.membership(block.name), pt.special.softmax(joint, axis=1), dims=dims)
    return pt.logsumexp(joint, axis=1)
