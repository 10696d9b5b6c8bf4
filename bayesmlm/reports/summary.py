"""The summary of a fit: what was fitted, the tables, and whether to trust them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesmlm import names
from bayesmlm.checks import Check
from bayesmlm.design import ParameterDesign
from bayesmlm.reports.levels import in_words, level_table, named_variances
from bayesmlm.reports.table import Page, Table
from bayesmlm.reports.vocabulary import Vocabulary
from bayesmlm.reports.vocabulary import words as chosen
from bayesmlm.result import FitResult
from bayesmlm.spec.render import combined_text
from bayesmlm.summaries import (
    fixef,
    formula_parameters,
    further_parameters,
    latent_means,
    variance_components,
)
from bayesmlm.summaries.draws import PROBABILITY
from bayesmlm.summaries.maximum import ERRORS

if TYPE_CHECKING:
    import pandas as pd


def fixed_table(
    result: FitResult, probability: float = PROBABILITY, words: Vocabulary | None = None
) -> Table:
    """Return the table of fixed effects, a row a coefficient."""
    frame = fixef(result, probability).rename_axis("coefficient")
    notes = ("normal approximation at the maximum",) if "se" in frame else ()
    title = (words or chosen()).fixed
    return Table(f"{title} ({percent(probability)} intervals)", frame, notes)


def variance_table(
    result: FitResult, probability: float = PROBABILITY, words: Vocabulary | None = None
) -> Table:
    """Return the table of variance components."""
    words = words or chosen()
    frame = variance_components(result, probability)
    if words.greek:
        frame = named_variances(result, frame)
    notes = []
    if any(len(block.effects) > 1 for block in result.design.random):
        notes.append("share: of the whole grouping, averaged over the rows of the data")
    if frame["lower"].isna().all():
        notes.append("estimates at the maximum")
        title, frame = words.variance, frame.drop(columns=["lower", "upper"])
    else:
        title = f"{words.variance} ({percent(probability)} intervals)"
        notes.append("variance and SD are posterior means; lower and upper bound the SD")
    return Table(title, frame, tuple(notes))


def further(result: FitResult) -> tuple[str, ...]:
    """Return the further parameters that no other table shows."""
    design = result.design
    shown = {names.SIGMA} if design.family.residual_variance else set()
    return tuple(p.name for p in design.parameters if p.name not in shown)


def further_table(result: FitResult, probability: float = PROBABILITY) -> Table:
    """Return the table of the family's further parameters, thresholds at x = 0."""
    frame = further_parameters(result, further(result), probability)
    return Table(f"Further parameters ({percent(probability)} intervals)", frame)


def latent_table(result: FitResult, probability: float = PROBABILITY) -> Table:
    """Return the table of the submodels of predictors with latent group means."""
    frame = latent_means(result, probability)
    notes = (
        "x = group's latent mean + deviation; beside latent(x, g), within(x, g) is x less it",
        "reliability: tau² / (tau² + sigma² / n), averaged over groups (Lüdtke et al. 2008)",
    )
    return Table(f"Latent group means ({percent(probability)} intervals)", frame, notes)


def formula_table(
    result: FitResult, part: ParameterDesign, probability: float = PROBABILITY
) -> Table:
    """Return the table of the formula of a further parameter, on the scale of its link."""
    frame = formula_parameters(result, part, probability)
    return Table(f"Formula of {part.sentence} ({percent(probability)} intervals)", frame)


def summary(
    result: FitResult,
    convergence: Check,
    probability: float = PROBABILITY,
    words: Vocabulary | None = None,
) -> Page:
    """Return the summary page of a fit, its coefficients by level."""
    words = words or chosen()
    design = result.design
    levels = str(design.levels).splitlines()
    head = [
        f"{design.family.name} model, {design.family.link.name} link: "
        + in_words(
            combined_text(result.spec, design.factor_levels),
            result.spec,
            design.factor_levels,
            words,
        ),
        *levels,
        *design.notes,
    ]
    parts: list[object] = ["\n".join(head)]
    if design.coef:
        flat = fixed_table(result, probability, words)
        parts.append(level_table(result, probability, words, flat))
    if design.random or (design.estimates_scale and design.family.residual_variance):
        parts.append(variance_table(result, probability, words))
    if further(result):
        parts.append(further_table(result, probability))
    if design.latent.means:
        parts.append(latent_table(result, probability))
    parts += [
        formula_table(result, part, probability)
        for part in design.further
        if part.coef or part.random
    ]
    parts.append("\n".join([described(result), *result.notes]))
    parts.append(str(convergence))
    return Page(tuple(parts))


def estimates(
    title: str, frame: pd.DataFrame, probability: float, notes: tuple[str, ...] = ()
) -> Table:
    """Return a table of posterior summaries; of a maximum, of estimates alone."""
    if frame["lower"].isna().all():
        point = frame.drop(columns=["sd", "lower", "upper"]).rename(columns={"mean": "estimate"})
        return Table(title, point, (*notes, "estimates at the maximum"))
    return Table(f"{title} ({percent(probability)} intervals)", frame, notes)


def percent(probability: float) -> str:
    """Return a probability as a percentage."""
    return f"{100 * probability:g} %"


def described(result: FitResult) -> str:
    """Return engine, seed and seconds; nothing is random in a maximum."""
    seed = "" if ERRORS in result.tree.children else f", seed {result.seed}"
    return f"{result.engine}{seed}, {sum(result.seconds.values()):.1f} s"
