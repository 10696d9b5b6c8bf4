"""Bayesian R²: the variance of the predicted means over that and the residual variance.

    R²_s = V(mu_s) / (V(mu_s) + r_s),

V the variance over the rows of the means mu given fixed and random effects of draw s, r_s
the mean over the rows of the variance of a response given its mean (of a binomial, of the
proportion).

References
----------
Gelman, Goodrich, Gabry & Vehtari (2019), doi:10.1080/00031305.2018.1549100.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design.further import refuse_by_row
from bayesmlm.errors import StatisticError, message
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import PROBABILITY, describe, flatten
from bayesmlm.summaries.rows import n_draws, predictor_blocks

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


def bayesian_r2(fitted: Array, residual: Array) -> Array:
    """Return fitted / (fitted + residual), elementwise."""
    return fitted / (fitted + residual)


def r2_bayes(result: FitResult, probability: float = PROBABILITY) -> pd.DataFrame:
    """Return Bayesian R², with its posterior; of a maximum, at the modes of the effects."""
    import pandas as pd

    draws = bayesian_r2(*fitted_and_residual(result))
    index = pd.Index(["Bayesian"], name="R²")
    return pd.DataFrame(describe(draws[:, None], probability), index=index)


def fitted_and_residual(result: FitResult) -> tuple[Array, Array]:
    """Return V(mu) and the mean variance of a response, draw by draw; shapes (S,)."""
    design = result.design
    S, N = n_draws(result), len(design.y)
    family, additions = design.family, design.outcome.rows
    if family.ordered:
        raise StatisticError(
            message(
                f"Bayesian R² of the {family.name} family, whose responses have no mean",
                "responses that are numbers",
                'ask for fit.r2("nakagawa") of the latent response',
            )
        )
    refuse_by_row(design, "Bayesian R²")
    others = {
        parameter.name: flatten(result.posterior[parameter.name])[0][:, 0]
        for parameter in design.parameters
        if parameter.name != names.THRESHOLDS
    }
    about = float(family.link.inverse(design.offset.mean(keepdims=True))[0])
    if family.link.name == "identity":
        about = float(design.y.mean())  # so that responses far from zero lose no digits
    sums, squares, sampling = np.zeros(S), np.zeros(S), np.zeros(S)
    for rows, eta in predictor_blocks(result):
        own = {name: values[rows, None] for name, values in additions.items()}
        mu = family.mean(eta, others, own)
        sums += (mu - about).sum(axis=0)
        squares += ((mu - about) ** 2).sum(axis=0)
        sampling += family.variance(eta, others, own).sum(axis=0)
    return (squares - sums**2 / N) / (N - 1), sampling / N
