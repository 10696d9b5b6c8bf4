"""Explained variance by a named definition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayesmlm.errors import StatisticError, message, suggestion
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import PROBABILITY, check_probability
from bayesmlm.summaries.r2_bayes import r2_bayes
from bayesmlm.summaries.r2_levels import r2_levels
from bayesmlm.summaries.r2_nakagawa import r2_nakagawa
from bayesmlm.summaries.r2_rights_sterba import r2_rights_sterba
from bayesmlm.summaries.r2_snijders_bosker import r2_snijders_bosker

if TYPE_CHECKING:
    import pandas as pd

DEFINITIONS = {
    "nakagawa": (
        "R² (Nakagawa & Schielzeth)",
        "marginal: fixed part over all; conditional: fixed and random part over all",
        r2_nakagawa,
    ),
    "bayes": (
        "R² (Gelman, Goodrich, Gabry & Vehtari)",
        "variance of the predicted means over that plus the residual variance",
        r2_bayes,
    ),
    "levels": (
        "R² by level (Gelman & Pardoe)",
        "R²: 1 - E[variance of the errors] / E[variance of the level's coefficients]; mean to "
        "upper: the same ratio draw by draw",
        r2_levels,
    ),
    "snijders-bosker": (
        "R² (Snijders & Bosker)",
        "proportional reduction of the error of predicting a row (level 1), a group mean (level 2)",
        r2_snijders_bosker,
    ),
    "rights-sterba": (
        "Shares of the variance (Rights & Sterba)",
        "variances of the fixed part, of slopes and of intercepts that vary, and of the residual, "
        "over the total and over their level's sum",
        r2_rights_sterba,
    ),
}
"""Title, definition in words, and function, by the name of the kind."""


def r2(
    result: FitResult, kind: str = "nakagawa", probability: float = PROBABILITY, **options: Any
) -> pd.DataFrame:
    """Return explained variance by one definition.

    Parameters
    ----------
    result
        The fit.
    kind
        ``"nakagawa"``, ``"bayes"``, ``"levels"``, ``"snijders-bosker"`` or
        ``"rights-sterba"``.
    probability
        Of the intervals.
    options
        ``null``, a FitResult, of ``"snijders-bosker"``; ``by_level`` of ``"rights-sterba"``.

    Raises
    ------
    StatisticError
        For an unknown kind, an option it does not take, or where it is not defined.
    """
    check_probability(probability)
    if kind not in DEFINITIONS:
        raise StatisticError(
            message(
                f"kind={kind!r}{suggestion(kind, DEFINITIONS)}",
                ", ".join(map(repr, DEFINITIONS)),
                "choose one of these definitions",
            )
        )
    takes = {"snijders-bosker": ("null",), "rights-sterba": ("by_level",)}.get(kind, ())
    unknown = [name for name in options if name not in takes]
    if unknown:
        raise StatisticError(
            message(
                f"{unknown[0]}= with kind={kind!r}",
                ", ".join(takes) or "no options",
                "leave it out",
            )
        )
    function: Any = DEFINITIONS[kind][2]
    frame: pd.DataFrame = function(result, probability, **options)
    return frame
