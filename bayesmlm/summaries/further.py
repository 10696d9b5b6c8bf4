"""The family's further parameters: scale, shape, precision, thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesmlm import names
from bayesmlm.design import ParameterDesign
from bayesmlm.result import FitResult
from bayesmlm.summaries.coefficients import coefficient_table
from bayesmlm.summaries.draws import PROBABILITY, table

if TYPE_CHECKING:
    import pandas as pd


def formula_parameters(
    result: FitResult, part: ParameterDesign, probability: float = PROBABILITY
) -> pd.DataFrame:
    """Return one row a coefficient, SD and correlation of a further parameter's formula.

    Parameters
    ----------
    result
        The fit.
    part
        One of ``result.design.further``.

    Returns
    -------
    DataFrame
        The columns of `table`, on the scale of the parameter's link; its index has the names
        that priors are given to, ``sigma_ses``, ``sd_sigma_school[Intercept]``.
    """
    import pandas as pd

    posterior, parts = result.posterior, []
    if part.coef:
        parts.append(coefficient_table(result, part, probability))
    for block in part.random:
        wanted = [names.sd(block.name)] + ([names.corr(block.name)] if block.pairs else [])
        for name in wanted:
            frame = table(posterior[name], probability)
            parts.append(frame.set_axis([f"{name}[{label}]" for label in frame.index]))
        if names.nu(block.name) in posterior:
            parts.append(table(posterior[names.nu(block.name)], probability))
    return pd.concat(parts).rename_axis("parameter")


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
