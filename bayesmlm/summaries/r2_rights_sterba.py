"""Decomposition of the outcome variance into fixed and random sources, by level.

With columns that vary on one level each (level-1 predictors centred within groups), the
variance over the rows and effects is the sum of

    f_l   beta_l' Cov(x_l) beta_l, the fixed part of level l;
    v_gl  trace(T_g,ll Cov(z_l)), slopes that vary over grouping g of predictors of level l;
    m_g   the intercepts (and predictors of g's own level or above) that vary over g, with
          the slopes of lower levels at the means of their predictors, zero where centred;
    the level-1 variance,

each of which belongs to a level: f_l and v_gl to level l, m_g to that of g. A part over the
total is a share of the whole outcome variance, over its level's sum a share of that level.
f over the total is the marginal R² of `r2_nakagawa`, and all but the level-1 variance its
conditional one; of a random-intercept model the former is also Snijders & Bosker's R1².
Without centring only f, v, m and the residual of the total are defined, v then
trace(T_g Cov(z)) and m zbar' T_g zbar.

References
----------
Rights & Sterba (2019), doi:10.1037/met0000184.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design import Design, RandomBlock
from bayesmlm.errors import StatisticError, message
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import PROBABILITY, describe
from bayesmlm.summaries.latent import level1_latent
from bayesmlm.summaries.r2_nakagawa import covariance_of, quadratic
from bayesmlm.summaries.rows import fixed_columns
from bayesmlm.summaries.variance_components import RESIDUAL, average_variance, covariance_draws

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

TOTAL = "total"
CENTRED = 1e-6
"""Group means of a centred column, relative to its SD."""


@dataclass(frozen=True)
class Part:
    """One source of the variance.

    Parameters
    ----------
    name
        ``"fixed"``, ``"slopes by g"``, ``"intercepts by g"`` or ``"residual"``.
    level
        The number of its level, from 1; 0 where levels are not told apart.
    draws
        Shape (S,).
    """

    name: str
    level: int
    draws: Array


def hierarchy(design: Design) -> list[RandomBlock]:
    """Return the groupings, the innermost first.

    Raises
    ------
    StatisticError
        If they are crossed.
    """
    if design.levels.crossed:
        first, second = design.levels.crossed[0]
        raise refused(f"{first!r} and {second!r}, which are crossed, as levels")
    number = {level.grouping.name: level.number for level in design.levels.levels}
    return sorted(design.random, key=lambda block: number[block.name])


def refused(what: str) -> StatisticError:
    """Return the error that shares by level are not defined."""
    return StatisticError(
        message(
            f"shares by level with {what}",
            "nested levels, and predictors that vary on one level each",
            "write within(x, group) + between(x, group) for x (and with three levels centre the "
            "group means too), or pass by_level=False for shares of the total",
        )
    )


def home(column: Array, name: str, blocks: list[RandomBlock]) -> int:
    """Return the level that a column varies on, counted from 0; all of its variance is there.

    Parameters
    ----------
    column
        Shape (N,).
    name
        Its name, for the error.
    blocks
        The groupings, the innermost first.

    Raises
    ------
    StatisticError
        If it varies on several.
    """
    spread = float(column.std())
    if spread <= CENTRED * float(np.abs(column).max(initial=0.0)):
        return len(blocks)  # a constant: at the top it adds nothing to any variance
    parts = level_parts(column, blocks)
    found = [level for level, part in enumerate(parts) if part.std() > CENTRED * spread]
    if len(found) > 1:
        listed = ", ".join(str(level + 1) for level in found)
        raise refused(f"{name!r}, which varies on levels {listed}")
    return found[0]


def level_parts(column: Array, blocks: list[RandomBlock]) -> list[Array]:
    """Return a column's part of each level: its means by grouping less those of the next."""
    means = [column]
    for block in blocks:
        codes = block.grouping.codes
        means.append((np.bincount(codes, column) / block.grouping.counts)[codes])
    means.append(np.full(len(column), column.mean()))
    return [inner - outer for inner, outer in itertools.pairwise(means)]


def parts_by_level(result: FitResult) -> list[Part]:
    """Return the sources of the variance, each on its level.

    Raises
    ------
    StatisticError
        For crossed groupings, or a predictor that varies on several levels.
    """
    design = result.design
    blocks = hierarchy(design)
    X, beta, labels = fixed_columns(result)
    homes = np.array([home(column, name, blocks) for column, name in zip(X.T, labels, strict=True)])
    parts = []
    for level in range(len(blocks) + 1):
        own = homes == level
        parts.append(Part("fixed", level + 1, quadratic(beta[:, own], covariance_of(X[:, own]))))
    for number, block in enumerate(blocks, start=1):
        T = covariance_draws(result, block)
        where = np.array(
            [home(z, name, blocks) for z, name in zip(block.Z.T, block.effects, strict=True)]
        )
        for level in range(number):
            own = np.flatnonzero(where == level)
            if own.size:
                inside = T[:, own[:, None], own]
                draws = np.einsum("sab,ab->s", inside, covariance_of(block.Z[:, own]))
                parts.append(Part(f"slopes by {block.name}", level + 1, draws))
        # of slopes of a predictor whose mean is not zero, groups differ where it is the mean
        at_means = np.where(where >= number, block.Z, block.Z.mean(axis=0))
        draws = average_variance(T, at_means)
        parts.append(Part(f"intercepts by {block.name}", number + 1, draws))
    return [*parts, Part(RESIDUAL, 1, level1_latent(result))]


def parts_of_total(result: FitResult) -> list[Part]:
    """Return the sources of the variance, levels not told apart."""
    X, beta, _ = fixed_columns(result)
    parts = [Part("fixed", 0, quadratic(beta, covariance_of(X)))]
    for block in result.design.random:
        T, mean = covariance_draws(result, block), block.Z.mean(axis=0)
        slopes = np.einsum("sab,ab->s", T, covariance_of(block.Z))
        if len(block.effects) > 1 or np.ptp(block.Z) > 0:
            parts.append(Part(f"slopes by {block.name}", 0, slopes))
        parts.append(Part(f"intercepts by {block.name}", 0, np.einsum("a,sab,b->s", mean, T, mean)))
    return [*parts, Part(RESIDUAL, 0, level1_latent(result))]


def r2_rights_sterba(
    result: FitResult, probability: float = PROBABILITY, by_level: bool = True
) -> pd.DataFrame:
    """Return the parts of the outcome variance as shares, with posteriors.

    Parameters
    ----------
    result
        The fit.
    probability
        Of the intervals.
    by_level
        Tell levels apart, and give the shares of each level beside those of the total.

    Returns
    -------
    DataFrame
        Index (of, source): shares of the ``total`` and of each level; the sources of each
        add up to one.

    Raises
    ------
    StatisticError
        By level for crossed groupings or predictors that vary on several levels; where there
        is no level-1 variance.
    """
    import pandas as pd

    parts = parts_by_level(result) if by_level else parts_of_total(result)
    titles = level_titles(result.design) if by_level else {0: ""}
    whole = sum((part.draws for part in parts), np.zeros(1))
    records = []
    names = [part.name for part in parts]
    for part in parts:
        shared = part.name == "fixed" or names.count(part.name) > 1
        source = f"{part.name}, {titles[part.level]}".strip(", ") if shared else part.name
        records.append((TOTAL, source, part.draws / whole))
    for level in sorted({part.level for part in parts} - {0}):
        own = [part for part in parts if part.level == level]
        sum_of_level = sum((part.draws for part in own), np.zeros(1))
        records += [(titles[level], part.name, part.draws / sum_of_level) for part in own]
    frame = pd.DataFrame(describe(np.column_stack([r[2] for r in records]), probability))
    index = pd.MultiIndex.from_tuples([r[:2] for r in records], names=["of", "source"])
    return frame.set_index(index)


def level_titles(design: Design) -> dict[int, str]:
    """Return what each level is called."""
    names = {1: "level 1"}
    for number, block in enumerate(hierarchy(design), start=2):
        names[number] = f"level {number} ({block.name})"
    return names
