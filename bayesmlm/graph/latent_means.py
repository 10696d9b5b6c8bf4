"""The submodel of a predictor with latent group means, in PyMC, and the columns made of them.

    x_ij = m_j + e_ij,  m_j = mu_x + xi_j,  xi_j ~ N(0, tau_x²),  e_ij ~ N(0, sigma_x²)

The means m_j are known from the x of their group and from its outcomes (Lüdtke et al. 2008,
doi:10.1037/a0012869).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayesmlm import names
from bayesmlm.design import Design, LatentColumn, LatentMean
from bayesmlm.graph.labels import data, unused
from bayesmlm.graph.parametrisation import ENOUGH
from bayesmlm.priors import Priors


def add_latent_columns(design: Design, priors: Priors) -> dict[str, Any]:
    """Add the submodels, and return the columns of the fixed part that hold latent means.

    Returns
    -------
    dict
        A tensor of shape (N,) by coefficient.
    """
    means = {mean.x: add_latent_mean(mean, design, priors) for mean in design.latent.means}
    values = {mean.x: mean.values for mean in design.latent.means}
    return {column.name: product(column, means, values) for column in design.latent.columns}


def product(column: LatentColumn, means: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    """Return a column: its observed factors times means and deviations from them."""
    if (column.rest == 1).all():
        found: Any = 1.0
    else:
        found = data(f"X[{names.safe(column.name)}]", column.rest, dims=names.OBS)
    for x in column.means:
        found = found * means[x]
    for x in column.deviations:
        found = found * (values[x] - means[x])
    return found


def add_latent_mean(mean: LatentMean, design: Design, priors: Priors) -> Any:
    """Add the submodel of one predictor; return the latent mean of each row's group, (N,)."""
    import pymc as pm

    grouping, dim = design.block(mean.group).grouping, names.safe(mean.group)
    mu, tau, sigma = (priors.latent[name].pymc(name) for name in names.latent_parameters(mean.x))
    name = names.latent(mean.x)
    if quick_reliability(mean, grouping.codes, grouping.size) >= ENOUGH:
        latent = pm.Normal(name, mu, tau, dims=dim)
    else:
        z = pm.Normal(unused(f"z_{name}"), 0.0, 1.0, dims=dim)
        latent = pm.Deterministic(name, mu + tau * z, dims=dim)
    of_rows = latent[data(f"{name}_index", grouping.codes, dims=names.OBS)]
    pm.Normal(unused(names.safe(mean.x)), of_rows, sigma, observed=mean.values, dims=names.OBS)
    return of_rows


def quick_reliability(mean: LatentMean, codes: Any, size: int) -> float:
    """Return the reliability of the observed means, by the analysis of variance.

    With mean squares MSB and MSW it is 1 - MSW / MSB, not below zero.
    """
    counts = np.bincount(codes, minlength=size)
    observed = np.bincount(codes, mean.values, size) / counts
    within = float(((mean.values - observed[codes]) ** 2).sum()) / max(len(codes) - size, 1)
    between = float(counts @ (observed - mean.values.mean()) ** 2) / (size - 1)
    return max(1 - within / between, 0.0) if between > 0 else 0.0
