"""Pooling factor and explained variance of each level.

A level of a model is theta_k = prediction + epsilon_k: at level 1 the response and its
residual, at a grouping the groups' coefficients and their deviations u. With V the variance
over the K units and E the posterior mean,

    lambda = 1 - V(E[epsilon]) / E[V(epsilon)],      R² = 1 - E[V(epsilon)] / E[V(theta)].

lambda near 1 says that the errors are pooled to zero, near 0 that they are estimated from
their own data; R² is zero or less where the level's predictors predict nothing.

References
----------
Gelman & Pardoe (2006), doi:10.1198/004017005000000517.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design import RandomBlock
from bayesmlm.effects import effect_blocks
from bayesmlm.errors import StatisticError, message
from bayesmlm.result import FitResult
from bayesmlm.summaries.coefficients_by_group import split
from bayesmlm.summaries.rows import fixed_columns, n_draws, predictor_blocks, response_values

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

LEVEL1 = "level 1"

ROUNDING = 1e-12
"""Size of a loading, relative to the largest, that is rounding."""


@dataclass(frozen=True)
class LevelVariances:
    """What the two figures of a level are made of.

    Parameters
    ----------
    level, effect, units
        Which, and K.
    of_means
        V(E[epsilon]).
    of_errors, of_units
        V(epsilon) and V(theta), draw by draw, shape (S,).
    """

    level: str
    effect: str
    units: int
    of_means: float
    of_errors: Array
    of_units: Array


@dataclass(frozen=True)
class Moments:
    """Sums over units of draws, and of the units' posterior means.

    Parameters
    ----------
    sums, squares
        Shape (S,).
    means
        Posterior means, shape (K,).
    """

    sums: Array
    squares: Array
    means: Array

    @property
    def variance(self) -> Array:
        """The variance over the K units in each draw, shape (S,)."""
        K = len(self.means)
        return np.asarray((self.squares - self.sums**2 / K) / (K - 1))


def moments(parts: list[Array]) -> Moments:
    """Return the moments of draws of shape (units, S), given in parts."""
    return Moments(
        sums=np.sum([part.sum(axis=0) for part in parts], axis=0),
        squares=np.sum([(part**2).sum(axis=0) for part in parts], axis=0),
        means=np.concatenate([part.mean(axis=1) for part in parts]),
    )


def combined(found: list[Moments]) -> Moments:
    """Return the moments of all units, given those of some."""
    return Moments(
        sums=np.sum([m.sums for m in found], axis=0),
        squares=np.sum([m.squares for m in found], axis=0),
        means=np.concatenate([m.means for m in found]),
    )


def pooling(of_means: float, of_errors: Array) -> float:
    """Return 1 - V(E[epsilon]) / E[V(epsilon)]."""
    return float(1 - of_means / of_errors.mean())


def level_variances(result: FitResult) -> list[LevelVariances]:
    """Return level 1, of a gaussian response, and every effect of every grouping.

    Raises
    ------
    StatisticError
        Of a maximum: its one set of effects has no posterior.
    """
    if n_draws(result) < 2:
        raise StatisticError(
            message(
                f"pooling of a fit by {result.engine.name!r}, which has no draws of the effects",
                "fits by 'nuts' or 'laplace'",
                'read fit.reliability(), or fit with model.fit("nuts")',
            )
        )
    found = [row_level(result)] if result.design.family.has_scale else []
    for block in result.design.random:
        found += group_level(result, block)
    if not found:
        raise StatisticError(
            message(
                f"levels of a {result.design.family.name} model without groups",
                "gaussian responses, and models with random effects",
                'read fit.r2(kind="bayes")',
            )
        )
    return found


def row_level(result: FitResult) -> LevelVariances:
    """Return the variances of level 1; responses are taken about their mean."""
    y = response_values(result.design)
    found = [moments([y[rows, None] - eta]) for rows, eta in predictor_blocks(result)]
    errors = combined(found)
    spread = np.full(n_draws(result), y.var(ddof=1))
    return LevelVariances(
        LEVEL1, "", len(y), float(errors.means.var(ddof=1)), errors.variance, spread
    )


def group_level(result: FitResult, block: RandomBlock) -> list[LevelVariances]:
    """Return the variances of every effect of one grouping.

    Groups whose rows do not tell which effect a fixed column belongs to are left out.
    """
    X, beta, _ = fixed_columns(result)
    parts = split(X, block)
    told = np.isfinite(parts.loadings).all(axis=(1, 2))
    loadings = about_means(parts.loadings, told)
    own_beta = beta[:, list(parts.own)].T
    errors: list[list[Moments]] = [[] for _ in block.effects]
    units: list[list[Moments]] = [[] for _ in block.effects]
    for groups, draws in effect_blocks(result, block.name):
        draws = draws[told[groups]]
        own = loadings[groups[told[groups]]] @ own_beta
        for q in range(len(block.effects)):
            errors[q].append(moments([draws[:, q]]))
            units[q].append(moments([draws[:, q] + own[:, q]]))
    found = []
    for q, effect in enumerate(block.effects):
        error, unit = combined(errors[q]), combined(units[q])
        found.append(
            LevelVariances(
                block.name,
                effect,
                len(error.means),
                float(error.means.var(ddof=1)),
                error.variance,
                unit.variance,
            )
        )
    return found


def about_means(loadings: Array, told: NDArray[np.bool_]) -> Array:
    """Return loadings less their means over the groups told, which no variance sees."""
    centred = loadings - loadings[told].mean(axis=0)
    size = np.abs(loadings[told]).max(axis=0, initial=0.0)
    return np.where(np.abs(centred) > ROUNDING * size, centred, 0.0)


def pooling_factors(result: FitResult) -> pd.DataFrame:
    """Return the pooling factor of every level.

    Returns
    -------
    DataFrame
        Index (level, effect): ``units``, K, and ``pooling``. Level 1 is left out of a response
        that is not gaussian, whose residuals are not errors of the linear predictor.

    Raises
    ------
    StatisticError
        Of a maximum, which has no draws.
    """
    import pandas as pd

    records = [
        {
            "level": level.level,
            "effect": level.effect,
            "units": level.units,
            "pooling": pooling(level.of_means, level.of_errors),
        }
        for level in level_variances(result)
    ]
    return pd.DataFrame(records).set_index(["level", "effect"])
