"""The log prior density of each block of parameters, draw by draw.

Densities are those of the parameters as the priors are stated: SDs and not their logarithms,
correlation matrices and not partial correlations. The effects' own distribution is part of the
model and no prior here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design.further import refuse_by_row
from bayesmlm.families.parameter import ORDERED
from bayesmlm.graph.fixed import column_means
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import flatten
from bayesmlm.summaries.row_likelihood import further_draws
from bayesmlm.summaries.rows import n_draws

Array = NDArray[np.float64]

FIXED, SDS, CORRELATIONS = "fixed effects", "SDs", "correlations"
RESIDUAL, FURTHER, FREEDOM = "residual SD", "further parameters", "degrees of freedom"


def prior_blocks(result: FitResult) -> dict[str, Array]:
    """Return the log prior density of each block that a model has, shape (S,).

    Raises
    ------
    StatisticError
        Where a further parameter has a formula, the priors of which are no block here.
    """
    refuse_by_row(result.design, "prior densities by block")
    found = {FIXED: fixed(result), SDS: sds(result), CORRELATIONS: correlations(result)}
    names_of = [parameter.name for parameter in result.design.parameters]
    found[RESIDUAL if names_of == [names.SIGMA] else FURTHER] = further(result)
    found[FREEDOM] = freedom(result)
    return {name: values for name, values in found.items() if values is not None}


def fixed(result: FitResult) -> Array | None:
    """Return the log prior of the fixed effects, the intercept where its prior holds."""
    design, priors = result.design, result.priors
    if not design.coef:
        return None
    beta = flatten(result.posterior[names.BETA])[0]
    total = np.zeros(len(beta))
    for name, draws in zip(design.coef, beta.T, strict=True):
        at_means = name == names.INTERCEPT and priors.intercept_at_means
        values = beta @ design.X.mean(axis=0) if at_means else draws
        total += priors.coefficients[name].log_density(values)
    return total


def sds(result: FitResult) -> Array | None:
    """Return the log prior of the effects' SDs."""
    parts = [
        result.priors.sds[block.name][effect].log_density(draws)
        for block in result.design.random
        if block.name in result.priors.sds
        for effect, draws in zip(
            block.effects, flatten(result.posterior[names.sd(block.name)])[0].T, strict=True
        )
    ]
    return np.sum(parts, axis=0) if parts else None


def correlations(result: FitResult) -> Array | None:
    """Return the log prior of the correlations between effects."""
    S, parts = n_draws(result), []
    for block in result.design.random:
        if not block.pairs or block.name not in result.priors.correlations:
            continue
        prior = result.priors.correlations[block.name]
        R = np.tile(np.eye(len(block.effects)), (S, 1, 1))
        draws = flatten(result.posterior[names.corr(block.name)])[0]
        for (i, j), values in zip(block.pairs, draws.T, strict=True):
            R[:, i, j] = R[:, j, i] = values
        for members in block.blocks:
            if len(members) > 1:
                own = R[:, members][:, :, members]
                constant = prior.log_density(np.eye(len(members)))
                parts.append((prior.eta - 1) * np.linalg.slogdet(own)[1] + constant)
    return np.sum(parts, axis=0) if parts else None


def further(result: FitResult) -> Array | None:
    """Return the log prior of the family's further parameters."""
    draws, parts = further_draws(result), []
    for parameter in result.design.parameters:
        values = draws[parameter.name].reshape(n_draws(result), -1)
        if parameter.support == ORDERED and result.design.coef:
            beta = flatten(result.posterior[names.BETA])[0]
            values = values - (beta @ column_means(result.design, result.priors))[:, None]
        parts.append(result.priors.further[parameter.name].log_density(values).sum(axis=1))
    return np.sum(parts, axis=0) if parts else None


def freedom(result: FitResult) -> Array | None:
    """Return the log prior of the degrees of freedom of Student-t effects, above 2."""
    parts = [
        prior.log_density(flatten(result.posterior[names.nu(group)])[0][:, 0] - 2)
        for group, prior in result.priors.freedom.items()
    ]
    return np.sum(parts, axis=0) if parts else None
