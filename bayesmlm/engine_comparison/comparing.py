"""Engines are compared: the model is fitted by each, and what they say set side by side."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any

from bayesmlm.engine_comparison.comparison import EngineComparison, gather
from bayesmlm.engine_comparison.fitted import run
from bayesmlm.engine_comparison.labels import labelled
from bayesmlm.engines import Engine, Progress, is_interactive
from bayesmlm.engines.options import resolve_seed
from bayesmlm.errors import EngineError, message, suggestion
from bayesmlm.model import Model
from bayesmlm.model_inputs import check_count
from bayesmlm.parallel import available_cores
from bayesmlm.summaries.draws import PROBABILITY, check_probability


def compare_engines(
    model: Model,
    engines: Sequence[str | Engine],
    *,
    seed: int | None = None,
    reference: str | None = None,
    probability: float = PROBABILITY,
    workers: int | None = None,
    executor: Executor | None = None,
    progress: bool | None = None,
) -> EngineComparison:
    """Fit one model by several engines in parallel, and set the results side by side.

    Every engine runs in a process of its own with its share of the processors, and an engine
    that fails is a row with its reason.

    Parameters
    ----------
    model
        The model.
    engines
        Engines or their short names.
    seed
        A whole number from 0, of every engine; None draws one.
    reference
        The engine that distances are taken from, as the table calls it. None takes
        ``"nuts"`` if it converged, else ``"quadrature"``.
    probability
        Of the intervals.
    workers
        Processes at once; None takes as many as there are engines or processors.
    executor
        Something with the interface of `concurrent.futures.Executor` in place of processes
        on this machine. It is not shut down.
    progress
        Whether to show a line an engine; None shows it in a terminal and in Jupyter.

    Returns
    -------
    EngineComparison
        Prints tables; ``.frame``, ``.engines``, ``.fits``, ``.plot()``.

    Raises
    ------
    EngineError
        For an unknown engine, one given twice, or a reference that is not among them.

    Examples
    --------
    >>> import bayesmlm as mlm
    >>> model = mlm.Model("Reaction ~ Days + (Days | Subject)", mlm.datasets.load("sleepstudy"))
    >>> found = mlm.compare_engines(model, ["nuts", "laplace", "ml"], seed=1)  # doctest: +SKIP
    >>> found.frame.xs("laplace", level="engine")  # doctest: +SKIP
    """
    check_model(model)
    chosen = labelled(engines)
    if reference is not None and reference not in chosen:
        near = suggestion(reference, chosen)
        raise EngineError(
            message(f"reference={reference!r}{near}", ", ".join(chosen), "name one of these")
        )
    check_probability(probability)
    if workers is not None:
        check_count("workers", workers)
    start = resolve_seed(seed)
    show = is_interactive() if progress is None else progress
    count = min(len(chosen), workers or available_cores())
    outcomes = run(model, chosen, start, count, executor, Progress(show))
    return gather(chosen, outcomes, reference, probability, start)


def check_model(model: Any) -> None:
    """Raise `EngineError` for what is no model."""
    if not isinstance(model, Model):
        got = f"compare_engines() of a {type(model).__name__}"
        raise EngineError(message(got, "a bayesmlm.Model", "build Model(spec, data) first"))
