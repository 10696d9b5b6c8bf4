"""Within- and between-group coefficients of a predictor, and its contextual effect.

With x_ij = (x_ij - m_j) + m_j the regression on x within groups has the coefficient b_W, that
on the group means b_B, and the contextual effect is b_B - b_W: what a group's mean adds for
members of equal x. The model has two of the three; the other is their sum or difference:

    within(x, g) + between(x, g)    coefficients b_W and b_B
    x + between(x, g)               coefficients b_W and b_B - b_W

and the same with latent(x, g) for between(x, g), the m_j then being the latent means. With
observed means of n rows, of reliability r = tau_x² / (tau_x² + sigma_x² / n), the contextual
effect is estimated as r (b_B - b_W) instead (Lüdtke et al. 2008).

References
----------
Raudenbush & Bryk (2002), Hierarchical Linear Models, 2nd ed., chapter 5;
Enders & Tofighi (2007), doi:10.1037/1082-989X.12.2.121;
Snijders & Bosker (2012), Multilevel Analysis, 2nd ed., section 4.6;
Lüdtke, Marsh, Robitzsch, Trautwein, Asparouhov & Muthén (2008), doi:10.1037/a0012869.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import Design
from bayesmlm.design.grouping import Grouping, constant_within
from bayesmlm.errors import StatisticError, message, suggestion
from bayesmlm.result import FitResult
from bayesmlm.spec.latent_means import arguments
from bayesmlm.summaries.draws import PROBABILITY, check_probability, describe, flatten
from bayesmlm.summaries.maximum import ERRORS

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

COEFFICIENTS = ("within", "between", "contextual")

CENTRED = 1e-6
"""Group means of a centred column, relative to its SD."""


@dataclass(frozen=True)
class Pair:
    """The two coefficients of one predictor.

    Parameters
    ----------
    predictor
        What the rows of the table are called.
    x, mean
        Positions of the level-1 column and of the column of group means.
    centred
        Whether the first is centred within groups.
    """

    predictor: str
    x: int
    mean: int
    centred: bool

    def weights(self, p: int) -> Array:
        """Return the weights of the p coefficients in `COEFFICIENTS`, shape (3, p)."""
        found = np.zeros((3, p))
        found[0, self.x] = 1
        found[1, self.mean] = found[2, self.mean] = 1
        if self.centred:
            found[2, self.x] = -1
        else:
            found[1, self.x] = 1
        return found


def pairs(design: Design, x: str | None, mean: str | None) -> list[Pair]:
    """Return the pair named, or all that the model's terms show.

    Raises
    ------
    StatisticError
        If there is none, or those named are no such pair.
    """
    if x is not None or mean is not None:
        if x is None or mean is None:
            raise StatisticError(
                message(
                    "one of x= and mean=",
                    "both: the level-1 coefficient and that of its group mean",
                    "name the other one too",
                )
            )
        return [named(design, x, mean)]
    found = []
    for k, name in enumerate(design.coef):
        column, group = between_of(name)
        forms = ((f"within({column}, {group})", True), (column, False), (f"grand({column})", False))
        for first, centred in forms:
            if column and first in design.coef:
                found.append(Pair(column, design.coef.index(first), k, centred))
                break
    predictors = [pair.predictor for pair in found]
    if len(set(predictors)) < len(predictors):
        raise StatisticError(
            message(
                "group means of one predictor by several groupings",
                "one group mean of each predictor",
                "read the coefficients of the levels: fit.fixef()",
            )
        )
    if not found:
        raise StatisticError(
            message(
                "a model without a predictor and its group mean",
                "within(x, g) + between(x, g), or x + between(x, g); or latent(x, g) for between",
                'name the coefficients: fit.within_between("x", "mean_of_x")',
            )
        )
    return found


def between_of(name: str) -> tuple[str, str]:
    """Return x and g of ``between(x, g)`` or ``latent(x, g)``; of another name, empty strings."""
    return arguments(name, "between") or arguments(name, "latent") or ("", "")


def named(design: Design, x: str, mean: str) -> Pair:
    """Return the pair of two coefficients."""
    for name in (x, mean):
        if name not in design.coef:
            raise StatisticError(
                message(
                    f"no coefficient {name!r}{suggestion(name, design.coef)}",
                    ", ".join(design.coef),
                    "name two of these",
                )
            )
    first, second = design.coef.index(x), design.coef.index(mean)
    groupings = [
        block.grouping
        for block in design.random
        if constant_within(block.grouping, design.X[:, second])
    ]
    if not groupings or any(constant_within(g, design.X[:, first]) for g in groupings):
        raise StatisticError(
            message(
                f"{x!r} and {mean!r} as a predictor and its group mean",
                f"{x!r} varying within the groups of a grouping, and {mean!r} not",
                "name a level-1 coefficient, then the one of its group means",
            )
        )
    grouping = max(groupings, key=lambda g: g.size)
    return Pair(x, first, second, is_centred(design.X[:, first], grouping))


def is_centred(column: Array, grouping: Grouping) -> bool:
    """Return whether every group's mean is zero."""
    means = np.bincount(grouping.codes, column) / grouping.counts
    return bool(np.abs(means).max() <= CENTRED * column.std())


def within_between(
    result: FitResult,
    x: str | None = None,
    mean: str | None = None,
    probability: float = PROBABILITY,
) -> pd.DataFrame:
    """Return within- and between-group coefficients and contextual effects.

    Parameters
    ----------
    result
        The fit.
    x, mean
        Coefficients of the predictor and of its group mean, where the mean is a column of the
        data; None finds ``within()``, ``between()`` pairs. The mean is taken as named: that
        it is the mean of x is not checked, as it may be of groups of which the rows are a sample.
    probability
        Of the intervals.

    Returns
    -------
    DataFrame
        Index (predictor, coefficient): mean, SD and interval; of a maximum estimate,
        standard error and Wald interval. With products of x in the model they are those at
        zero of the other factor.

    Raises
    ------
    StatisticError
        If the model has no such pair.
    """
    import pandas as pd
    from scipy.stats import norm

    check_probability(probability)
    design = result.design
    found = pairs(design, x, mean)
    weights = np.concatenate([pair.weights(len(design.coef)) for pair in found])
    index = pd.MultiIndex.from_product(
        [[pair.predictor for pair in found], COEFFICIENTS], names=["predictor", "coefficient"]
    )
    draws = flatten(result.posterior[names.BETA])[0] @ weights.T
    if ERRORS not in result.tree.children:
        return pd.DataFrame(describe(draws, probability), index=index)
    covariance = result.tree[ERRORS]["beta_covariance"].to_numpy()
    se = np.sqrt(np.einsum("ka,ab,kb->k", weights, covariance, weights))
    half = norm.ppf((1 + probability) / 2) * se
    columns = {"estimate": draws[0], "se": se, "lower": draws[0] - half, "upper": draws[0] + half}
    return pd.DataFrame(columns, index=index)
