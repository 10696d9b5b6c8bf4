"""What a fitting process tells the harness: lines of JSON on its standard output."""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MARK = "@@benchmark "


def tell(event: str, **figures: Any) -> None:
    """Tell one event."""
    print(MARK + json.dumps({"event": event, **figures}), flush=True)


def heard(line: str) -> dict[str, Any] | None:
    """Return the event of a line, or None where it is something else that was printed."""
    return dict(json.loads(line[len(MARK) :])) if line.startswith(MARK) else None


def peak_mb() -> float:
    """Return the peak resident memory of this process in MB.

    Linux' VmHWM and not ru_maxrss, which begins with that of the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        text = status.read_text()
        return int(text.split("VmHWM:")[1].split()[0]) / 1024
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def timed(call: Callable[[], Any], task: dict[str, Any]) -> Any:
    """Call once, then again and again as the task says; return what the last call returned.

    The task's ``repeat`` holds the least number of further calls, the most, and the seconds
    after which no other is made.
    """
    least, most, enough = task["repeat"]
    spent = 0.0
    for number in range(most + 1):
        found = None
        gc.collect()
        started = time.perf_counter()
        found = call()
        seconds = time.perf_counter() - started
        tell("call", seconds=seconds, peak_mb=peak_mb())
        spent += seconds
        if number >= least and spent > enough:
            break
    return found
