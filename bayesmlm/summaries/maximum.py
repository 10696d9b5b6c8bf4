"""Figures of a maximum likelihood fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmlm import names
from bayesmlm.errors import StatisticError, message
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import check_probability

if TYPE_CHECKING:
    import pandas as pd

ERRORS = "standard_errors"
"""Group of the tree that holds the covariance of a maximum likelihood fit."""


def at_maximum(result: FitResult, name: str) -> float:
    """Return a statistic of a maximum likelihood fit.

    Raises
    ------
    StatisticError
        For a fit by an engine that has none.
    """
    if ERRORS not in result.tree.children or name not in result.tree["sample_stats"]:
        raise StatisticError(
            message(
                f"{name} of a fit by {result.engine.name!r}",
                'fits by "ml" or "reml"',
                'fit with model.fit("ml"); of a posterior, compare predictions instead',
            )
        )
    return float(result.tree["sample_stats"][name])


def wald(result: FitResult, probability: float) -> pd.DataFrame:
    """Return estimates of the fixed effects, standard errors and Wald intervals."""
    import pandas as pd
    from scipy.stats import norm

    check_probability(probability)
    estimate = result.posterior[names.BETA][0, 0].to_numpy()
    covariance = result.tree[ERRORS]["beta_covariance"].to_numpy()
    se = np.sqrt(np.diag(covariance))
    half = norm.ppf((1 + probability) / 2) * se
    columns = {"estimate": estimate, "se": se, "lower": estimate - half, "upper": estimate + half}
    return pd.DataFrame(columns | {"t": estimate / se}, index=list(result.design.coef))
