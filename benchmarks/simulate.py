"""Simulated two-level data with a random intercept and a random slope."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

SDS, CORRELATION, SIGMA = (0.5, 0.3), 0.3, 1.0


def two_level(rows: int, groups: int, seed: int) -> pd.DataFrame:
    """Return rows in random order, the same number in every group.

    The model is y = 1 + 0.5 x + u0 + u1 x + e, with the SDs and the correlation above.
    """
    import pandas as pd

    rng = np.random.default_rng(seed)
    group = rng.permutation(np.arange(rows) % groups)
    x = rng.standard_normal(rows)
    covariance = np.outer(SDS, SDS) * np.array([[1, CORRELATION], [CORRELATION, 1]])
    u = rng.standard_normal((groups, 2)) @ np.linalg.cholesky(covariance).T
    y = 1 + 0.5 * x + u[group, 0] + u[group, 1] * x + SIGMA * rng.standard_normal(rows)
    return pd.DataFrame({"y": y, "x": x, "group": group})
