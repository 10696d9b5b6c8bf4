"""The variance as a function of predictors whose slopes vary.

With effect columns z at a point, grouping g contributes z' T_g z: tau_00 + 2 tau_01 x +
tau_11 x² for one random slope.

References
----------
Snijders & Bosker (2012), Multilevel Analysis, 2nd ed., sections 5.1 and 8.1;
Goldstein, Browne & Rasbash (2002), doi:10.1207/S15328031US0104_02.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmlm.errors import StatisticError, message
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import PROBABILITY
from bayesmlm.summaries.grid import At
from bayesmlm.summaries.icc import rows, variances_at
from bayesmlm.summaries.latent import level1_latent
from bayesmlm.summaries.variance_components import RESIDUAL

if TYPE_CHECKING:
    import pandas as pd

TOTAL = "total"


def variance_function(result: FitResult, at: At, probability: float = PROBABILITY) -> pd.DataFrame:
    """Return the variance of each grouping at stated values, on the linear predictor's scale.

    Parameters
    ----------
    result
        The fit.
    at
        Values of the predictors whose slopes vary; every combination is a point.
    probability
        Of the intervals.

    Returns
    -------
    DataFrame
        Index (group, predictors); beside the groupings ``residual``, the level-1 variance
        averaged over the rows, and ``total``, where there is a level-1 variance.

    Raises
    ------
    StatisticError
        Without slopes that vary.
    """
    if not result.design.random:
        raise StatisticError(
            message(
                "the variance function of a model without groups",
                "a model with random slopes",
                "add a term such as (x | group)",
            )
        )
    keys, points, variances = variances_at(result, at)
    draws = {name: [v[name] for v in variances] for name in variances[0]}
    try:
        level1 = level1_latent(result)
    except StatisticError:
        pass  # sampling SDs known by row: there is no one level-1 variance
    else:
        draws[RESIDUAL] = [level1] * len(points)
        draws[TOTAL] = [level1 + sum(v.values(), np.zeros(1)) for v in variances]
    return rows(draws, {}, keys, points, probability).drop(columns="shared")
