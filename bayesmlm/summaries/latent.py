"""The level-1 variance on the scale of the linear predictor.

Gaussian: sigma². Logit and probit: pi²/3 and 1, the variance of the latent response. Log link:
ln(1 + 1 / lambda), lambda = exp(m + v / 2) the mean count, m the mean fixed part and v the
variance of all random effects together (the lognormal approximation).

References
----------
Nakagawa, Johnson & Schielzeth (2017), doi:10.1098/rsif.2017.0213;
Goldstein, Browne & Rasbash (2002), doi:10.1207/S15328031US0104_02.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmlm.result import FitResult
from bayesmlm.summaries.rows import fixed_columns
from bayesmlm.summaries.variance_components import group_variances, level1_variance

Array = NDArray[np.float64]


def lognormal_variance(mean: Array, variance: Array) -> Array:
    """Return ln(1 + 1 / exp(mean + variance / 2)), elementwise."""
    return np.asarray(np.logaddexp(0.0, -(mean + variance / 2)))


def linear_predictor_mean(result: FitResult) -> Array:
    """Return draws of the fixed part's mean over the rows, shape (S,)."""
    X, beta, _ = fixed_columns(result)
    return np.asarray(beta @ X.mean(axis=0))


def level1_latent(result: FitResult) -> Array:
    """Return draws of the level-1 variance on the scale of the linear predictor, shape (S,).

    Raises
    ------
    StatisticError
        Where the sampling SDs are known and differ by row.
    """
    if result.design.family.link.name != "log":
        return level1_variance(result)
    center = linear_predictor_mean(result)
    return lognormal_variance(center, sum(group_variances(result).values(), np.zeros(1)))
