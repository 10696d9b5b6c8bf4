"""What planned studies find: power and precision by design."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.errors import SpecError, message, suggestion
from bayesmlm.plots import Picture, study_curves
from bayesmlm.priors import Prior
from bayesmlm.reports import Page, Shown, Table
from bayesmlm.study.simulated import Outcome, Question

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

ENOUGH = 0.8
"""Power that the smallest design is named for."""


@dataclass(frozen=True, repr=False)
class StudyPlan(Shown):
    """Power and precision by number of groups and of rows in each.

    Parameters
    ----------
    frame
        Index (groups, size, parameter). ``power`` (of coefficients: the share of studies whose
        interval excludes zero; ``assurance`` where parameters were drawn from distributions)
        with its Monte Carlo error ``mcse``; ``width``, the mean width of the intervals;
        ``precise``, the share that is narrower than the width asked for; ``coverage``;
        ``bias`` and ``rmse`` of the estimates.
    simulations
        Studies simulated for each design.
    failures
        By (groups, size): why studies could not be fitted, and how many; they count as studies
        that found nothing.
    notes
        Of the table.
    seed
        Of all.
    """

    frame: pd.DataFrame
    simulations: int
    failures: Mapping[tuple[int, int], Mapping[str, int]]
    notes: tuple[str, ...]
    seed: int

    @property
    def measure(self) -> str:
        """``"power"`` or ``"assurance"``."""
        return str(self.frame.columns[0])

    def smallest(self, parameter: str, power: float = ENOUGH) -> tuple[int, int] | None:
        """Return the design of fewest rows, then fewest groups, that reaches a power.

        Parameters
        ----------
        parameter
            A coefficient.
        power
            Between 0 and 1.

        Returns
        -------
        (int, int) or None
            Numbers of groups, and of rows in each; None where no design reaches it.

        Raises
        ------
        SpecError
            For what is not a coefficient of the plan.
        """
        own = self.frame.xs(self.known(parameter), level="parameter")
        enough = [
            (int(J * n), int(J), int(n))
            for (J, n), value in zip(own.index.to_list(), own[self.measure], strict=True)
            if value >= power
        ]
        return min(enough)[1:] if enough else None

    def known(self, parameter: str) -> str:
        """Return a coefficient's name, if it is one of the plan's.

        Raises
        ------
        SpecError
            If it is not.
        """
        own = self.frame[self.measure].dropna().index.get_level_values("parameter")
        labels = list(dict.fromkeys(own))
        if parameter not in labels:
            raise SpecError(
                message(
                    f"no power of {parameter!r}{suggestion(str(parameter), labels)}",
                    ", ".join(labels),
                    "name one of these coefficients",
                )
            )
        return parameter

    def plot(self, parameter: str | None = None, *, backend: str = "matplotlib") -> Picture:
        """Draw power and precision along the number of groups; see `plots.study_curves`.

        Parameters
        ----------
        parameter
            One coefficient; None draws all but the intercept, side by side.
        backend
            ``"matplotlib"``, ``"plotly"`` or ``"bokeh"``.

        Raises
        ------
        SpecError
            For what is not a coefficient of the plan.
        """
        own = self.frame
        if parameter is not None:
            labels = own.index.get_level_values("parameter")
            own = own[labels == self.known(parameter)]
        return study_curves(own, backend=backend)

    def page(self) -> Page:
        """Return the table."""
        shown = self.frame.dropna(axis=1, how="all")
        labels = shown.index.get_level_values("parameter")
        shown = shown.loc[[not label.startswith(names.INTERCEPT) for label in labels]]
        return Page((Table("Planned studies", shown, self.notes),))


def gather(
    question: Question,
    designs: list[tuple[int, int]],
    found: Mapping[tuple[int, int], Outcome],
    simulations: int,
    width: float | None,
    seed: int,
) -> StudyPlan:
    """Return the plan of what all studies found."""
    import pandas as pd

    drawn = any(isinstance(value, Prior) for value in question.values.values())
    measure = "assurance" if drawn else "power"
    records = {
        (*pair, name): figures(name, values, simulations, width, measure)
        for pair in designs
        for name, values in found[pair][0].items()
    }
    frame = pd.DataFrame.from_dict(records, orient="index")
    frame.index = pd.MultiIndex.from_tuples(records, names=["groups", "size", "parameter"])
    failures = {pair: found[pair][1] for pair in designs if found[pair][1]}
    plan = StudyPlan(frame, simulations, failures, (), seed)
    told = [*notes_of(plan, question), *smallest_designs(plan)]
    return replace(plan, notes=tuple(told))


def notes_of(plan: StudyPlan, question: Question) -> list[str]:
    """Return what the columns are, and which studies were not fitted."""
    measure, simulations = plan.measure, plan.simulations
    percent = f"{100 * question.probability:g} %"
    notes = [
        f"{simulations:,} studies a design by {question.engine.name}, seed {plan.seed}",
        f"{measure}: share of studies whose {percent} interval excludes zero, mcse its error; "
        "width: mean width of the intervals",
    ]
    return notes + [
        f"{sum(why.values())} of {simulations} studies of {J} groups of {n} not fitted "
        f"({max(why, key=lambda each: why[each])}): they count as finding nothing"
        for (J, n), why in plan.failures.items()
    ]


def smallest_designs(plan: StudyPlan) -> list[str]:
    """Return, of every slope, the design of fewest rows that tells it."""
    notes = []
    for name in plan.frame[plan.measure].dropna().index.get_level_values("parameter").unique():
        if name != names.INTERCEPT:
            best = plan.smallest(name)
            said = "no design" if best is None else f"{best[0]} groups of {best[1]}"
            notes.append(f"{name}: fewest rows with a {plan.measure} of {ENOUGH:.0%}: {said}")
    return notes


def figures(
    name: str, values: Array, simulations: int, width: float | None, measure: str
) -> dict[str, float]:
    """Return one row: studies that were not fitted find nothing, and are left out elsewhere."""
    estimate, lower, upper, truth = values.T
    error = estimate - truth
    row = dict.fromkeys((measure, "mcse", "width", "precise", "coverage"), np.nan)
    if np.isfinite(lower).all():
        if "[" not in name or not name.startswith(("sd_", "corr_")):
            p = float(((lower > 0) | (upper < 0)).sum()) / simulations
            row |= {measure: p, "mcse": float(np.sqrt(p * (1 - p) / simulations))}
        row |= {
            "width": float((upper - lower).mean()),
            "coverage": float(((lower <= truth) & (truth <= upper)).mean()),
        }
        if width is not None:
            row["precise"] = float(((upper - lower) <= width).sum()) / simulations
    return row | {"bias": float(error.mean()), "rmse": float(np.sqrt((error**2).mean()))}
