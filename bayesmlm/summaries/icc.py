"""Intraclass correlation: how alike two rows of one group are.

With v_g the variance of grouping g, averaged over the rows, and v_1 that of level 1, two
rows that share exactly the groups in a set S correlate by (sum over S of v_g) / (sum of all
v_g + v_1) on the scale of the linear predictor. Two rows that share an inner group share the
groups it is nested in.

References
----------
Raudenbush & Bryk (2002), Hierarchical Linear Models, 2nd ed., equations 2.10 and 8.5;
Goldstein, Browne & Rasbash (2002), doi:10.1207/S15328031US0104_02.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm.errors import StatisticError, message
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import PROBABILITY, describe
from bayesmlm.summaries.variance_components import group_variances, level1_variance

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


def intraclass_correlation(shared: list[Array], all_groups: list[Array], level1: Array) -> Array:
    """Return sum(shared) / (sum(all_groups) + level1), elementwise.

    Parameters
    ----------
    shared, all_groups
        Variances of the groupings that two rows share, and of all; each of shape (S,).
    level1
        Level-1 variance, shape (S,).
    """
    return sum(shared, np.zeros_like(level1)) / sum(all_groups, level1)


def icc(result: FitResult, probability: float = PROBABILITY) -> pd.DataFrame:
    """Return the intraclass correlation of each grouping, with its posterior.

    Returns
    -------
    DataFrame
        One row a grouping: ``mean``, ``sd``, ``lower``, ``upper``, and ``shared``, the
        groupings that two rows of one group have in common.

    Raises
    ------
    StatisticError
        Without random effects, or without a level-1 variance to compare with.
    """
    import pandas as pd

    if not result.design.random:
        raise StatisticError(
            message(
                "the intraclass correlation of a model without groups",
                "a model with random effects",
                "add a term such as (1 | group)",
            )
        )
    groups = group_variances(result)
    level1 = level1_variance(result)
    outside = {level.grouping.name: level.nested_in for level in result.design.levels.levels}
    records = {}
    for name in groups:
        shared = [name, *outside[name]]
        draws = intraclass_correlation([groups[g] for g in shared], list(groups.values()), level1)
        bounds = describe(draws[:, None], probability)
        records[name] = {key: float(value[0]) for key, value in bounds.items()}
        records[name]["shared"] = ", ".join(shared)  # type: ignore[assignment]
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("group")
