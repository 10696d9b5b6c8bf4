"""Leave-one-out cross-validation of rows and of groups, by importance sampling and refits.

The posterior without item i is the posterior times 1 / p(y_i | theta) over its mean. The
weights are Pareto smoothed; where their shape k-hat is too large, the model is refitted
without the item. Effects that an item tells much of are integrated out of p(y_i | theta), so
that theta holds what all of the data tell of.

Moment matching (Paananen, Piironen, Bürkner & Vehtari 2021), which moves the draws towards the
posterior without the item, is not offered. A large k-hat of a multilevel model mostly comes from
an effect that few rows tell of, and there integration leaves nothing to move; where it still
is large, and for whole groups, a refit is exact up to a Monte Carlo error that is told, while
moved draws may keep a large k-hat, the more so the more effects they hold.
`arviz_stats.loo_moment_match` takes a fit's draws from whoever wants it.

References
----------
Vehtari, Gelman & Gabry (2017), doi:10.1007/s11222-016-9696-4;
Vehtari, Simpson, Gelman, Yao & Gabry (2024), Journal of Machine Learning Research 25, 72;
Merkle, Furr & Rabe-Hesketh (2019), doi:10.1007/s11336-019-09679-0;
Paananen, Piironen, Bürkner & Vehtari (2021), doi:10.1007/s11222-020-09982-2.
"""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.checks.left_out import LeftOut
from bayesmlm.checks.refits import Refits, fast_engine, run_refits, told
from bayesmlm.checks.target import GROUP, ROW, Target, group_target, row_target
from bayesmlm.design import Design
from bayesmlm.design.grouping import Grouping
from bayesmlm.engines import Engine, Progress
from bayesmlm.engines import engine as engine_of
from bayesmlm.errors import StatisticError, message, suggestion
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import diagnostics
from bayesmlm.summaries.rows import n_draws

Array = NDArray[np.float64]

REFITS = 20
"""Rows or groups that are refitted unless more are asked for."""

APPROXIMATE = ("advi", "pathfinder")


def loo(
    result: FitResult,
    predict: str = ROW,
    group: str | Grouping | None = None,
    *,
    refits: int = REFITS,
    engine: str | Engine | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> LeftOut:
    """Leave out every row or every group, one at a time.

    Parameters
    ----------
    result
        A fit with a posterior.
    predict
        ``"new row"`` of a known group, or ``"new group"``: all of its rows together.
    group
        The grouping of a new group; None takes the outermost. Of crossed groupings one must be
        named, whose new groups meet the known ones of the others.
    refits
        Rows or groups that are refitted at most, those of the largest Pareto shapes first.
    engine
        Of the refits; None takes the fastest.
    workers, executor, progress
        As of `run_refits`.

    Raises
    ------
    StatisticError
        For a fit without draws, or groups that cannot be left out.
    """
    check_posterior(result, "leave-one-out cross-validation")
    target = find_target(result.design, predict, group)
    k_limit = good_k(n_draws(result))
    elpd, k_hat, p = smoothed(result, target)
    k_hat = np.where(np.isnan(k_hat), np.inf, k_hat)
    worst = np.argsort(-k_hat, kind="stable")[: check_refits(refits)]
    again = np.sort(worst[k_hat[worst] > k_limit])
    notes = []
    refitted = np.zeros(target.size, dtype=bool)
    if len(again):
        chosen = fast_engine(result) if engine is None else engine_of(engine)
        how = Refits(target, result.priors, chosen, result.seed)
        parts = [np.array([item]) for item in again]
        outcomes = run_refits(how, parts, workers, executor, progress)
        for item, outcome in zip(again, outcomes, strict=True):
            if isinstance(outcome, str):
                notes.append(f"not refitted without {target.labels[item]}: {outcome}")
                continue
            p[item] += elpd[item] - outcome.values[0]
            elpd[item] = outcome.values[0]
            refitted[item] = True
        notes += told(chosen, outcomes)
    method = "Pareto smoothed importance sampling"
    columns = {"elpd": elpd, "p": p, "k_hat": k_hat, "refitted": refitted}
    return left_out(result, target, columns, k_limit, method, notes)


def left_out(
    result: FitResult,
    target: Target,
    columns: dict[str, Any],
    k_limit: float,
    method: str,
    notes: list[str],
) -> LeftOut:
    """Return the result of a cross-validation."""
    import pandas as pd

    of = "row" if target.grouping is None else target.grouping.name
    if result.engine.name in APPROXIMATE:
        notes = [*notes, f"draws of an approximation ({type(result.engine).__name__})"]
    return LeftOut(
        predict=target.predicts,
        of=of,
        frame=pd.DataFrame(columns, index=pd.Index(target.labels, name=of)),
        n_draws=n_draws(result),
        good_k=k_limit,
        outcome=(result.spec.response.column, result.design.y),
        method=f"{method}, {target.note}" if target.note else method,
        notes=tuple(notes),
    )


def find_target(design: Design, predict: Any, group: str | Grouping | None) -> Target:
    """Return what to leave out.

    Raises
    ------
    StatisticError
        For an unknown prediction.
    """
    if predict == ROW and group is None:
        return row_target(design)
    if predict == GROUP:
        grouping = design.block(group).grouping if isinstance(group, str) else group
        return group_target(design, grouping)
    got = f"predict={predict!r}" + (f" of group={group!r}" if predict == ROW else "")
    near = suggestion(predict, (ROW, GROUP)) if predict != ROW else ""
    raise StatisticError(
        message(
            f"{got}{near}",
            f'"{ROW}", or "{GROUP}" and a grouping',
            "leave group out" if predict == ROW else "pass one of these",
        )
    )


def check_posterior(result: FitResult, what: str) -> None:
    """Refuse a fit without draws.

    Raises
    ------
    StatisticError
        For an engine that gives a point.
    """
    if n_draws(result) == 1:
        raise StatisticError(
            message(
                f"{what} of a fit by {result.engine.name!r}, which has no draws",
                "fits with a posterior",
                'fit with "laplace", "quadrature" or "nuts"; of ML fits read fit.information()',
            )
        )


def check_refits(refits: Any) -> int:
    """Return the number of refits, if it is one.

    Raises
    ------
    StatisticError
        For anything but a whole number from 0.
    """
    if isinstance(refits, bool) or not isinstance(refits, int | np.integer) or refits < 0:
        raise StatisticError(
            message(f"refits={refits!r}", "a whole number from 0", "0 refits nothing")
        )
    return int(refits)


def good_k(draws: int) -> float:
    """Return the Pareto shape up to which so many draws are enough, at most 0.7."""
    return min(1 - 1 / np.log10(draws), 0.7) if draws > 1 else -np.inf


def relative_efficiency(result: FitResult) -> float:
    """Return the effective sample size over the number of draws, averaged over parameters."""
    found = []
    for name, array in result.posterior.items():
        if not str(name).startswith((names.BETA, "sd_", *names.FURTHER)):
            continue
        sizes = diagnostics(array)
        found.append(np.ravel(sizes["ess"] if "ess" in sizes else sizes["ess_bulk"]))
    sizes_found = np.concatenate([*found, np.empty(0)])
    known = sizes_found[np.isfinite(sizes_found)]
    return float(min(known.mean() / n_draws(result), 1.0)) if len(known) else 1.0


def smoothed(result: FitResult, target: Target) -> tuple[Array, Array, Array]:
    """Return log predictive densities, Pareto shapes, and what each item adds to its own.

    An item whose density is the same at all draws (its weight is zero) needs no weights.
    """
    from arviz_stats.base import array_stats

    chains, r_eff = int(result.posterior.sizes["chain"]), relative_efficiency(result)
    elpd, k_hat, p = np.zeros(target.size), np.zeros(target.size), np.zeros(target.size)
    for items, values in target.blocks(result):
        varies = np.ptp(values, axis=1) > 0
        elpd[items] = values[:, 0]
        if varies.any():
            by_chain = values[varies].reshape(varies.sum(), chains, -1)
            found = array_stats.loo(by_chain, r_eff=r_eff)
            elpd[items[varies]], k_hat[items[varies]], p[items[varies]] = found
    return elpd, k_hat, p
