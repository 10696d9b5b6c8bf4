"""Marginal and conditional R² on the scale of the linear predictor.

With v_f the variance over the rows of the fixed part, v_r the variance of all random effects
averaged over the rows, and v_1 the level-1 variance of `latent`,

    marginal = v_f / (v_f + v_r + v_1),     conditional = (v_f + v_r) / (v_f + v_r + v_1).

An offset is part of the fixed part. Variances over the N rows have the divisor N.

References
----------
Nakagawa & Schielzeth (2013), doi:10.1111/j.2041-210x.2012.00261.x;
Nakagawa, Johnson & Schielzeth (2017), doi:10.1098/rsif.2017.0213;
Johnson (2014), doi:10.1111/2041-210X.12225, for random slopes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import PROBABILITY, describe
from bayesmlm.summaries.latent import level1_latent
from bayesmlm.summaries.rows import fixed_columns
from bayesmlm.summaries.variance_components import group_variances

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


def marginal_and_conditional(fixed: Array, random: Array, level1: Array) -> tuple[Array, Array]:
    """Return both, elementwise, of variances of shape (S,)."""
    total = fixed + random + level1
    return fixed / total, (fixed + random) / total


def fixed_variance(result: FitResult) -> Array:
    """Return draws of the variance over the rows of the fixed part, shape (S,)."""
    X, beta, _ = fixed_columns(result)
    return quadratic(beta, covariance_of(X))


def covariance_of(X: Array) -> Array:
    """Return the covariance of columns over the N rows, divisor N; shape (p, p)."""
    centred = X - X.mean(axis=0)
    return np.asarray(centred.T @ centred / len(X))


def quadratic(beta: Array, matrix: Array) -> Array:
    """Return beta' matrix beta of every draw, shape (S,)."""
    return np.einsum("sa,ab,sb->s", beta, matrix, beta)


def r2_nakagawa(result: FitResult, probability: float = PROBABILITY) -> pd.DataFrame:
    """Return marginal and conditional R², with posteriors.

    Raises
    ------
    StatisticError
        Where there is no level-1 variance: sampling SDs that differ by row and are known.
    """
    import pandas as pd

    level1 = level1_latent(result)
    random = sum(group_variances(result).values(), np.zeros_like(level1))
    both = marginal_and_conditional(fixed_variance(result), random, level1)
    frame = pd.DataFrame(describe(np.column_stack(both), probability))
    return frame.set_index(pd.Index(["marginal", "conditional"], name="R²"))
