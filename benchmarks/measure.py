"""One fitter on one workload: a process, what it told, and the record made of it."""

from __future__ import annotations

import json
import os
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.effective import of_file
from benchmarks.peers import Fitter
from benchmarks.process import Outcome, run
from benchmarks.workloads import Workload

SEED = 1

AGAIN, MOST, ENOUGH = 1, 10, 5.0
"""Calls after the first: at least one where something is cached, at most so many, and none
after so many seconds in all."""

NO_CACHE_ENOUGH = 10.0
"""Seconds of a first call from which a fitter without caches is not called again."""

Record = dict[str, Any]


def measure(
    workload: Workload, fitter: Fitter, data: Path, limit: float, memory_mb: float | None
) -> Record:
    """Return the record of a fitter on a workload; a fitter that fails is a record too.

    Parameters
    ----------
    workload, fitter
        What fits what.
    data
        The folder of the workload's columns.
    limit, memory_mb
        Limits of seconds of a call, and of memory.
    """
    if fitter.name in workload.cannot:
        return {"state": "cannot", "reason": workload.cannot[fitter.name]}
    limits = {"seconds": limit, "memory_mb": memory_mb}
    again = (AGAIN, MOST, ENOUGH) if fitter.caches else (0, MOST, NO_CACHE_ENOUGH)
    with TemporaryDirectory() as name:
        folder = Path(name)
        if fitter.disk_cache:
            task = task_of(workload, fitter, data, folder, (0, 0, 0.0))
            outcome = run(fitter.command(task), **limits)
            if outcome.state != "ok":
                return record_of(outcome, folder)
        task = task_of(workload, fitter, data, folder, again)
        record = record_of(run(fitter.command(task), **limits), folder)
    if fitter.name in workload.cold and record["state"] == "ok":
        record["first_ever_seconds"] = first_ever(workload, fitter, data, limit)
    return record


def task_of(
    workload: Workload,
    fitter: Fitter,
    data: Path,
    folder: Path,
    again: tuple[int, int, float],
) -> Path:
    """Write the task that a fitter's process reads, and return its path."""
    written = workload.as_written_for(fitter.name)
    path = folder / "task.json"
    task = {
        "formula": written.formula,
        "family": workload.family,
        "priors": written.priors,
        "engine": fitter.engine,
        "options": {**fitter.options, **workload.options.get(fitter.name, {})},
        "seed": SEED,
        "cores": os.cpu_count(),
        "data": str(data),
        "draws": str(folder / "draws.bin"),
        "repeat": again,
    }
    path.write_text(json.dumps(task), encoding="utf-8")
    return path


def record_of(outcome: Outcome, folder: Path) -> Record:
    """Return the record of what a process told."""
    record: Record = {"state": outcome.state}
    if outcome.reason:
        record["reason"] = outcome.reason
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for event in outcome.events:
        by_kind.setdefault(event["event"], []).append(event)
    for event in by_kind.get("imported", ())[:1]:
        record |= {"import_seconds": event["seconds"], "imports": event["imports"]}
    calls = by_kind.get("call", [])
    if calls:
        seconds = [call["seconds"] for call in calls]
        record["first_seconds"] = seconds[0]
        record["call_seconds"] = [round(value, 4) for value in seconds]
        record["seconds"] = statistics.median(seconds[1:] or seconds)
        record["peak_mb"] = calls[0]["peak_mb"]
        record["children_mb"] = outcome.children_mb
        if outcome.state == "over":  # a call was made, a later one was too much
            record["state"] = "ok"
    for event in by_kind.get("result", ())[:1]:
        figures = {key: value for key, value in event.items() if key != "event"}
        shape, names = figures.pop("shape", None), figures.pop("names", None)
        if shape is not None:
            figures |= of_file(folder / "draws.bin", shape, names)
        record |= figures
    if "min_ess" in record and "seconds" in record:
        record["min_ess_per_second"] = record["min_ess"] / record["seconds"]
    return record


def first_ever(workload: Workload, fitter: Fitter, data: Path, limit: float) -> float | None:
    """Return the seconds of a first call with empty caches; None if it failed."""
    with TemporaryDirectory() as name:
        folder, cache = Path(name), Path(name) / "cache"
        cache.mkdir()
        environment = {key: value.format(cache) for key, value in fitter.cold.items()}
        task = task_of(workload, fitter, data, folder, (0, 0, 0.0))
        outcome = run(fitter.command(task), seconds=limit, environment=environment)
    calls = [event["seconds"] for event in outcome.events if event["event"] == "call"]
    return calls[0] if calls else None
