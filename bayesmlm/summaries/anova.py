"""Analysis of variance beside the mixed model.

One grouping of J groups, n_j rows each: with mean squares between and within,

    rho = (MSB - MSW) / (MSB + (n0 - 1) MSW),  n0 = (N - sum n_j² / N) / (J - 1),

which is below zero where groups differ less than chance makes them. Several groupings: the
share of the sum of squares that each adds to those before it, by order; without balance the
shares depend on the order, those of the mixed model do not.

References
----------
Donner (1986), doi:10.2307/1403259; Snijders & Bosker (2012), Multilevel Analysis, 2nd ed.,
section 3.3; Searle, Casella & McCulloch (1992), Variance Components,
doi:10.1002/9780470316856, chapter 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, permutations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import Design
from bayesmlm.design.grouping import Codes, Grouping
from bayesmlm.errors import StatisticError, message
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import PROBABILITY
from bayesmlm.summaries.icc import icc
from bayesmlm.summaries.variance_components import RESIDUAL

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

MOST = 4
"""Groupings of which every order is shown."""


def one_way(y: Array, codes: Codes) -> float:
    """Return the ANOVA estimator of the intraclass correlation.

    Parameters
    ----------
    y
        Response, shape (N,).
    codes
        Group of each row, from 0 to J - 1, shape (N,).
    """
    counts = np.bincount(codes)
    N, J = len(y), len(counts)
    means = np.bincount(codes, y) / counts
    between = float((counts * (means - y.mean()) ** 2).sum() / (J - 1))
    within = float(((y - means[codes]) ** 2).sum() / (N - J))
    size = (N - (counts**2).sum() / N) / (J - 1)
    return float((between - within) / (between + (size - 1) * within))


def residual_squares(y: Array, groupings: Sequence[Grouping]) -> float:
    """Return the sum of squares left by an additive model of group means."""
    from scipy.sparse import csr_array, hstack
    from scipy.sparse.linalg import lsmr

    left = y - y.mean()
    if not groupings:
        return float((left**2).sum())
    N = len(y)
    if len(groupings) == 1:
        codes = groupings[0].codes
        return float(((left - (np.bincount(codes, left) / groupings[0].counts)[codes]) ** 2).sum())
    columns = [
        csr_array((np.ones(N), (np.arange(N), g.codes)), shape=(N, g.size)) for g in groupings
    ]
    matrix = hstack([csr_array(np.ones((N, 1))), *columns]).tocsr()
    found = lsmr(matrix, left, atol=1e-13, btol=1e-13, conlim=0, maxiter=20 * sum(matrix.shape))
    return float(((left - matrix @ found[0]) ** 2).sum())


def sequential_shares(y: Array, groupings: Sequence[Grouping]) -> list[float]:
    """Return the share of the total sum of squares that each grouping adds, in order."""
    left = [residual_squares(y, groupings[:k]) for k in range(len(groupings) + 1)]
    return [max(before - after, 0.0) / left[0] for before, after in pairwise(left)]


def anova(
    result: FitResult, probability: float = PROBABILITY, order: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return shares of the variance by the mixed model and by analysis of variance.

    Parameters
    ----------
    result
        A fit of an empty model: random intercepts and no predictor.
    probability
        Of the intervals.
    order
        The groupings in one order; None shows every order.

    Returns
    -------
    DataFrame
        One row a grouping, and ``residual``: the mixed model's share (``mean``, ``sd``,
        ``lower``, ``upper``); of one grouping ``one-way``, the ANOVA estimator; of several
        a column an order, such as ``item, school``, with the sequential shares.

    Raises
    ------
    StatisticError
        For another model, or with too many groupings for every order.
    """
    design = result.design
    check_empty(design)
    frame = icc(result, probability, kind="share").drop(columns="shared")
    groupings = {block.name: block.grouping for block in design.random}
    if len(groupings) == 1:
        rho = one_way(design.y, design.random[0].grouping.codes)
        return frame.assign(**{"one-way": [rho, 1 - rho]})
    for chosen in orders(tuple(groupings), order):
        shares = sequential_shares(design.y, [groupings[name] for name in chosen])
        column = dict(zip(chosen, shares, strict=True)) | {RESIDUAL: 1 - sum(shares)}
        frame[", ".join(chosen)] = [column[str(name)] for name in frame.index]
    return frame


def orders(known: tuple[str, ...], order: Sequence[str] | None) -> list[tuple[str, ...]]:
    """Return the orders to be shown."""
    if order is not None:
        if isinstance(order, str) or sorted(order) != sorted(known):
            raise StatisticError(
                message(f"order={order!r}", ", ".join(map(repr, known)), "list all of them once")
            )
        return [tuple(order)]
    if len(known) > MOST:
        raise StatisticError(
            message(
                f"every order of {len(known)} groupings",
                f"every order of up to {MOST}, or one that is named",
                f"pass order={list(known)!r}",
            )
        )
    return list(permutations(known))


def check_empty(design: Design) -> None:
    """Refuse all but random intercepts of a gaussian response without predictors."""
    reason = None
    if design.family.name != "gaussian":
        reason = f"the {design.family.name} family"
    elif design.further:
        reason = f"a formula of {design.further[0].target}"
    elif design.outcome.rows:
        reason = f"{', '.join(design.outcome.rows)}() in the response"
    elif set(design.coef) - {names.INTERCEPT} or design.offset.any():
        reason = "predictors"
    elif not design.random or any(b.effects != (names.INTERCEPT,) for b in design.random):
        reason = "slopes that vary" if design.random else "no groups"
    elif any(b.grouping.size == len(design.y) for b in design.random):
        reason = "one row a group"
    if reason is not None:
        raise StatisticError(
            message(
                f"analysis of variance beside a model with {reason}",
                "a gaussian response, random intercepts and no predictor",
                "fit the empty model, such as y ~ 1 + (1 | group)",
            )
        )
