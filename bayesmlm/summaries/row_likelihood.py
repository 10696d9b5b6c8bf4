"""The log likelihood of every row given fixed and random effects, draw by draw.

Further parameters with a formula, and categories, have linear predictors of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import Design
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import flatten
from bayesmlm.summaries.rows import Integers, n_draws, parameter_blocks

Array = NDArray[np.float64]


def further_draws(result: FitResult) -> dict[str, Array]:
    """Return draws of the further parameters without a formula, (S,), of thresholds (S, K)."""
    found = {}
    for parameter in result.design.parameters:
        draws = flatten(result.posterior[parameter.name])[0]
        found[parameter.name] = draws if parameter.name == names.THRESHOLDS else draws[:, 0]
    return found


def log_likelihood_blocks(result: FitResult) -> Iterator[tuple[Integers, Array]]:
    """Return log p(y_i | beta, u, others) of all rows, some rows at a time.

    Weights of the likelihood are applied.

    Parameters
    ----------
    result
        The fit.

    Yields
    ------
    rows, values
        Positions of the rows in the design, and draws of shape (rows, S): a block of at most
        32 MB.
    """
    others, design = further_draws(result), result.design
    for rows, etas in parameter_blocks(result, design.parts):
        own = others | {p.target: p.link.inverse(etas[p.target]) for p in design.further}
        yield rows, row_log_likelihood(design, rows, etas[names.MU], own)


def row_log_likelihood(
    design: Design, rows: Integers, eta: Array, others: Mapping[str, Array]
) -> Array:
    """Return the log likelihood of some rows, weights applied, shape (rows, S).

    Parameters
    ----------
    design
        The rows.
    rows
        Positions.
    eta
        Linear predictors, shape (rows, S).
    others
        Draws of the further parameters, shape (S,), of thresholds (S, K), of those with a
        formula (rows, S).
    """
    family, y = design.family, design.y[rows]
    own = {name: values[rows, None] for name, values in design.outcome.rows.items()}
    if family.ordered:
        cuts = others[names.THRESHOLDS]
        values = np.empty(eta.shape)
        for s in range(len(cuts)):
            values[:, s] = family.log_density(y, eta[:, s], {names.THRESHOLDS: cuts[s]}, {})
    else:
        values = family.log_density(y[:, None], eta, others, own)
    return np.asarray(values * own.get("weights", 1.0))


def log_likelihood(result: FitResult) -> Array:
    """Return the log likelihood of all rows together, shape (S,)."""
    total = np.zeros(n_draws(result))
    for _, values in log_likelihood_blocks(result):
        total += values.sum(axis=0)
    return total
