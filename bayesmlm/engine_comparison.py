"""What takes several engines: one model by each of them, side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, as_completed
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmlm.design import Design
from bayesmlm.engines import Engine, Progress, engine, is_interactive
from bayesmlm.engines.options import resolve_seed
from bayesmlm.errors import BayesmlmError, EngineError, message, suggestion
from bayesmlm.fit import Fit
from bayesmlm.model import Model
from bayesmlm.model_inputs import check_count
from bayesmlm.parallel import Processes, available_cores, tell
from bayesmlm.plots import Picture, engine_intervals
from bayesmlm.priors import Priors
from bayesmlm.reports import Page, Shown, Table
from bayesmlm.reports.summary import percent
from bayesmlm.result import FitResult
from bayesmlm.summaries import parameters
from bayesmlm.summaries.draws import PROBABILITY, check_probability
from bayesmlm.summaries.maximum import ERRORS
from bayesmlm.summaries.parameters import COLUMNS

if TYPE_CHECKING:
    import pandas as pd

PREFERENCE = ("nuts", "quadrature")
"""Engines that distances are taken from, the best first, where they converged."""

FAILED = "failed"


@dataclass(frozen=True, repr=False)
class EngineComparison(Shown):
    """One model by several engines.

    Parameters
    ----------
    frame
        Index (part, parameter, engine); ``estimate``, ``sd``, ``lower``, ``upper``, and
        ``distance``, the estimate minus the reference's in the reference's posterior SDs.
    engines
        One row an engine: ``seconds`` of its fit, ``largest distance`` and the parameter it is
        ``of``, and ``state``, what `Fit.check` says in a word.
    fits
        The fits, by the engines' labels.
    failures
        Why the others failed.
    reference
        The engine that distances are taken from, or None.
    probability
        Of the intervals.
    seed
        Of every engine.
    """

    frame: pd.DataFrame
    engines: pd.DataFrame
    fits: Mapping[str, Fit]
    failures: Mapping[str, str]
    reference: str | None
    probability: float
    seed: int

    def page(self) -> Page:
        """Return the tables."""
        interval = percent(self.probability)
        parts: list[Any] = [Table("Engines", self.engines, tuple(self.notes()))]
        for part, rows in self.frame.groupby(level="part", sort=False):
            shown = rows.droplevel("part")
            labels = shown.index.get_level_values("parameter")
            repeated = np.append(False, labels[1:] == labels[:-1])
            shown = shown.reset_index()
            shown["parameter"] = np.where(repeated, "", labels)
            title = f"{str(part).capitalize()} ({interval} intervals)"
            parts.append(Table(title, shown.set_index(["parameter", "engine"])))
        return Page(tuple(parts))

    def notes(self) -> list[str]:
        """Return what is to be known of each engine, and of the distances."""
        found = [f"{label} failed: {why}" for label, why in self.failures.items()]
        maxima = [name for name, fit in self.fits.items() if ERRORS in fit.tree.children]
        if maxima:
            found.append(
                f"{', '.join(maxima)}: priors ignored; estimates at the maximum, intervals of the "
                "fixed effects by the normal approximation"
            )
        for label, fit in self.fits.items():
            if fit.result.engine.name != label.partition("(")[0]:
                found.append(f"{label}: {fit.result.notes[0]}")
            findings = fit.check().findings
            found += [f"{label}: {finding.what}" for finding in findings]
        if self.reference is None:
            found.append(
                f"no distances: none of {', '.join(PREFERENCE)} converged here; name another "
                "engine as reference="
            )
        else:
            found.append(f"distance: from {self.reference}, in its posterior SDs")
        return [*found, f"seed {self.seed}; seconds while all of them ran"]

    def plot(self, *, backend: str = "matplotlib") -> Picture:
        """Draw the intervals side by side; see `bayesmlm.plots.engine_intervals`.

        Parameters
        ----------
        backend
            ``"matplotlib"``, ``"plotly"`` or ``"bokeh"``.

        Raises
        ------
        EngineError
            If no engine fitted the model.
        """
        if self.frame.empty:
            raise EngineError(
                message(
                    "a picture of engines that all failed",
                    "one that fitted the model",
                    "read .failures, and choose other engines",
                )
            )
        return engine_intervals(self.frame, self.reference, self.probability, backend=backend)


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
    return gather(model, chosen, outcomes, reference, probability, start)


def check_model(model: Any) -> None:
    """Raise `EngineError` for what is no model."""
    if not isinstance(model, Model):
        got = f"compare_engines() of a {type(model).__name__}"
        raise EngineError(message(got, "a bayesmlm.Model", "build Model(spec, data) first"))


def labelled(engines: Any) -> dict[str, Engine]:
    """Return the engines by their labels: names, with options where a name occurs twice."""
    if isinstance(engines, str | Engine) or not isinstance(engines, Sequence) or not engines:
        got = f"engines={engines!r}"
        allowed = "a list of engines or their names"
        raise EngineError(message(got, allowed, 'for example ["nuts", "laplace", "ml"]'))
    found: dict[str, Engine] = {}
    values = [engine(each) for each in engines]
    alike = [value.name for value in values]
    for value in values:
        label = value.name if alike.count(value.name) == 1 else described(value)
        if label in found:
            raise EngineError(
                message(f"{label} twice", "each engine once", "leave one out, or change an option")
            )
        found[label] = value
    return found


def described(value: Engine) -> str:
    """Return an engine's name with the options that are not the defaults."""
    plain = type(value)()
    options = [
        f"{field.name}={getattr(value, field.name)!r}"
        for field in fields(value)
        if getattr(value, field.name) != getattr(plain, field.name)
    ]
    return f"{value.name}({', '.join(options)})" if options else value.name


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

        def start(pool: Executor) -> dict[str, Outcome]:
            return collect(pool, model, engines, seed, lines)

        if executor is not None:
            return start(executor)
        with Processes(workers, listen) as pool:
            return start(pool)


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


def gather(
    model: Model,
    engines: Mapping[str, Engine],
    outcomes: Mapping[str, Outcome],
    asked: str | None,
    probability: float,
    seed: int,
) -> EngineComparison:
    """Return the comparison of what came back."""
    fits = {
        label: Fit(outcome[0])
        for label in engines
        if not isinstance(outcome := outcomes[label], str)
    }
    failures = {label: why for label in engines if isinstance(why := outcomes[label], str)}
    seconds = {label: done[1] for label, done in outcomes.items() if not isinstance(done, str)}
    reference = choose_reference(fits, asked)
    frame = side_by_side(fits, reference, probability)
    rows = engine_rows(engines, fits, frame, seconds)
    return EngineComparison(frame, rows, fits, failures, reference, probability, seed)


def choose_reference(fits: Mapping[str, Fit], asked: str | None) -> str | None:
    """Return the fit that distances are taken from."""
    if asked in fits:
        return asked
    for name in PREFERENCE:
        for label, fit in fits.items():
            if fit.result.engine.name == name and fit.check().ok:
                return label
    return None


def side_by_side(
    fits: Mapping[str, Fit], reference: str | None, probability: float
) -> pd.DataFrame:
    """Return the frame of a comparison."""
    import pandas as pd

    tables = {label: parameters(fit.result, probability) for label, fit in fits.items()}
    first = [tables[reference]] if reference else []
    order = list(dict.fromkeys(key for each in [*first, *tables.values()] for key in each.index))
    rows = [(*key, label) for key in order for label in fits if key in tables[label].index]
    names, columns = ["part", "parameter", "engine"], [*COLUMNS, "distance"]
    if not rows:
        index = pd.MultiIndex.from_arrays([[], [], []], names=names)
        return pd.DataFrame(columns=columns, index=index, dtype=float)
    index = pd.MultiIndex.from_tuples(rows, names=names)
    values = [tables[label].loc[(part, name)].to_numpy() for part, name, label in rows]
    frame = pd.DataFrame(values, index=index, columns=list(COLUMNS)).reindex(columns=columns)
    if reference is not None:
        base = tables[reference].reindex(index.droplevel("engine")).set_axis(index)
        frame["distance"] = (frame["estimate"] - base["estimate"]) / base["sd"]
    return frame


def engine_rows(
    engines: Mapping[str, Engine],
    fits: Mapping[str, Fit],
    frame: pd.DataFrame,
    seconds: Mapping[str, float],
) -> pd.DataFrame:
    """Return one row an engine."""
    import pandas as pd

    records = {}
    for label in engines:
        largest, where, state = np.nan, "", FAILED
        if label in fits:
            state = str(fits[label].check()).partition(":")[0]
            distance = frame.xs(label, level="engine")["distance"].dropna()
            if len(distance):
                at = int(np.argmax(distance.abs()))
                largest, where = float(distance.iloc[at]), str(distance.index[at][1])
        records[label] = {
            "seconds": seconds.get(label, np.nan),
            "state": state,
            "largest distance": largest,
            "of": where,
        }
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("engine")
