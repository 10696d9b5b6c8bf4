"""Refits of a model without some rows, on the fastest engine that fits it, in parallel."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.checks.state import check
from bayesmlm.checks.target import Target
from bayesmlm.engines import NUTS, Engine, Laplace, Progress, Quadrature
from bayesmlm.engines.marginal import find_marginal
from bayesmlm.errors import BayesmlmError
from bayesmlm.parallel import Processes, available_cores
from bayesmlm.priors import Priors
from bayesmlm.result import FitResult

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

DRAWS, EVALUATIONS = 1000, 1024
"""Of a refit by quadrature, in half the time of a fit; its log density is then off by some 0.03,
which is told."""

PATIENCE = 20.0
"""Seconds that refits may take in this process before others are started."""


@dataclass(frozen=True)
class Predicted:
    """What a refit predicts of what it left out.

    Parameters
    ----------
    values
        Log predictive densities, shape (items,).
    errors
        Their Monte Carlo errors, were the draws independent.
    converged
        Whether the refit did.
    """

    values: Array
    errors: Array
    converged: bool


Outcome = Predicted | str
"""What a refit predicts, or why it does not."""


@dataclass(frozen=True)
class Refits:
    """How models are fitted again.

    Parameters
    ----------
    target
        What is left out.
    priors
        Of the model, as resolved against all of the data.
    engine
        The engine.
    seed
        Of every refit.
    """

    target: Target
    priors: Priors
    engine: Engine
    seed: int

    def fit(self, items: Integers) -> FitResult:
        """Return the fit without some rows or groups."""
        design = self.target.without(items)
        return self.engine.fit(design, self.priors, self.seed, Progress())

    def predict(self, items: Integers) -> Outcome:
        """Return log p(y_item | rest) of items left out together, or why there is none."""
        try:
            result = self.fit(items)
        except BayesmlmError as error:
            return str(error).splitlines()[0]
        except np.linalg.LinAlgError:
            return "without it some coefficients are not identified"
        values, errors = np.empty(len(items)), np.empty(len(items))
        for some, draws in self.target.blocks(result, items):
            at = np.searchsorted(items, some)
            top = draws.max(axis=1)
            density = np.exp(draws - top[:, None])
            mean = density.mean(axis=1)
            values[at] = top + np.log(mean)
            errors[at] = density.std(axis=1) / mean / np.sqrt(draws.shape[1])
        return Predicted(values, errors, check(result.tree).ok)

    def several(self, parts: Sequence[Integers]) -> list[Outcome]:
        """Return `predict` of several sets of items, one after the other."""
        return [self.predict(items) for items in parts]


def fast_engine(result: FitResult) -> Engine:
    """Return the fastest engine that fits a model as exactly as it was fitted."""
    design, priors = result.design, result.priors
    if not isinstance(find_marginal(design, priors), str):
        return Laplace()
    if design.family.name in ("bernoulli", "binomial", "poisson") and all(
        block.is_normal for block in design.random
    ):
        quick = Quadrature(draws=DRAWS)
        return quick if quick.takes_field(design) else replace(quick, evaluations=EVALUATIONS)
    return result.engine if isinstance(result.engine, NUTS) else NUTS()


def run_refits(
    refits: Refits,
    parts: Sequence[Integers],
    workers: int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Refit without each of several sets of items, and predict them.

    Parameters
    ----------
    refits
        How.
    parts
        The sets, each in increasing order.
    workers
        Processes at once; None starts them where this one would take long, 1 starts none.
    executor
        Something with the interface of `concurrent.futures.Executor` in place of processes
        on this machine. It is not shut down.
    progress
        Where the number of refits done is reported.
    """
    shown = Progress() if progress is None else progress
    with shown.running():
        update = shown.counter("refits") or nothing
        if executor is not None:
            return spread(refits, parts, executor, workers or len(parts), update)
        if workers is not None and workers > 1:
            with Processes(min(workers, len(parts))) as pool:
                return spread(refits, parts, pool, workers, update)
        done: list[Outcome] = []
        started = time.perf_counter()
        for items in parts:
            done.append(refits.predict(items))
            update(len(done), len(parts), "")
            left = len(parts) - len(done)
            each = (time.perf_counter() - started) / len(done)
            if workers is None and left > 1 and left * each > PATIENCE:
                cores = min(left, available_cores())
                with Processes(cores) as pool:
                    return done + spread(refits, parts[len(done) :], pool, cores, update)
        return done


def told(engine: Engine, outcomes: Sequence[Outcome]) -> list[str]:
    """Return what is to be known of refits."""
    found = [outcome for outcome in outcomes if not isinstance(outcome, str)]
    if not found:
        return []
    error = max(float(outcome.errors.max()) for outcome in found)
    lines = [f"refits by {type(engine).__name__}, Monte Carlo error of one up to {error:.2f}"]
    failed = sum(not outcome.converged for outcome in found)
    if failed:
        lines.append(f"{failed} of {len(found)} refits did not converge")
    return lines


def nothing(done: int, total: int | None, detail: str) -> None:
    """Show no progress."""


def spread(
    refits: Refits,
    parts: Sequence[Integers],
    pool: Executor,
    workers: int,
    update: Callable[[int, int | None, str], Any],
) -> list[Outcome]:
    """Return what `run_refits` does, by the tasks of an executor."""
    shares = [range(k, len(parts), workers) for k in range(min(workers, len(parts)))]
    futures = {pool.submit(several, refits, [parts[k] for k in share]): share for share in shares}
    found: dict[int, Outcome] = {}
    try:
        for future in as_completed(futures):
            found |= dict(zip(futures[future], future.result(), strict=True))
            update(len(found), len(parts), "")
    finally:
        for future in futures:
            future.cancel()
    return [found[k] for k in range(len(parts))]


def several(refits: Refits, parts: Sequence[Integers]) -> list[Outcome]:
    """Call `Refits.several`, in whatever process this is."""
    return refits.several(parts)
