"""Proportional reduction of prediction error at level 1 and level 2.

Of a model with a random intercept,

    R1² = 1 - Var(Y - X gamma) / Var(Y),     R2² = 1 - Var(mean of Y - X gamma) / Var(mean of Y),

the means over the n rows of a group, n the harmonic mean of the groups' sizes. Without a null
model the variances of Y are the model's own: Var(X gamma) + tau² + sigma², and of the means
Var(group means of X gamma) + tau² + sigma² / n. With one (the same groups, no predictors) they
are the null model's tau0² + sigma0² and tau0² + sigma0² / n. R1² may then fall when a predictor
is added, a sign of misspecification. For random slopes refit with the slopes fixed.

References
----------
Snijders & Bosker (1994), doi:10.1177/0049124194022003004; (2012), Multilevel Analysis,
2nd ed., section 7.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import RandomBlock
from bayesmlm.errors import StatisticError, message
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import PROBABILITY, describe, flatten
from bayesmlm.summaries.r2_nakagawa import covariance_of, fixed_variance, quadratic
from bayesmlm.summaries.rows import fixed_columns

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


def reduction(left: Array, whole: Array) -> Array:
    """Return 1 - left / whole, elementwise."""
    return 1 - left / whole


def components(result: FitResult) -> tuple[RandomBlock, Array, Array]:
    """Return the grouping, and draws of tau² and sigma², of a random-intercept model.

    Raises
    ------
    StatisticError
        For another model.
    """
    design = result.design
    reason = None
    if not design.estimates_scale:
        reason = "no residual SD"
    elif design.outcome.rows:
        reason = f"{', '.join(design.outcome.rows)}() in the response"
    elif len(design.random) != 1:
        reason = f"{len(design.random)} groupings"
    elif design.random[0].effects != (names.INTERCEPT,):
        reason = "random slopes"
    if reason is not None:
        raise StatisticError(
            message(
                f"Snijders & Bosker's R² of a model with {reason}",
                "two levels, a gaussian response and a random intercept",
                'refit with the slopes fixed, or ask for fit.r2(kind="rights-sterba")',
            )
        )
    block = design.random[0]
    tau2 = flatten(result.posterior[names.sd(block.name)])[0][:, 0] ** 2
    return block, tau2, flatten(result.posterior[names.SIGMA])[0][:, 0] ** 2


def r2_snijders_bosker(
    result: FitResult, probability: float = PROBABILITY, null: FitResult | None = None
) -> pd.DataFrame:
    """Return R1² and R2².

    Parameters
    ----------
    result
        A fit with a random intercept.
    probability
        Of the intervals.
    null
        A fit of the same response and groups without predictors. Its draws are independent
        of those of `result` and paired with them in order, as many as both have; one point
        is paired with all.

    Returns
    -------
    DataFrame
        Rows ``level 1`` and ``level 2``.

    Raises
    ------
    StatisticError
        For another model, or a null model of other data.
    """
    import pandas as pd

    block, tau2, sigma2 = components(result)
    n = len(block.grouping.counts) / float((1 / block.grouping.counts).sum())
    left1, left2 = tau2 + sigma2, tau2 + sigma2 / n
    if null is None:
        whole1 = left1 + fixed_variance(result)
        whole2 = left2 + variance_of_means(result, block)
    else:
        check_null(result, null)
        _, tau0, sigma0 = components(null)
        whole1, whole2 = tau0 + sigma0, tau0 + sigma0 / n
        if min(len(left1), len(whole1)) > 1:
            S = min(len(left1), len(whole1))
            left1, left2, whole1, whole2 = left1[:S], left2[:S], whole1[:S], whole2[:S]
    draws = np.column_stack([reduction(left1, whole1), reduction(left2, whole2)])
    frame = pd.DataFrame(describe(draws, probability))
    return frame.set_index(pd.Index(["level 1", f"level 2 ({block.name})"], name="R²"))


def variance_of_means(result: FitResult, block: RandomBlock) -> Array:
    """Return draws of the variance over the groups of the fixed part's means, shape (S,)."""
    X, beta, _ = fixed_columns(result)
    codes, counts = block.grouping.codes, block.grouping.counts
    means = np.array([np.bincount(codes, column) / counts for column in X.T])
    means = means.reshape(X.shape[1], len(counts)).T
    return quadratic(beta, covariance_of(means))


def check_null(result: FitResult, null: FitResult) -> None:
    """Refuse a null model of another response or grouping, or with predictors."""
    same = len(result.design.y) == len(null.design.y) and bool(
        (result.design.y == null.design.y).all()
    )
    groups = [block.grouping.columns for block in result.design.random]
    others = [block.grouping.columns for block in null.design.random]
    if not same or groups != others or set(null.design.coef) - {names.INTERCEPT}:
        raise StatisticError(
            message(
                "a null model of another response or grouping, or with predictors",
                "the same rows and groups, and an intercept only",
                "fit y ~ 1 + (1 | group) to the data of this fit, or leave null= out",
            )
        )
