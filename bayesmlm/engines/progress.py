"""Progress of a fit: bars in a terminal and in Jupyter, silence elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bayesmlm.engines.notebook import NotebookBars


def is_interactive() -> bool:
    """Whether somebody watches: a terminal or a notebook, and not continuous integration."""
    if os.environ.get("CI"):
        return False
    return sys.stderr.isatty() or in_notebook()


def in_notebook() -> bool:
    """Whether this is a Jupyter kernel."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"


@dataclass
class Progress:
    """Stages of a fit, with seconds, shown when `show` is true.

    Parameters
    ----------
    show
        Whether to draw.
    seconds
        Filled with the wall time of each stage.
    report
        Called, shown or not, with stage, steps done, all steps (None where they are not
        counted), and a detail.
    """

    show: bool = False
    seconds: dict[str, float] = field(default_factory=dict)
    report: Callable[[str, int, int | None, str], None] | None = None
    _bars: Any = None

    @contextmanager
    def running(self) -> Iterator[Progress]:
        """Draw the bars while the block runs."""
        if not self.show:
            yield self
            return
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        columns = (
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[detail]}"),
            TimeElapsedColumn(),
        )
        self._bars = (
            NotebookBars(*columns)
            if in_notebook()
            else Bars(*columns, console=Console(stderr=True))
        )
        with self._bars:
            yield self
        self._bars = None

    @contextmanager
    def stage(self, name: str, detail: str = "", drawn: bool = True) -> Iterator[None]:
        """Time a stage, and draw it unless it draws itself."""
        task = None
        if self._bars is not None and drawn:
            task = self._bars.add_task(name, total=None, detail=detail)
        if self.report is not None and drawn:
            self.report(name, 0, None, detail)
        started = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - started
        if self._bars is not None and task is not None:
            self._bars.update(task, total=1, completed=1, detail="")

    def counter(self, name: str) -> Any:
        """Return a function of (done, total, detail) that draws a counted stage."""
        bars, report = self._bars, self.report
        if bars is None and report is None:
            return None
        task = None if bars is None else bars.add_task(name, total=None, detail="")

        def update(done: int, total: int, detail: str) -> None:
            if bars is not None:
                bars.update(task, completed=done, total=total, detail=detail)
            if report is not None:
                report(name, done, total, detail)

        return update


def chain_report(update: Any) -> Any:
    """Return what nutpie calls with the progress of its chains, or None."""
    if update is None:
        return None

    def report(chains: Any) -> None:
        divergences = sum(chain.divergences for chain in chains)
        done = sum(chain.finished_draws for chain in chains)
        update(done, sum(chain.total_draws for chain in chains), f"{divergences} divergences")

    return report
