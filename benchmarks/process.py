"""One fit in a process of its own, watched: events, seconds of each call, memory."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.events import heard

POLL = 0.25
"""Seconds between two looks at the memory."""


@dataclass
class Outcome:
    """What became of a process.

    Parameters
    ----------
    events
        What it told.
    state
        ``"ok"``, ``"over"`` (a limit) or ``"error"``, with the reason.
    children_mb
        Peak resident memory of the processes it started, all together; None where the
        system does not say.
    """

    events: list[dict[str, Any]] = field(default_factory=list)
    state: str = "ok"
    reason: str = ""
    children_mb: float | None = None


def run(
    command: list[str],
    *,
    seconds: float,
    memory_mb: float | None = None,
    environment: dict[str, str] | None = None,
) -> Outcome:
    """Run a command until it ends or reaches a limit.

    Parameters
    ----------
    command
        What to run, from the root of the repository.
    seconds
        Limit of each stage: between two events, that is of each call.
    memory_mb
        Limit of the resident memory of the process and those it started.
    environment
        Variables beside those of this process.
    """
    outcome = Outcome()
    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        process = subprocess.Popen(
            command,
            cwd=Path(__file__).resolve().parents[1],
            env=os.environ | (environment or {}),
            stdout=subprocess.PIPE,
            stderr=errors,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        lines: queue.Queue[str] = queue.Queue()
        reader = threading.Thread(target=lambda: forward(process, lines), daemon=True)
        reader.start()
        try:
            watch(process, lines, outcome, seconds, memory_mb)
        finally:
            end(process)
        reader.join(timeout=5)
        if process.stdout and not reader.is_alive():
            process.stdout.close()
        while not lines.empty():
            note(lines.get(), outcome)
        errors.seek(0)
        if outcome.state == "ok" and process.returncode:
            outcome.state, outcome.reason = "error", why(errors.read(), process.returncode)
    return outcome


def forward(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    """Put the lines of a process into a queue until it ends."""
    for line in process.stdout or ():
        lines.put(line)


def watch(
    process: subprocess.Popen[str],
    lines: queue.Queue[str],
    outcome: Outcome,
    seconds: float,
    memory_mb: float | None,
) -> None:
    """Listen to a process while it runs and keeps to its limits."""
    stage = looked = time.monotonic()
    while process.poll() is None:
        try:
            if note(lines.get(timeout=POLL), outcome):
                stage = time.monotonic()
        except queue.Empty:
            pass
        now = time.monotonic()
        if now - stage > seconds:
            outcome.state, outcome.reason = "over", f"over {seconds:,.0f} s"
            return
        if now - looked < POLL:
            continue
        looked = now
        memory = session_mb(process.pid)
        if memory is None:
            continue
        own, children = memory
        outcome.children_mb = max(outcome.children_mb or 0.0, children)
        if memory_mb is not None and own + children > memory_mb:
            outcome.state, outcome.reason = "over", f"over {memory_mb / 1024:,.0f} GB"
            return


def note(line: str, outcome: Outcome) -> bool:
    """Keep the event of a line; whether it has one."""
    event = heard(line)
    if event is not None:
        outcome.events.append(event)
    return event is not None


def end(process: subprocess.Popen[str]) -> None:
    """End a process, and those it started that still run."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def session_mb(leader: int) -> tuple[float, float] | None:
    """Return the resident memory of a session's leader and of all others in it, in MB."""
    if not Path("/proc/self/stat").is_file():
        return None
    page = os.sysconf("SC_PAGE_SIZE") / 2**20
    own = others = 0.0
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            fields = Path(entry.path, "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(fields[3]) != leader:
            continue
        if int(entry.name) == leader:
            own += int(fields[21]) * page
        else:
            others += int(fields[21]) * page
    return own, others


def why(errors: str, status: int) -> str:
    """Return the last line that says what went wrong, without paths of this machine."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    said = [line for line in lines if "rror" in line and not line.startswith("Calls:")]
    text = (said or lines or [f"ended with status {status}"])[-1]
    if said and said[-1].endswith(":") and lines.index(said[-1]) + 1 < len(lines):
        text = f"{text} {lines[lines.index(said[-1]) + 1]}"  # R puts the message on the next line
    return re.sub(r"(?:/[\w.+-]+)+/", "", text)[:200]
