"""Several fits side by side: coefficients, variance components, what is known of each fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmlm import names
from bayesmlm.reports.cells import cell
from bayesmlm.reports.table import Table
from bayesmlm.result import FitResult
from bayesmlm.summaries import fixef
from bayesmlm.summaries.draws import flatten
from bayesmlm.summaries.maximum import ERRORS

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Comparison:
    """Fits side by side.

    Parameters
    ----------
    frame
        Unrounded: a row a parameter, columns (fit, ``estimate`` or ``se``).
    table
        The same to look at, with what is known of each fit.
    """

    frame: pd.DataFrame
    table: Table

    def html(self) -> str:
        """Return the table in HTML."""
        return self.table.html()

    def latex(self) -> str:
        """Return the table in LaTeX, for the package booktabs."""
        return self.table.latex()

    def __rich__(self) -> Any:
        return self.table

    def __str__(self) -> str:
        return str(self.table)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.html()


def comparison(results: Mapping[str, FitResult]) -> Comparison:
    """Return the table of several fits by their names.

    Fixed effects by their posterior means and SDs, or estimates and standard errors; SDs and
    correlations likewise, a maximum's without errors. An empty cell: not in that model.
    """
    import pandas as pd

    columns = {name: parameters(result) for name, result in results.items()}
    rows = list(dict.fromkeys(key for found in columns.values() for key in found))
    rows.sort(key=lambda key: ("fixed", "sd", "corr", "sigma").index(key[0]))
    frame = pd.DataFrame(
        {
            (name, what): [found.get(key, (np.nan, np.nan))[k] for key in rows]
            for name, found in columns.items()
            for k, what in enumerate(("estimate", "se"))
        },
        index=[label for _, label in rows],
    ).rename_axis("parameter")
    shown = {
        name: [entry(*found[key]) if key in found else "" for key in rows]
        for name, found in columns.items()
    }
    facts = {name: described(result) for name, result in results.items()}
    known = list(dict.fromkeys(fact for each in facts.values() for fact in each))
    display = pd.DataFrame(
        {name: shown[name] + [facts[name].get(fact, "") for fact in known] for name in results},
        index=[*(label for _, label in rows), *known],
    ).rename_axis("parameter")
    note = "posterior mean (SD), or estimate (standard error); SDs and not variances"
    headings = ((len(rows), ("the fits",)),)
    return Comparison(frame, Table("Fits side by side", display, (note,), headings))


def parameters(result: FitResult) -> dict[tuple[str, str], tuple[float, float]]:
    """Return estimate and error of every parameter, by kind and label."""
    found: dict[tuple[str, str], tuple[float, float]] = {}
    if result.design.coef:
        for label, row in fixef(result).iterrows():
            both = (row["estimate"], row["se"]) if "se" in row else (row["mean"], row["sd"])
            found["fixed", str(label)] = (float(both[0]), float(both[1]))
    for part in result.design.further:
        beta = flatten(result.posterior[names.of_parameter(names.BETA, part.target)])[0]
        for name, draws in zip(part.coef, beta.T, strict=True):
            found["fixed", names.parameter_coef(part.target, name)] = centre(draws)
    for block in result.design.blocks:
        sds = flatten(result.posterior[names.sd(block.name)])[0]
        for effect, draws in zip(block.effects, sds.T, strict=True):
            found["sd", f"{names.sd(block.name)}[{effect}]"] = centre(draws)
        if block.pairs:
            r = flatten(result.posterior[names.corr(block.name)])[0]
            for label, draws in zip(block.pair_labels, r.T, strict=True):
                found["corr", f"{names.corr(block.name)}[{label}]"] = centre(draws)
    if result.design.estimates_scale:
        found["sigma", names.SIGMA] = centre(flatten(result.posterior[names.SIGMA])[0][:, 0])
    return found


def centre(draws: np.ndarray) -> tuple[float, float]:
    """Return mean and SD of draws; a point has no SD."""
    return float(draws.mean()), float(draws.std(ddof=1)) if len(draws) > 1 else np.nan


def entry(estimate: float, error: float) -> str:
    """Return "12.10 (0.20)"."""
    if not np.isfinite(error):
        return f"{estimate:.4g}"
    return f"{cell('mean', estimate, error)} ({cell('sd', error, error)})"


def described(result: FitResult) -> dict[str, str]:
    """Return what is known of a fit."""
    design = result.design
    facts = {
        "engine": type(result.engine).__name__,
        "family": f"{design.family.name} ({design.family.link.name})",
        "rows": f"{len(design.y):,}",
    }
    facts |= {f"groups: {block.name}": f"{block.grouping.size:,}" for block in design.random}
    if ERRORS in result.tree.children:
        stats = result.tree["sample_stats"]
        restricted = type(result.engine).__name__ == "REML"
        facts["REML criterion" if restricted else "deviance"] = f"{float(stats['deviance']):,.2f}"
        facts |= {what.upper(): f"{float(stats[what]):,.2f}" for what in ("aic", "bic")}
    facts["seconds"] = f"{sum(result.seconds.values()):.1f}"
    return facts
