"""K-fold cross-validation of rows or of whole groups, by refits."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.checks.left_out import LeftOut
from bayesmlm.checks.loo import check_posterior, find_target, good_k, left_out
from bayesmlm.checks.refits import Refits, fast_engine, run_refits, told
from bayesmlm.checks.target import GROUP, Target
from bayesmlm.design.grouping import Grouping
from bayesmlm.engines import Engine, Progress
from bayesmlm.engines import engine as engine_of
from bayesmlm.errors import StatisticError, message
from bayesmlm.result import FitResult
from bayesmlm.summaries.rows import n_draws

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


def kfold(
    result: FitResult,
    predict: str = GROUP,
    group: str | Grouping | None = None,
    *,
    folds: int = 10,
    seed: int = 0,
    engine: str | Engine | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> LeftOut:
    """Leave out each of several folds of groups or rows, refit, and predict what was left out.

    Rows or groups of a fold are left out together and predicted one by one. Folds of rows take
    as evenly as can be from every group.

    Parameters
    ----------
    result
        A fit with a posterior.
    predict, group, engine, workers, executor, progress
        As of `bayesmlm.checks.loo.loo`.
    folds
        Number of folds; as many as there are groups leave out one at a time.
    seed
        Of the folds and of the refits.

    Raises
    ------
    StatisticError
        As `loo` does, for an impossible number of folds, and if a refit fails.
    """
    check_posterior(result, "K-fold cross-validation")
    target = find_target(result.design, predict, group).conditional
    parts = divide(target, folds, seed)
    chosen = fast_engine(result) if engine is None else engine_of(engine)
    outcomes = run_refits(
        Refits(target, result.priors, chosen, seed), parts, workers, executor, progress
    )
    elpd, with_it = np.empty(target.size), np.empty(target.size)
    for fold, (items, outcome) in enumerate(zip(parts, outcomes, strict=True)):
        if isinstance(outcome, str):
            raise StatisticError(
                message(
                    f"fold {fold + 1} of {len(parts)} could not be refitted: {outcome}",
                    "folds without which the model is still identified",
                    "use more folds, or another seed",
                )
            )
        elpd[items] = outcome.values
    for items, values in target.blocks(result):
        with_it[items] = np.logaddexp.reduce(values, axis=1) - np.log(values.shape[1])
    columns: dict[str, Any] = {"elpd": elpd, "p": with_it - elpd, "k_hat": np.nan}
    columns |= {"refitted": True}
    limit, notes = good_k(n_draws(result)), told(chosen, outcomes)
    return left_out(result, target, columns, limit, f"{len(parts)} folds", notes)


def divide(target: Target, folds: Any, seed: int) -> list[Integers]:
    """Return the rows or groups of each fold, in increasing order.

    Raises
    ------
    StatisticError
        For an impossible number of folds.
    """
    whole = isinstance(folds, int | np.integer) and not isinstance(folds, bool)
    if not whole or not 2 <= folds <= target.size:
        raise StatisticError(
            message(
                f"folds={folds!r} of {target.size:,} {target.predicts.split()[1]}s",
                "a whole number from 2 up to that",
                "10 is the default",
            )
        )
    order = np.random.default_rng([seed, 5]).permutation(target.size)
    if target.grouping is None and target.design.random:
        lead = max(target.design.random, key=lambda block: block.grouping.size)
        order = order[np.argsort(lead.grouping.codes[order], kind="stable")]
    return [np.sort(order[fold::folds]) for fold in range(folds)]
