"""``python -m benchmarks``: time every fitter on every workload, and write the results as JSON."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bayesmlm.errors import DataError
from benchmarks import columns
from benchmarks.evaluation import SIZES
from benchmarks.machine import available_mb, load, machine
from benchmarks.measure import SEED, measure
from benchmarks.peers import FITTERS, Absent, Fitter
from benchmarks.process import run
from benchmarks.workloads import EVERYONE, WORKLOADS, Workload

MEMORY_SHARE = 0.85
"""Share of the memory free at the start that a run may take."""


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmarks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", metavar="A,B", help=f"workloads: {', '.join(WORKLOADS)}")
    parser.add_argument("--fitters", metavar="A,B", help=f"fitters: {', '.join(FITTERS)}")
    parser.add_argument("--limit", type=float, metavar="S", help="seconds of one call, for all")
    parser.add_argument("--no-evaluation", action="store_true", help="not the cost against rows")
    parser.add_argument("--json", type=Path, metavar="FILE", help="results; else printed")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and so end what is running
    workloads = chosen(given.only, WORKLOADS, "workload", parser)
    fitters = chosen(given.fitters, FITTERS, "fitter", parser)
    with TemporaryDirectory() as bytecode:
        # Whatever the environment says: byte code is cached, as it is for any user.
        os.environ |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": bytecode}
        found = results(workloads, fitters, given.limit, not given.no_evaluation, given.json)
    if given.json is None:
        print(as_text(found))
    return 0


def chosen(text: str | None, known: Any, what: str, parser: argparse.ArgumentParser) -> list[Any]:
    """Return the entries of a registry that are asked for, all without asking."""
    names = list(known) if text is None else [name.strip() for name in text.split(",")]
    for name in names:
        if name not in known:
            parser.error(f"unknown {what} {name!r}; known: {', '.join(known)}")
    return [known[name] for name in names]


def results(
    workloads: list[Workload],
    fitters: list[Fitter],
    limit: float | None,
    evaluation: bool,
    path: Path | None,
) -> dict[str, Any]:
    """Measure, and write the file after every fit."""
    versions, absent = present(fitters)
    memory = available_mb()
    allowed = None if memory is None else MEMORY_SHARE * memory
    found: dict[str, Any] = {
        "machine": machine() | {"load": {"start": load()}},
        "seed": SEED,
        "fitters": {
            fitter.name: {"title": fitter.title, "priors": fitter.priors}
            | (
                {"absent": absent[fitter.name]}
                if fitter.name in absent
                else {"versions": versions[fitter.name]}
            )
            for fitter in fitters
        },
        "workloads": {},
        "evaluation": [],
    }
    for workload in workloads:
        say(f"{workload.name}: {workload.title}")
        found["workloads"][workload.name] = entry = describe(workload)
        with TemporaryDirectory() as folder:
            try:
                entry["rows"] = prepare(workload, Path(folder))
            except DataError as error:
                entry["not_run"] = str(error).splitlines()[0]
                say(f"    not run: {entry['not_run']}")
                continue
            for fitter in fitters:
                if fitter.generalized and not workload.family:
                    continue
                if fitter.name in absent:
                    record = {"state": "absent", "reason": absent[fitter.name]}
                else:
                    seconds = workload.limit if limit is None else limit
                    record = measure(workload, fitter, Path(folder), seconds, allowed)
                    record["load"] = load()
                entry["runs"][fitter.name] = record
                say(f"    {fitter.name}: {line(record)}")
                keep(found, path)
    if evaluation:
        found["evaluation"] = evaluations(allowed)
    found["machine"]["load"]["end"] = load()
    keep(found, path)
    return found


def present(fitters: list[Fitter]) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Return the versions of the fitters that are here, and why the others are not."""
    versions, absent = {}, {}
    for fitter in fitters:
        try:
            versions[fitter.name] = fitter.versions()
        except Absent as reason:
            absent[fitter.name] = str(reason)
            say(f"{fitter.title} is absent: {reason}")
    return versions, absent


def describe(workload: Workload) -> dict[str, Any]:
    """Return what a workload is."""
    return {
        "title": workload.title,
        "formula": workload.formula,
        "family": workload.family,
        "written": {
            name: {"formula": written.formula, "priors": written.priors}
            for name in EVERYONE
            if (written := workload.written.get(name)) is not None
        },
        "runs": {},
    }


def prepare(workload: Workload, folder: Path) -> int:
    """Write the data of a workload, and return the number of rows."""
    frame = workload.data()
    columns.write(frame, folder)
    return len(frame)


def evaluations(memory_mb: float | None) -> list[dict[str, Any]]:
    """Return the cost of one evaluation at each number of rows."""
    found = []
    for rows in SIZES:
        command = [sys.executable, "-m", "benchmarks.evaluation", str(rows)]
        outcome = run(command, seconds=900, memory_mb=memory_mb)
        told = [event for event in outcome.events if event["event"] == "result"]
        if told:
            found.append({key: value for key, value in told[0].items() if key != "event"})
        else:
            found.append({"rows": rows, "reason": outcome.reason})
        say(f"evaluation at {rows:,} rows: {found[-1]}")
    return found


def line(record: dict[str, Any]) -> str:
    """Return one line on a record."""
    if record["state"] != "ok":
        return f"{record['state']}: {record.get('reason', '')}"
    text = f"{record['seconds']:.3g} s (first call {record['first_seconds']:.3g} s)"
    if "min_ess" in record:
        text += f", min ESS {record['min_ess']:,.0f} of {record['min_ess_of']}"
        text += f", {record['min_ess_per_second']:,.3g} a second"
    return text + f", {record['peak_mb']:,.0f} MB"


def keep(found: dict[str, Any], path: Path | None) -> None:
    """Write the results, if to a file."""
    if path is not None:
        path.write_text(as_text(found) + "\n", encoding="utf-8")


def as_text(found: dict[str, Any]) -> str:
    """Return the results as JSON."""
    return json.dumps(found, indent=1, ensure_ascii=False)


def say(text: str) -> None:
    """Tell how far it is."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
