"""The likelihood-ratio test of nested maximum likelihood fits.

Under the smaller model twice the difference of log likelihoods is chi-squared with as many
degrees of freedom as parameters are added; where one variance is added, its null value zero
is on the boundary, and it is a half-and-half mixture of chi-squared with one degree of freedom
less and with all (the covariances it brings count as parameters).

References
----------
Self & Liang (1987), doi:10.1080/01621459.1987.10478472; Stram & Lee (1994),
doi:10.2307/2533455.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmlm.design import Design
from bayesmlm.errors import StatisticError, message
from bayesmlm.result import FitResult
from bayesmlm.summaries.maximum import at_maximum

if TYPE_CHECKING:
    import pandas as pd

SPANNED = 1e-8
"""Relative length that may be left of a column in the span of others."""


def likelihood_ratio(larger: FitResult, smaller: FitResult) -> pd.DataFrame:
    """Return the test of a fit against one nested in it.

    Parameters
    ----------
    larger, smaller
        Fits by ML of the same rows; by REML with the same fixed effects.

    Returns
    -------
    DataFrame
        One row: ``statistic``, ``df``, ``p`` by chi-squared, and ``p_boundary`` by the mixture,
        missing unless exactly one variance is added.

    Raises
    ------
    StatisticError
        For fits that cannot be compared so.
    """
    import pandas as pd
    from scipy.stats import chi2

    check(larger, smaller)
    df = int(at_maximum(larger, "parameters") - at_maximum(smaller, "parameters"))
    gain = at_maximum(larger, "log_likelihood") - at_maximum(smaller, "log_likelihood")
    statistic = max(2 * gain, 0.0)
    boundary = np.nan
    added = variances(larger.design) - variances(smaller.design)
    if added == 1:
        below = chi2.sf(statistic, df - 1) if df > 1 else float(statistic <= 0)
        boundary = 0.5 * below + 0.5 * chi2.sf(statistic, df)
    row = {"statistic": statistic, "df": df, "p": chi2.sf(statistic, df), "p_boundary": boundary}
    return pd.DataFrame([row], index=pd.Index(["likelihood ratio"], name="test"))


def variances(design: Design) -> int:
    """Return the number of variances of effects."""
    return sum(len(block.effects) for block in design.random)


def check(larger: FitResult, smaller: FitResult) -> None:
    """Raise `StatisticError` unless one fit is nested in the other and likelihoods compare."""
    first, second = larger.design, smaller.design
    engines = {larger.engine, smaller.engine}
    at_maximum(larger, "log_likelihood")
    at_maximum(smaller, "log_likelihood")
    same = np.array_equal(first.positions, second.positions) and np.array_equal(first.y, second.y)
    spanned = same and within_span(second.X, first.X)
    effects = {(b.name, effect) for b in first.random for effect in b.effects}
    fewer = {(b.name, effect) for b in second.random for effect in b.effects}
    parameters = [at_maximum(each, "parameters") for each in (larger, smaller)]
    if not same:
        got = "fits of different rows or responses"
    elif len(engines) > 1:
        got = f"fits by {larger.engine} and {smaller.engine}"
    elif first.family != second.family:
        got = f"the families {first.family.name} and {second.family.name}"
    elif larger.engine.name == "reml" and not (spanned and within_span(first.X, second.X)):
        got = "REML fits of different fixed effects, whose likelihoods do not compare"
    elif not spanned or not fewer <= effects or parameters[0] <= parameters[1]:
        got = "a fit that is not nested in this one"
    else:
        return
    raise StatisticError(
        message(
            f"likelihood_ratio() of {got}",
            "a fit by the same engine of the same rows, its effects among this one's",
            "fit both by ML, and pass the smaller one",
        )
    )


def within_span(columns: np.ndarray, others: np.ndarray) -> bool:
    """Return whether columns are linear combinations of others."""
    if columns.shape[1] == 0:
        return True
    if others.shape[1] == 0:
        return False
    fitted = others @ np.linalg.lstsq(others, columns, rcond=None)[0]
    left = np.linalg.norm(columns - fitted, axis=0)
    return bool((left <= SPANNED * np.linalg.norm(columns, axis=0)).all())
