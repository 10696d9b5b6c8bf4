"""Complete separation: predictors that tell every binary response; and counts that are all zero.

The likelihood then rises without end along some direction of the fixed effects, and only
priors bound them.

References
----------
Albert & Anderson (1984), doi:10.1093/biomet/71.1.1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.crossproducts import orthonormal
from bayesmlm.design import Design

Array = NDArray[np.float64]

STEPS = 30

COUNTS = ("poisson", "negbinomial")
"""Families whose likelihood rises without end as the mean falls, where every count is zero."""


def separation_note(design: Design, bounded: bool) -> tuple[str, ...]:
    """Return a note where the likelihood has no maximum in the fixed effects, else nothing.

    Parameters
    ----------
    design
        The model.
    bounded
        Whether priors bound the coefficients.
    """
    if design.family.name in COUNTS and not design.y.any():
        what = "Every count is zero"
    elif design.family.name in ("bernoulli", "binomial") and is_separated(design):
        what = "Complete separation: the predictors tell every response"
    else:
        return ()
    rest = (
        "only their priors bound the coefficients"
        if bounded
        else "the likelihood has no maximum, and the estimates are where the search ended"
    )
    return (f"{what}; {rest}.",)


def is_separated(design: Design) -> bool:
    """Whether a hyperplane separates rows of successes only from rows of failures only.

    Where one does, a logistic regression without effects finds it.
    """
    trials = design.outcome.rows.get("trials", np.ones(len(design.y)))
    if ((design.y > 0) & (design.y < trials)).any() or not design.coef:
        return False
    X, _ = orthonormal(design.X, np.sqrt(len(design.y)))
    sign = np.where(design.y > 0, 1.0, -1.0)
    beta = np.zeros(X.shape[1])
    for _ in range(STEPS):
        eta = X @ beta
        if (sign * eta > 0).all():
            return True
        p = 1 / (1 + np.exp(-np.clip(eta, -30, 30)))
        weight = p * (1 - p)
        information = (X * weight[:, None]).T @ X + 1e-10 * np.eye(len(beta))
        step = np.linalg.solve(information, X.T @ ((sign > 0) - p))
        if np.abs(step).max() < 1e-6:
            return False
        beta += step
    return bool((sign * (X @ beta) > 0).all())
