"""Normal priors of the fixed effects as a precision matrix, so that they integrate out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.density.crossproducts import Columns
from bayesmlm.design import Design
from bayesmlm.priors import Normal, Priors

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FixedPrior:
    """A joint Normal prior of the fixed effects in the coordinates of the kernels.

    Parameters
    ----------
    matrix
        [[P, P m], [m' P, m' P m]], P the precision and m the mean, shape (p + 1, p + 1).
    log_det
        Log determinant of P; zero for the flat prior.
    """

    matrix: Array
    log_det: float


def flat(p: int) -> FixedPrior:
    """Return the flat prior, for maximum likelihood."""
    return FixedPrior(np.zeros((p + 1, p + 1)), 0.0)


def normal(design: Design, priors: Priors, data: Columns) -> FixedPrior:
    """Return the joint prior of the fixed effects.

    Each prior is of one linear functional of the coefficients: of the coefficient itself,
    or, for the default intercept, of the linear predictor at the means of X.
    """
    p = len(design.coef)
    functional = np.eye(p)
    if names.INTERCEPT in design.coef and priors.intercept_at_means:
        functional[design.coef.index(names.INTERCEPT)] = design.X.mean(axis=0)
    own = [priors.coefficients[name] for name in design.coef]
    mu = np.array([prior.parameters()["mu"] for prior in own]) - functional @ data.start
    sigma = np.array([prior.parameters()["sigma"] for prior in own])
    rows = np.linalg.solve(data.to_X.T, functional.T).T / sigma[:, None]
    stacked = np.column_stack([rows, mu / sigma])
    log_det = 2 * float(np.linalg.slogdet(rows)[1]) if p else 0.0
    return FixedPrior(stacked.T @ stacked, log_det)


def is_normal(priors: Priors) -> bool:
    """Whether every prior of a fixed effect is Normal."""
    return all(type(prior) is Normal for prior in priors.coefficients.values())
