"""Fit every model of the gallery whose data are found, and write the table as it grows."""

from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from bayesmlm.errors import BayesmlmError, BayesmlmWarning, DataError
from bayesmlm.gallery.compare import compare
from bayesmlm.gallery.derived import derived
from bayesmlm.gallery.entry import Entry
from bayesmlm.gallery.files import available, read
from bayesmlm.gallery.table import markdown

SEED = 1


def run(
    names: Iterable[str] | None = None,
    *,
    seed: int = SEED,
    record: Path | None = None,
    table: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, dict[str, Any]]:
    """Fit models of the gallery, one after the other.

    Parameters
    ----------
    names
        Which; None takes all but the slow ones.
    seed
        The seed of the fits that state none.
    record
        A JSON file of results, brought up to date after every fit; the results of other
        models that it holds are kept.
    table
        A Markdown file of the table, written after every fit.
    say
        Told of every model begun and done.

    Returns
    -------
    dict
        A result a model.
    """
    chosen = list(available() if names is None else names)
    entries = [read(name) for name in chosen]
    results = recorded(record)
    for number, entry in enumerate(entries, start=1):
        say(f"[{number}/{len(entries)}] {entry.name}: {entry.title}")
        if names is None and entry.slow:
            result: dict[str, Any] = {"title": entry.title, "not_run": entry.slow}
        else:
            result = outcome(entry, seed)
        say("    " + line(result))
        results |= recorded(record)  # another run may have written since
        if "not_run" not in result or "rows" not in results.get(entry.name, {}):
            results[entry.name] = result
        results = dict(sorted(results.items()))
        if record:
            write(record, json.dumps(results, indent=1, ensure_ascii=False) + "\n")
        if table:
            write(table, markdown(results))
    return results


def recorded(record: Path | None) -> dict[str, dict[str, Any]]:
    """Return the results of earlier runs."""
    if record is None or not record.is_file():
        return {}
    return dict(json.loads(record.read_text(encoding="utf-8")))


def outcome(entry: Entry, seed: int) -> dict[str, Any]:
    """Fit one model, and return what the table needs; an error is a result too."""
    try:
        data = entry.data()
    except DataError as error:
        return {"title": entry.title, "not_run": f"data not found: {str(error).splitlines()[0]}"}
    started = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BayesmlmWarning)  # the table says it
            fit = entry.model(data).fit(**{"seed": seed} | entry.fit_options())
        seconds = round(time.perf_counter() - started, 1)
        compared, statistics = compare(entry, fit), derived(entry, fit)
    except BayesmlmError as error:
        return {"title": entry.title, "error": str(error)}
    return {
        "title": entry.title,
        "note": " ".join(entry.note.split()),
        "formula": fit.equations().formula,
        "source": sorted({figure.source for figure in entry.published}),
        "engine": str(fit.result.engine),
        "seed": fit.result.seed,
        "seconds": {
            "total": seconds,
            **{stage: round(value, 1) for stage, value in fit.result.seconds.items()},
        },
        **convergence(fit.check()),
        "rows": [
            {key: None if value != value else value for key, value in row.items()}  # no NaN in JSON
            for row in compared.reset_index().to_dict(orient="records")
        ],
        "derived": statistics,
    }


def convergence(check: Any) -> dict[str, Any]:
    """Return the figures of convergence; importance draws have no R-hat and a k-hat."""
    r_hat = getattr(check, "r_hat", None)
    return {
        "r_hat": None if r_hat is None else round(float(r_hat), 4),
        "ess": round(float(getattr(check, "ess", 0))),
        "state": str(check).splitlines()[0],
        "converged": bool(check.ok),
        "findings": [finding.what for finding in check.findings],
    }


def is_ok(result: Mapping[str, Any]) -> bool:
    """Whether a model converged and every figure of it agrees by the rule."""
    rows = [*result.get("rows", [{"ok": 0}]), *result.get("derived", [])]
    return bool(result.get("converged")) and all(row["ok"] for row in rows)


def line(result: Mapping[str, Any]) -> str:
    """Return one line on a result."""
    if "not_run" in result:
        return f"not run: {result['not_run']}"
    if "error" in result:
        return f"error: {result['error'].splitlines()[0]}"
    rows = [*result["rows"], *result.get("derived", [])]
    out = [row["parameter"] for row in rows if not row["ok"]]
    verdict = "ok" if is_ok(result) else f"OUT: {', '.join(out + result['findings'])}"
    return f"{result['seconds']['total']:.0f} s, {verdict}. {result['state']}"


def write(path: Path, text: str) -> None:
    """Write a file whole: a run cut short leaves the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".tmp")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)
