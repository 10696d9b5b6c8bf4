"""What the commands of `bayesmlm.cli` do; each takes its arguments and returns a status."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from bayesmlm import demo as demonstration
from bayesmlm import engine_comparison, gallery
from bayesmlm.fit import Fit, load
from bayesmlm.model_source import Source, compact, saved, source
from bayesmlm.output import output_folder, write_files

OK, NOT_CONVERGED = 0, 1


def models(_: argparse.Namespace) -> int:
    """List the gallery."""
    names = gallery.available()
    width = max(map(len, names), default=0)
    for name in names:
        print(f"{name:<{width}}  {gallery.read(name).title}")
    return OK


def show(options: argparse.Namespace) -> int:
    """Show a model, or a saved fit."""
    if saved(options.model):
        display(load(options.model).summary())
        return OK
    chosen = source(options)
    for text in chosen.headings():
        print(text + "\n")
    if not chosen.has_data:
        print(chosen.equations(), flush=True)
        print("\nlevels and priors need the data: --data FILE", file=sys.stderr)
        return OK
    model = chosen.model()
    equations = model.equations()
    print(f"{equations.text}\n\ncombined: {equations.combined}")
    print(f"formula:  {equations.formula}\n\n{model.levels()}\n")
    for note in model.design.notes:
        print(note + "\n")
    display(model.priors())
    published = chosen.published()
    if published is not None:
        print()
        display(compact(published))
    return OK


def fit(options: argparse.Namespace) -> int:
    """Fit a model, write its files, show its tables."""
    chosen = source(options)
    settings = chosen.fit_options(options.engine, options.option)
    model = chosen.model()

    def run() -> Fit:
        with interruptible():
            return model.fit(**settings, seed=options.seed, progress=options.progress)

    if options.out is None:
        result = run()
    else:
        with output_folder(options.out) as folder:
            result = run()
            write_files(result, folder, chosen.comparison(result))
    display_fit(chosen, result)
    if options.out is not None:
        print(f"\nfit, tables and pictures: {os.path.abspath(options.out)}")
    return OK if result.check().ok else NOT_CONVERGED


def compare_engines(options: argparse.Namespace) -> int:
    """Fit a model by several engines, and show them side by side."""
    model = source(options).model()
    names = [name.strip() for name in options.engines.split(",")]
    found = engine_comparison.compare_engines(
        model, names, seed=options.seed, reference=options.reference, progress=options.progress
    )
    display(found)
    fine = not found.failures and all(fit.check().ok for fit in found.fits.values())
    return OK if fine else NOT_CONVERGED


def demo(_: argparse.Namespace) -> int:
    """Run the demo."""
    return demonstration.main()


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C end the block even where a library takes it for "that will do".

    nutpie returns what it has by then, with NaN for the draws that were not made.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals belong to the main thread
        return
    pressed = []

    def remember(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGINT, remember)
    try:
        yield
        if pressed:
            raise KeyboardInterrupt
    finally:
        signal.signal(signal.SIGINT, before)


def display_fit(chosen: Source, result: Fit) -> None:
    """Print the summary of a fit, and its table beside the published one."""
    display(result.summary())
    for table in chosen.comparison(result).values():
        print()
        display(compact(table))


def display(table: Any) -> None:
    """Print a table or page: in colours in a terminal, as plain text elsewhere."""
    if sys.stdout.isatty():
        from rich.console import Console

        Console(highlight=False).print(table)
    else:
        print(table)
