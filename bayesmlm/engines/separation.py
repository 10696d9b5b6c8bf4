"""Complete separation: predictors that tell every binary or ordered response; counts all zero.

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

COUNTS = (
    "poisson",
    "negbinomial",
    "zero_inflated_poisson",
    "zero_inflated_negbinomial",
    "hurdle_poisson",
    "hurdle_negbinomial",
)
"""Families whose likelihood does not bound the mean from below, where every count is zero."""


def separation_note(design: Design, bounded: bool) -> tuple[str, ...]:
    """Return a note where the likelihood has no maximum in the fixed effects, else nothing.

    Parameters
    ----------
    design
        The model.
    bounded
        Whether priors bound the coefficients.
    """
    name = design.family.name
    binary = name in ("bernoulli", "binomial") and is_separated(design)
    if name in COUNTS and not design.y.any():
        what = "Every count is zero"
    elif binary or (design.family.ordered and is_ordered_by_predictors(design)):
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


def is_ordered_by_predictors(design: Design) -> bool:
    """Whether a linear form of the predictors increases from each category to the next.

    Where one does, it and a gap of 2 about every threshold solve a linear programme.
    """
    from scipy.optimize import linprog

    if not design.coef:
        return False
    X, _ = orthonormal(design.X - design.X.mean(axis=0), np.sqrt(len(design.y)))
    category = design.y.astype(int)
    K = int(category.max())
    cuts = np.eye(K + 2)[:, 1:-1]  # no threshold below the first category, none above the last
    inner, outer = category > 0, category < K
    below = np.hstack([X[outer], -cuts[category[outer] + 1]])
    above = np.hstack([-X[inner], cuts[category[inner]]])
    rows = np.vstack([below, above])
    found = linprog(np.zeros(rows.shape[1]), rows, -np.ones(len(rows)), bounds=(None, None))
    return bool(found.status == 0)
