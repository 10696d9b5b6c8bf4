"""The table of the gallery in Markdown: every model, published against ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

HEAD = """# The gallery: published against ours

Made by `make gallery`. A coefficient agrees when our posterior mean lies within 0.25 posterior
SD of the published estimate; an SD or a correlation when its ML or REML estimate lies inside
our central 90 % interval. Where the reference is a posterior with the same priors (at the
boundary, where ML puts an SD at zero; where the posterior is skew; where a posterior is what
was published), every mean lies within 0.25 posterior SD of its mean. Distances are in
posterior SDs, seconds are of the whole fit, compiling included. A statistic agrees when from
our ML or REML maximum it is the published one to the last digit printed, and the central 90 %
interval of its posterior holds that.
"""

COLUMNS = (
    "| parameter | published | se | by | ours: mean ± SD | 5 % | 95 % | distance | ok |\n"
    "|:--|--:|--:|:--|--:|--:|--:|--:|:-:|"
)


def markdown(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page: a summary of one line a model, then its figures."""
    parts = [HEAD, overview(results), statistics(results), posteriors(results)]
    parts += [section(name, result) for name, result in results.items() if "rows" in result]
    return "\n".join(parts)


def overview(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return one line a model."""
    lines = [
        "| model | reference | figures | largest distance of a mean | engine | seconds "
        "| R-hat | ESS | ok |",
        "|:--|:--|--:|--:|:--|--:|--:|--:|:-:|",
    ]
    for name, result in results.items():
        if "rows" not in result:
            why = result.get("not_run") or result["error"].splitlines()[0]
            lines.append(f"| {name} | not run here: {why} | | | | | | | |")
            continue
        rows = result["rows"]
        judged = [abs(row["distance"]) for row in rows if judged_by_mean(row)]
        kinds = ", ".join(dict.fromkeys(row["kind"] for row in rows))
        statistics_ok = all(row["ok"] for row in result.get("derived", []))
        good = result["converged"] and all(row["ok"] for row in rows) and statistics_ok
        lines.append(
            f"| [{name}](#{name}) | {kinds} | {len(rows)} | {max(judged, default=np.nan):.2f} "
            f"| {engine_name(result['engine'])} | {result['seconds']['total']:.0f} "
            f"| {r_hat(result)} | {result['ess']:,} | {mark(good)} |"
        )
    return "\n".join(lines) + "\n"


def statistics(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the statistics of all models: published, at our maximum, as a posterior."""
    lines = []
    for name, result in results.items():
        for row in result.get("derived", []):
            digits = len(repr(row["published"]).partition(".")[2])
            optimum = "" if row["optimum"] is None else f"{row['optimum']:.{digits + 2}f}"
            places = max(digits, decimals(row["sd"]))
            mean, sd, low, high = (f"{row[key]:.{places}f}" for key in ("mean", "sd", "q05", "q95"))
            lines.append(
                f"| [{name}](#{name}) | `{row['parameter']}` | {row['published']} | {row['kind']} "
                f"| {optimum} | {mean} ± {sd} | {low} | {high} | {mark(row['ok'])} |"
            )
    head = (
        "| model | statistic | published | by | ours at that maximum | ours: mean ± SD | 5 % "
        "| 95 % | ok |\n|:--|:--|--:|:--|--:|--:|--:|--:|:-:|"
    )
    return "\n".join([head, *lines]) + "\n" if lines else ""


def posteriors(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the models held against a posterior, by name, and why."""
    lines = [
        f"- [{name}](#{name}): {result.get('note', '')}"
        for name, result in results.items()
        if any(row["kind"] == "posterior" for row in result.get("rows", ()))
    ]
    return (
        "\n".join(["Held against a posterior with the same priors:", "", *lines, ""])
        if lines
        else ""
    )


def judged_by_mean(row: Mapping[str, Any]) -> bool:
    """Whether the rule for a figure is the distance of the mean."""
    name = str(row["parameter"])
    varies = name == "sigma" or name.startswith(("sd_", "corr_"))
    return row["kind"] == "posterior" or not varies


def section(name: str, result: Mapping[str, Any]) -> str:
    """Return the figures of one model."""
    rows = result["rows"]
    simulated = any(row["generating"] is not None for row in rows)
    head = COLUMNS
    if simulated:
        head = head.replace("| published |", "| true | published |").replace(
            "|:--|--", "|:--|--:|--", 1
        )
    lines = [f"## {name}", "", f"{result['title']}. `{result['formula']}`", "", head]
    lines += [figure(row, simulated) for row in rows]
    lines += ["", f"Published: {'; '.join(result['source'])}."]
    seconds = ", ".join(f"{k} {v:.1f} s" for k, v in result["seconds"].items())
    lines.append(f"Ours: {result['engine']}, seed {result['seed']}; {seconds}. {result['state']}")
    return "\n".join(lines) + "\n"


def engine_name(text: str) -> str:
    """Return the name of an engine as it prints itself: ``NUTS by nutpie: …`` is NUTS."""
    return text.replace(":", " ").split()[0]


def r_hat(result: Mapping[str, Any]) -> str:
    """Return R-hat; importance draws have none."""
    value = result["r_hat"]
    return "–" if value is None else f"{value:.3f}"


def figure(row: Mapping[str, Any], simulated: bool) -> str:
    """Return one line of figures, rounded to two digits of our SD."""
    places = decimals(row["sd"])

    def number(value: float | None) -> str:
        return "" if value is None or not np.isfinite(value) else f"{value:.{places}f}"

    true = f" {number(row['generating'])} |" if simulated else ""
    name = str(row["parameter"]).replace("|", "\\|")
    return (
        f"| `{name}` |{true} {number(row['published'])} | {number(row['se'])} "
        f"| {row['kind']} | {number(row['mean'])} ± {number(row['sd'])} | {number(row['q05'])} "
        f"| {number(row['q95'])} | {row['distance']:+.2f} | {mark(row['ok'])} |"
    )


def decimals(spread: float) -> int:
    """Return the decimals that show two digits of a spread."""
    if not np.isfinite(spread) or spread <= 0:
        return 3
    return int(np.clip(1 - np.floor(np.log10(spread)), 0, 6))


def mark(good: bool) -> str:
    """Return a tick or the word that is looked for."""
    return "✓" if good else "**no**"
