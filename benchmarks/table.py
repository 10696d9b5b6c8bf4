"""The tables of the README, from the JSON of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Record = Mapping[str, Any]
Results = Mapping[str, Any]

OURS = "laplace"
"""The engine that the ratios are taken against, where its approximation is exact."""

INTEGRATED = "quadrature"
"""The engine that they are taken against elsewhere."""

LIKELIHOOD = "ml"
"""The engine beside which a peer that maximises a likelihood is set as well."""

MAXIMISERS = ("lme4",)

R_HAT_LIMIT = 1.01


def tables(results: Results) -> str:
    """Return the tables, what they mean, and the machine, in Markdown."""
    parts = [
        "Seconds of the whole call, from data in memory to a posterior in memory, imports apart; "
        "caches warm. In brackets: as a multiple of `laplace`, of generalized models of "
        "`quadrature`" + (", and of lme4 also of `ml`." if "lme4" in results["fitters"] else "."),
        table(results, seconds_cell),
        "The same for the first call in a new process, caches on disk warm: with what a library "
        "imports or loads only when it is called.",
        table(results, first_cell),
        "Smallest bulk ESS over all parameters, random effects included, per second of that call "
        "(`laplace`, `quadrature`: the ESS that their weights give, draws that repeat one another "
        "counted once). In brackets: how many times more `laplace` gives, of generalized models "
        "`quadrature`.",
        table(results, ess_cell, skipped=(LIKELIHOOD, *MAXIMISERS)),
        "Peak memory of the process in MB; with a plus, of the processes it started.",
        table(results, memory_cell),
        *notes(results),
    ]
    return "\n\n".join(part for part in parts if part)


def table(
    results: Results,
    cell: Callable[[str, Mapping[str, Record]], str],
    skipped: tuple[str, ...] = (),
) -> str:
    """Return a table of one line a workload and one column a fitter."""
    columns = [name for name in results["fitters"] if name not in skipped]
    titles = [str(results["fitters"][name]["title"]) for name in columns]
    lines = [
        f"| workload | rows | {' | '.join(titles)} |",
        f"|:--|--:|{'--:|' * len(columns)}",
    ]
    for name, workload in results["workloads"].items():
        cells = [cell(column, workload["runs"]) for column in columns]
        lines.append(f"| {name} | {workload.get('rows', 0):,} | {' | '.join(cells)} |")
    return "\n".join(lines)


def not_measured(record: Record | None) -> str | None:
    """Return what stands in the place of a figure that there is not."""
    if record is None:
        return ""
    words = {"absent": "absent", "cannot": "–", "error": "failed"}
    return words.get(record["state"]) or (
        str(record["reason"]) if record["state"] == "over" else None
    )


def seconds_cell(name: str, runs: Mapping[str, Record], key: str = "seconds") -> str:
    """Return the seconds of a fitter, beside how many times ours they are."""
    missing = not_measured(runs.get(name))
    if missing is not None:
        return missing
    times = [ratio(runs, name, base(runs), key)] if is_peer(name) else []
    if name in MAXIMISERS:
        times.append(ratio(runs, name, LIKELIHOOD, key))
    return number(runs[name][key]) + bracket(times)


def first_cell(name: str, runs: Mapping[str, Record]) -> str:
    """Return the seconds of the first call, as `seconds_cell`."""
    return seconds_cell(name, runs, "first_seconds")


def ess_cell(name: str, runs: Mapping[str, Record]) -> str:
    """Return the effective draws a second, and how many times more ours gives."""
    missing = not_measured(runs.get(name))
    if missing is not None:
        return missing
    rate = runs[name].get("min_ess_per_second")
    if rate is None:
        return ""
    times = [ratio(runs, base(runs), name, "min_ess_per_second")] if is_peer(name) else []
    worst = runs[name].get("max_r_hat", 1.0)
    doubt = f", R-hat {worst:.2f}" if worst > R_HAT_LIMIT else ""
    return number(rate) + bracket(times) + doubt


def memory_cell(name: str, runs: Mapping[str, Record]) -> str:
    """Return the peak memory, and that of processes started."""
    missing = not_measured(runs.get(name))
    if missing is not None:
        return missing
    children = runs[name].get("children_mb") or 0.0
    return f"{runs[name]['peak_mb']:,.0f}" + (f" + {children:,.0f}" if children >= 1 else "")


def is_peer(name: str) -> bool:
    """Whether a fitter is not an engine of this project."""
    return name not in (OURS, INTEGRATED, "nuts", "graph", LIKELIHOOD)


def base(runs: Mapping[str, Record]) -> str:
    """Return the engine that the ratios of a workload are taken against."""
    return INTEGRATED if runs.get(INTEGRATED, {}).get("state") == "ok" else OURS


def ratio(runs: Mapping[str, Record], above: str, below: str, key: str) -> float | None:
    """Return one fitter's figure over another's of the same run, None where one is missing."""
    first, second = (runs.get(name, {}).get(key) for name in (above, below))
    return None if first is None or not second else float(first) / float(second)


def bracket(ratios: list[float | None]) -> str:
    """Return ratios in brackets."""
    found = [f"{number(value)}×" for value in ratios if value is not None]
    return f" ({', '.join(found)})" if found else ""


def number(value: float) -> str:
    """Return a number to two digits, or three from 100 on."""
    if value >= 100:
        digits = len(str(int(value))) - 3
        return f"{round(value, -digits):,.0f}"
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


def notes(results: Results) -> list[str]:
    """Return the lines below the tables."""
    return [
        text
        for text in (
            first_ever(results),
            evaluations(results["evaluation"]),
            reasons(results),
            settings(results),
            machine(results["machine"]),
        )
        if text
    ]


def first_ever(results: Results) -> str:
    """Return the first ever calls."""
    found = []
    for name, workload in results["workloads"].items():
        for fitter, record in workload["runs"].items():
            value = record.get("first_ever_seconds")
            if value is not None:
                title = results["fitters"][fitter]["title"]
                found.append(f"{title} on {name} {number(value)} s")
    return f"First call ever, all caches empty: {', '.join(found)}." if found else ""


def evaluations(found: list[Record]) -> str:
    """Return the cost of an evaluation against the number of rows."""
    measured = [entry for entry in found if "evaluation_seconds" in entry]
    if not measured:
        return ""
    parts = [
        f"at {entry['rows']:,} rows {1e3 * entry['evaluation_seconds']:.1f} ms (with its gradient "
        f"{1e3 * entry['gradient_seconds']:.1f} ms), after one pass of "
        f"{number(entry['one_pass_seconds'])} s"
        for entry in measured
    ]
    groups = f"{measured[0]['groups']:,}"
    return f"One evaluation of the density of {groups} groups: {'; '.join(parts)}."


def reasons(results: Results) -> str:
    """Return why figures are missing."""
    lines = [
        f"* {entry['title']}: absent, {entry['absent']}"
        for entry in results["fitters"].values()
        if "absent" in entry
    ]
    for name, workload in results["workloads"].items():
        if "not_run" in workload:
            lines.append(f"* {name}: {workload['not_run']}")
        lines += [
            f"* {results['fitters'][fitter]['title']}, {name}: {record['reason']}"
            for fitter, record in workload["runs"].items()
            if record["state"] in ("cannot", "error")
        ]
    return "\n".join(["Not measured:", "", *lines]) if lines else ""


def settings(results: Results) -> str:
    """Return what each fitter is, once."""
    lines = []
    for name, entry in results["fitters"].items():
        if "absent" in entry:
            continue
        said = (workload["runs"].get(name, {}) for workload in results["workloads"].values())
        text = next((record["settings"] for record in said if "settings" in record), "")
        versions = ", ".join(f"{key} {value}" for key, value in entry["versions"].items())
        told = "; ".join(filter(None, (text, f"priors: {entry['priors']}")))
        lines.append(f"* {entry['title']}: {told} ({versions})")
    return "\n".join(["What was run:", "", *lines]) if lines else ""


def machine(found: Record) -> str:
    """Return the machine and the day."""
    load = found["load"]
    span = " to ".join(f"{load[when][0]:.1f}" for when in ("start", "end") if when in load)
    return (
        f"Measured {found['date']}: {found['processor']}, {found['processors']} processors, "
        f"{found['memory_gb']:.0f} GB; {found['system']}; load average {span}."
    )
