"""Information criteria of maximum likelihood fits, each by its name.

* marginal AIC: -2 log p(y | beta, T) + 2 k, k the estimated parameters; for a new group.
* conditional AIC: -2 log p(y | beta, u) + 2 (rho + s), rho the trace of the matrix that takes y
  to its fitted values, given the variances, s = 1 where a residual SD is estimated; for new
  rows of the same groups. Outside the gaussian family rho is that of the working response.
* BIC: k log n, n the rows, or the groups of the outermost grouping.

References
----------
Vaida & Blanchard (2005), doi:10.1093/biomet/92.2.351; Greven & Kneib (2010),
doi:10.1093/biomet/asq042; Donohue, Overholser, Xu & Vaida (2011), doi:10.1093/biomet/asr023.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.crossproducts import orthonormal
from bayesmlm.density.predictor_variance import crossed_variance, nested_variance
from bayesmlm.design import RandomBlock
from bayesmlm.design.grouping import Grouping, is_nested
from bayesmlm.families.rows import code, information
from bayesmlm.result import FitResult
from bayesmlm.summaries.maximum import at_maximum
from bayesmlm.summaries.row_likelihood import further_draws, log_likelihood
from bayesmlm.summaries.rows import predictor_blocks
from bayesmlm.summaries.standard_errors import root
from bayesmlm.summaries.variance_components import covariance_draws

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

FLAT = 1e4
"""Prior SD of fixed effects that counts as infinite, in units of a row's SD."""


def information_criteria(result: FitResult) -> pd.DataFrame:
    """Return a row a criterion: its value, what is counted, and how much of it.

    Raises
    ------
    StatisticError
        For a fit that is not a maximum.
    """
    import pandas as pd

    log_likelihood_at = at_maximum(result, "log_likelihood")
    k = at_maximum(result, "parameters")
    restricted = result.engine.name == "reml"
    n = len(result.design.y)
    deviance = -2 * log_likelihood_at
    rows = {
        "marginal AIC": (deviance + 2 * k, k),
        "BIC, n rows": (deviance + k * np.log(n), k),
    }
    groups = [level.grouping for level in result.design.levels.levels if not level.nested_in]
    if len(groups) == 1:
        J = groups[0].size
        rows[f"BIC, n groups of {groups[0].name}"] = (deviance + k * np.log(J), k)
    if result.engine.name in ("ml", "reml"):
        rho = effective_parameters(result) + (1.0 if result.design.estimates_scale else 0.0)
        rows["conditional AIC"] = (-2 * float(log_likelihood(result)[0]) + 2 * rho, rho)
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["value", "parameters"])
    frame.index.name = "criterion"
    return frame.rename(index=lambda name: f"{name} (REML)" if restricted else name)


def effective_parameters(result: FitResult) -> float:
    """Return rho, the trace of the matrix from y to its fitted values given the variances."""
    design = result.design
    weight = row_information(result)
    chosen = weight > 0
    factors = [root(covariance_draws(result, block)[0]) for block in design.random]
    if design.coef:
        columns, _ = orthonormal(design.X * np.sqrt(weight)[:, None], 1.0)
        fixed = np.zeros_like(columns)
        fixed[chosen] = columns[chosen] / np.sqrt(weight[chosen])[:, None]
        everybody = Grouping(("all",), ("all",), np.zeros(len(weight), dtype=np.int64))
        block = RandomBlock(everybody, design.coef, fixed, (), ())
        blocks, factors = [*design.random, block], [*factors, FLAT * np.eye(len(design.coef))]
    else:
        blocks = list(design.random)
    if not blocks:
        return 0.0
    order = sorted(range(len(blocks)), key=lambda k: -blocks[k].grouping.size)
    ordered = tuple(blocks[k] for k in order)
    scaled = [blocks[k].Z @ factors[k] for k in order]
    nested = all(is_nested(a.grouping, b.grouping) for a, b in pairwise(ordered))
    variance = (nested_variance if nested else crossed_variance)(ordered, scaled, weight)
    return float(weight @ variance)


def row_information(result: FitResult) -> Array:
    """Return the expected information of each row in its linear predictor, shape (N,)."""
    design = result.design
    eta = np.empty(len(design.y))
    for rows, values in predictor_blocks(result):
        eta[rows] = values[:, 0]
    additions = design.outcome.rows
    weights = np.asarray(additions.get("weights", np.ones(len(eta))), dtype=float)
    line = [
        parameter.line(further_draws(result)[parameter.name].reshape(-1))
        for parameter in design.parameters
    ]
    others = np.concatenate([*line, np.empty(0)])[:, None]
    known = np.array(design.family.known(additions), dtype=float)
    found = np.empty(len(eta))
    information(code(design.family), eta, others, known, weights, found)
    return found
