"""One model fitted by several engines, each in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, as_completed
from typing import Any

from bayesmlm.design import Design
from bayesmlm.engines import Engine, Progress
from bayesmlm.errors import BayesmlmError
from bayesmlm.model import Model
from bayesmlm.parallel import processes_or, tell
from bayesmlm.priors import Priors
from bayesmlm.result import FitResult

FAILED = "failed"

Outcome = tuple[FitResult, float] | str
"""A result and its seconds, or why there is none."""


def run(
    model: Model,
    engines: Mapping[str, Engine],
    seed: int,
    workers: int,
    executor: Executor | None,
    progress: Progress,
) -> dict[str, Outcome]:
    """Fit the model by every engine; see `compare_engines`."""
    with progress.running():
        lines = {label: progress.counter(label) or nothing for label in engines}

        def listen(said: tuple[str, str, int, int | None, str]) -> None:
            label, stage, done, total, detail = said
            lines[label](done, total, f"{stage}  {detail}")

        with processes_or(executor, workers, listen) as pool:
            return collect(pool, model, engines, seed, lines)


def nothing(done: int, total: int | None, detail: str) -> None:
    """Show no progress."""


def collect(
    pool: Executor,
    model: Model,
    engines: Mapping[str, Engine],
    seed: int,
    lines: Mapping[str, Callable[[int, int | None, str], None]],
) -> dict[str, Outcome]:
    """Submit every engine and gather what comes back."""
    given = model.design, model.prior_values, seed
    futures: dict[Future[Any], str] = {}
    try:
        for label, value in engines.items():
            futures[pool.submit(fit_one, label, value, *given)] = label
        found: dict[str, Outcome] = {}
        for future in as_completed(futures):
            label = futures[future]
            try:
                found[label] = done = future.result()
                lines[label](1, 1, f"{done[1]:.1f} s")
            except Exception as error:
                found[label] = reason(error)
                lines[label](1, 1, FAILED)
        return found
    finally:
        for future in futures:
            future.cancel()


def reason(error: Exception) -> str:
    """Return in one line why an engine failed."""
    said = str(error).splitlines()
    first = said[0] if said else ""
    return first if isinstance(error, BayesmlmError) else f"{type(error).__name__}: {first}"


def fit_one(
    label: str, value: Engine, design: Design, priors: Priors, seed: int
) -> tuple[FitResult, float]:
    """Fit a model by one engine, in whatever process this is; return the result and seconds."""
    progress = Progress(report=lambda *said: tell((label, *said)))
    started = time.perf_counter()
    result = value.fit(design, priors, seed, progress)
    return result, time.perf_counter() - started
