"""Explained variance of each level (Gelman & Pardoe); the formula is in `pooling_factor`.

References
----------
Gelman & Pardoe (2006), doi:10.1198/004017005000000517.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import PROBABILITY, describe
from bayesmlm.summaries.pooling_factor import level_variances

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


def explained(of_errors: Array, of_units: Array) -> float:
    """Return 1 - E[V(epsilon)] / E[V(theta)]; not a number where theta does not vary."""
    spread = float(of_units.mean())
    return float(1 - of_errors.mean() / spread) if spread > 0 else float("nan")


def r2_levels(result: FitResult, probability: float = PROBABILITY) -> pd.DataFrame:
    """Return R² of every level.

    Returns
    -------
    DataFrame
        Index (level, effect): ``R²``, Gelman & Pardoe's ratio of posterior means; ``mean``,
        ``sd``, ``lower`` and ``upper`` of 1 - V(epsilon) / V(theta) draw by draw.

    Raises
    ------
    StatisticError
        Of a maximum, which has no draws.
    """
    import pandas as pd

    records = []
    for level in level_variances(result):
        with np.errstate(divide="ignore", invalid="ignore"):
            draws = 1 - level.of_errors / level.of_units
        bounds = describe(draws[:, None], probability)
        record = {"level": level.level, "effect": level.effect, "units": level.units}
        record |= {"R²": explained(level.of_errors, level.of_units)}
        records.append(record | {name: float(value[0]) for name, value in bounds.items()})
    return pd.DataFrame(records).set_index(["level", "effect"])
