"""What a fit says of predictors with latent group means: how far groups differ, how reliably.

With tau² the variance of the latent means and sigma² that within groups, the intraclass
correlation of x is tau² / (tau² + sigma²), and the observed mean of the n_j rows of a group
measures its latent mean with the reliability tau² / (tau² + sigma² / n_j), averaged over groups.

References
----------
Lüdtke, Marsh, Robitzsch, Trautwein, Asparouhov & Muthén (2008), doi:10.1037/a0012869.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.errors import StatisticError, message
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import PROBABILITY, check_probability, describe, flatten

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

ROWS = ("mean", "SD between groups", "SD within groups", "ICC", "reliability of observed means")


def reliability_of_means(tau: Array, sigma: Array, counts: Array) -> Array:
    """Return the reliability of observed means, averaged over groups.

    Parameters
    ----------
    tau, sigma
        SDs between and within groups, shape (S,).
    counts
        Rows of each group, shape (J,).

    Returns
    -------
    array, shape (S,)
    """
    error = sigma[:, None] ** 2 / counts
    return np.asarray((tau[:, None] ** 2 / (tau[:, None] ** 2 + error)).mean(axis=1))


def latent_means(result: FitResult, probability: float = PROBABILITY) -> pd.DataFrame:
    """Return what the submodels of predictors with latent group means estimate.

    Parameters
    ----------
    result
        The fit.
    probability
        Of the intervals.

    Returns
    -------
    DataFrame
        Index (predictor, quantity), `ROWS`: mean, SD and interval.

    Raises
    ------
    StatisticError
        If the model has no `latent(x, g)`.
    """
    import pandas as pd

    check_probability(probability)
    design = result.design
    if not design.latent.means:
        raise StatisticError(
            message("a model without latent(x, g)", "models with it", "add latent(x, g)")
        )
    draws, index = [], []
    for mean in design.latent.means:
        mu, tau, sigma = (
            flatten(result.posterior[name])[0][:, 0] for name in names.latent_parameters(mean.x)
        )
        counts = design.block(mean.group).grouping.counts.astype(float)
        share = tau**2 / (tau**2 + sigma**2)
        draws += [mu, tau, sigma, share, reliability_of_means(tau, sigma, counts)]
        index += [(mean.text, row) for row in ROWS]
    rows = pd.MultiIndex.from_tuples(index, names=["predictor", "quantity"])
    return pd.DataFrame(describe(np.column_stack(draws), probability), index=rows)
