"""One model by several engines: estimates, distances, states, as tables and a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmlm.engine_comparison.fitted import FAILED, Outcome
from bayesmlm.engines import Engine
from bayesmlm.errors import EngineError, message
from bayesmlm.fit import Fit
from bayesmlm.plots import Picture, engine_intervals
from bayesmlm.reports import Page, Shown, Table
from bayesmlm.reports.summary import percent
from bayesmlm.summaries import parameters
from bayesmlm.summaries.maximum import ERRORS
from bayesmlm.summaries.parameters import COLUMNS

if TYPE_CHECKING:
    import pandas as pd

PREFERENCE = ("nuts", "quadrature")
"""Engines that distances are taken from, the best first, where they converged."""


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


def gather(
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
