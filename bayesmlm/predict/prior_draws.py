"""Draws of a model's parameters from its priors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import Design, ParameterDesign, RandomBlock
from bayesmlm.errors import StatisticError, message
from bayesmlm.families.parameter import ORDERED
from bayesmlm.graph.fixed import column_means
from bayesmlm.predict.parameters import Parameters
from bayesmlm.priors import Priors, cholesky_factor

Array = NDArray[np.float64]


def prior_parameters(
    design: Design, priors: Priors, draws: int, rng: np.random.Generator
) -> Parameters:
    """Draw parameters from the priors.

    The partial correlations of an LKJ prior are independent 2 Beta(b, b) - 1 (Lewandowski,
    Kurowicka & Joe 2009, doi:10.1016/j.jmva.2009.04.008). Thresholds are independent draws
    in order.
    """
    refuse_points(design)
    betas: dict[str, Array] = {}
    sds: dict[str, Array] = {}
    correlations: dict[str, Array] = {}
    freedom: dict[str, Array] = {}
    shift = np.zeros(draws)
    for part in design.parts:
        own = priors.of(part.target)
        betas[part.target], above = prior_coefficients(part, own, draws, rng)
        shift = above if part.target == names.MU else shift
        for block in part.random:
            kinds = [priors.sds[block.name][effect] for effect in block.effects]
            sds[block.name] = np.column_stack([prior.draw(draws, rng) for prior in kinds])
            correlations[block.name] = prior_correlations(block, priors, draws, rng)
            if block.name in priors.freedom:
                freedom[block.name] = 2 + priors.freedom[block.name].draw(draws, rng)
    others = {}
    for parameter in design.parameters:
        drawn = priors.further[parameter.name].draw((draws, parameter.size), rng)
        if parameter.support == ORDERED:
            others[parameter.name] = np.sort(drawn, axis=1) + shift[:, None]
        else:
            others[parameter.name] = drawn[:, 0]
    return Parameters(betas, sds, correlations, others, freedom)


def refuse_points(design: Design) -> None:
    """Raise `StatisticError` for effects that are mass points, whose prior is not drawn from."""
    mixed = next((b.name for b in design.blocks if b.distribution == "points"), None)
    if mixed is not None:
        raise StatisticError(
            message(
                f"draws from the prior of mass points by {mixed}",
                "normal and Student-t effects",
                "leave out dist=, or write dist='student'",
            )
        )


def prior_coefficients(
    part: Design | ParameterDesign, priors: Priors, draws: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Draw the coefficients of one linear predictor, as displayed.

    Returns
    -------
    beta, shift
        Shape (draws, p), and what the linear predictor at the means is more than at x = 0,
        shape (draws,).
    """
    beta = np.empty((draws, len(part.coef)))
    for k, name in enumerate(part.coef):
        beta[:, k] = priors.coefficients[name].draw(draws, rng)
    slopes = [k for k, name in enumerate(part.coef) if name != names.INTERCEPT]
    shift = beta[:, slopes] @ column_means(part, priors)
    if names.INTERCEPT in part.coef and priors.intercept_at_means:
        beta[:, part.coef.index(names.INTERCEPT)] -= shift
    return beta, shift


def prior_correlations(
    block: RandomBlock, priors: Priors, draws: int, rng: np.random.Generator
) -> Array:
    """Draw the correlations of a grouping's pairs from the prior, shape (draws, pairs)."""
    parts = []
    for members in block.blocks:
        q = len(members)
        if q > 1:
            b = priors.correlations[block.name].shapes(q)
            partial = 2 * rng.beta(b, b, (draws, len(b))) - 1
            rows = cholesky_factor(partial.T, q, np.sqrt)
            parts += [
                sum(rows[i][m] * rows[j][m] for m in range(i + 1))
                for j in range(q)
                for i in range(j)
            ]
    return np.stack(parts, axis=1) if parts else np.empty((draws, 0))
