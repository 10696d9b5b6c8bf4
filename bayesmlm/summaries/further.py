"""The family's further parameters: scale, shape, precision, thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import PROBABILITY, table

if TYPE_CHECKING:
    import pandas as pd


def further_parameters(
    result: FitResult, wanted: tuple[str, ...], probability: float = PROBABILITY
) -> pd.DataFrame:
    """Return one row an entry of the further parameters named.

    Parameters
    ----------
    result
        The fit.
    wanted
        Names of parameters, of ``result.design.parameters``.

    Returns
    -------
    DataFrame
        The columns of `table`; thresholds are ``thresholds[low|high]``, at x = 0.
    """
    import pandas as pd

    parts = []
    for name in wanted:
        part = table(result.posterior[name], probability)
        if result.posterior[name].ndim > 2:
            part = part.set_axis([f"{name}[{label}]" for label in part.index])
        parts.append(part)
    return pd.concat(parts).rename_axis("parameter")
