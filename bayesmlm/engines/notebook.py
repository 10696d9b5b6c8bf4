"""Progress bars in a Jupyter notebook: one output that is drawn anew, without widgets."""

from __future__ import annotations

import io
import time
from importlib import import_module
from typing import Any

EVERY = 0.2
"""Seconds between two drawings."""

WIDTH = 100


class NotebookBars:
    """Bars of rich as text in one output of the cell; a frontend needs no widgets for it.

    Parameters
    ----------
    columns
        What rich shows of each task.
    """

    def __init__(self, *columns: Any) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self._console = Console(file=io.StringIO(), width=WIDTH, force_jupyter=False)
        self._bars = Progress(*columns, console=self._console, auto_refresh=False)
        self._output: Any = None
        self._drawn = 0.0

    def __enter__(self) -> NotebookBars:
        display: Any = import_module("IPython.display").display
        self._output = display(self._text(), raw=True, display_id=True)
        return self

    def __exit__(self, *failed: object) -> None:
        self._draw()

    def add_task(self, description: str, **told: Any) -> Any:
        """Add a bar; as `rich.progress.Progress.add_task`."""
        task = self._bars.add_task(description, **told)
        self._draw()
        return task

    def update(self, task: Any, **told: Any) -> None:
        """Change a bar; as `rich.progress.Progress.update`."""
        self._bars.update(task, **told)
        if time.monotonic() - self._drawn >= EVERY:
            self._draw()

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        self._output.update(self._text(), raw=True)

    def _text(self) -> dict[str, str]:
        with self._console.capture() as shown:
            self._console.print(self._bars.get_renderable())
        lines = (line.rstrip() for line in shown.get().splitlines())
        return {"text/plain": "\n".join(lines).strip("\n")}
