"""The page of `scripts/engines.py`: a table for the README, then every figure."""

HEAD = """# Every engine on every generalized model

Made by `make engines`. A cell is the largest distance of a fixed effect, SD or correlation from
the reference, in the reference's posterior SDs, and the seconds of the whole fit. The reference is
Stan, with the same priors, where the model's name begins with stan/; elsewhere a long run of our
NUTS. ⚠ marks a fit whose own audit (`fit.check()`) warns. ML, PQL and MQL are maxima without
priors, so their distance is that of a mode from a mean: it is shown, not judged.

Judged are NUTS and, with one grouping, quadrature: every mean and 5, 50 and 95 % quantile within
a Bonferroni bound of 1e-3 in Monte Carlo standard errors; quadrature with several groupings (the
hybrid): 0.15 posterior SD; Laplace: 0.1 posterior SD and SDs within 10 %, unless its audit warns.
On guimmun, rodgold_sim01 and simulated clusters of 2 and 5 binary rows the audit must warn; on
contraception, election88_simple and clusters of 40 it must not. What falls short has a bold
**no**.
"""


def page(results, titles):
    """Return the page."""
    parts = [HEAD, busy(results), table(results, titles)]
    parts += [section(name, result, titles) for name, result in results.items()]
    return "\n".join(parts)


def busy(results):
    """Return what to know of the seconds."""
    load = max((result["load"] for result in results.values()), default=0.0)
    processors = max((result["processors"] for result in results.values()), default=0)
    if load <= processors:
        return f"Seconds are of a machine of {processors} processors with nothing else to do.\n"
    return (
        f"Seconds were taken while other work ran on the machine (load average up to {load:.0f} on "
        f"{processors} processors): compare them with each other only roughly.\n"
    )


def table(results, titles):
    """Return one line a model, one cell an engine."""
    run = [label for label in titles if any(label in r["engines"] for r in results.values())]
    lines = [
        f"| model | {' | '.join(titles[label] for label in run)} |",
        f"|:--|{'--:|' * len(run)}",
    ]
    for name, result in results.items():
        cells = [cell(result["engines"].get(label)) for label in run]
        also = f" ({result['also']})" if result.get("also") else ""
        lines.append(f"| [{name}](#{anchor(name)}){also} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def anchor(name):
    """Return what Markdown makes of a heading."""
    return name.replace("/", "")


def cell(row):
    """Return one engine of one model."""
    if row is None:
        return "not run"
    if "failed" in row:
        return "failed"
    told = " ⚠" if row["warns"] else ""
    if row.get("reference"):
        return f"reference{told}; {row['seconds']:.1f} s"
    out = "" if row.get("ok", True) else " **no**"
    instead = " by NUTS" if "instead" in row else ""
    return f"{abs(row['distance']):.2f}{told}{out}{instead}; {row['seconds']:.1f} s"


def section(name, result, titles):
    """Return all figures of one model."""
    groups = ", ".join(f"{size:,} {group}" for group, size in result["groups"].items())
    lines = [
        f"## {name}",
        "",
        f"{result['family']}, {result['rows']:,} rows; groups: {groups}. "
        f"Reference: {result['reference']}.",
        "",
        "| engine | distance | of | ratio of SDs | of | MCSE (bound) | k-hat | shift | mark "
        "| audit | s |",
        "|:--|--:|:--|--:|:--|--:|--:|--:|:--|:--|--:|",
    ]
    for label in titles:
        if label in result["engines"]:
            lines.append(figures(titles[label], result["engines"][label]))
    return "\n".join(lines) + "\n"


def figures(title, row):
    """Return one line of figures."""
    if "failed" in row:
        return f"| {title} | failed: {row['failed']} | | | | | | | | | |"
    if row.get("reference"):
        audit = "warns" if row["warns"] else "silent"
        return f"| {title} | reference | | | | | | | | {audit} | {row['seconds']:.2f} |"

    def shown(key, form):
        return "" if row.get(key) is None else format(row[key], form)

    audit = "; ".join(row["findings"]) or "silent"
    reached = f"{row['mark']}: {'reached' if row['ok'] else '**no**'}" if "mark" in row else ""
    scores = f"{row['mcse']:.1f} ({row['mcse_bound']:.1f})" if "mcse" in row else ""
    cells = [
        *(shown("distance", "+.3f"), code(row["of"]), shown("sd_ratio", ".2f")),
        *(code(row.get("sd_ratio_of", "")), scores, shown("k_hat", ".2f"), shown("shift", "+.2f")),
        *(reached, audit, f"{row['seconds']:.2f}"),
    ]
    return f"| {title} | {' | '.join(cells)} |"


def code(name):
    """Return a parameter's name as code."""
    return f"`{name}`" if name else ""
