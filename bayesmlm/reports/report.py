"""One page with everything about a fit, in one file: no network, no script, pictures inside."""

from __future__ import annotations

import base64
import importlib.metadata
from collections.abc import Callable
from functools import partial
from html import escape

from bayesmlm import __version__
from bayesmlm.checks import Check
from bayesmlm.errors import StatisticError
from bayesmlm.plots import Picture, Plots
from bayesmlm.priors import describe_priors
from bayesmlm.reports.equations import NOTATIONS, Equations
from bayesmlm.reports.mathml import mathml
from bayesmlm.reports.style import STYLE
from bayesmlm.reports.summary import described, estimates, summary
from bayesmlm.reports.table import Page, Table
from bayesmlm.reports.vocabulary import words
from bayesmlm.result import FitResult
from bayesmlm.summaries import icc, ranef
from bayesmlm.summaries.maximum import ERRORS

TITLES = {"raudenbush-bryk": "Raudenbush and Bryk", "gelman-hill": "Gelman and Hill"}
LAWS = {"normal": "normal", "student": "Student-t", "points": "one of a few mass points"}
"""Distributions of effects in words."""

LIBRARIES = ("numpy", "pymc", "nutpie", "arviz")

Section = tuple[str, str]
"""A heading and what stands below it, in HTML."""


def report(result: FitResult, convergence: Check, equations: Equations, probability: float) -> str:
    """Return the page of a fit as HTML.

    Parameters
    ----------
    result
        The fit.
    convergence
        Whether to trust it.
    equations
        With its estimates.
    probability
        Of the intervals.
    """
    sections = [
        ("The model", model_section(equations)),
        ("Results", results_section(result, convergence, probability)),
        ("Pictures", pictures_section(result, probability)),
        ("What was assumed", assumptions_section(result)),
        ("Can it be trusted?", f"<pre>{escape(str(convergence))}</pre>{provenance(result)}"),
    ]
    return page(f"{equations.formula}", sections)


def page(title: str, sections: list[Section]) -> str:
    """Return a whole HTML page."""
    links = "".join(f'<a href="#part-{k}">{name}</a>' for k, (name, _) in enumerate(sections))
    body = "".join(
        f'<section id="part-{k}"><h2>{name}</h2>{inside}</section>'
        for k, (name, inside) in enumerate(sections)
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><h1>{escape(title)}</h1><nav>{links}</nav>{body}</body></html>\n"
    )


def model_section(equations: Equations) -> str:
    """Return the equations in both notations, and with their estimates."""
    parts = []
    for notation in NOTATIONS:
        parts.append(f"<h3>In the notation of {TITLES[notation]}</h3>")
        parts.append(formula(equations.latex(notation=notation)))
    parts.append("<h3>Combined</h3>")
    parts.append(f"<pre>{escape(equations.combined)}</pre>")
    if equations.estimates is not None:
        parts.append("<h3>With estimates</h3>")
        parts.append(f"<pre>{escape(equations.estimates.text)}</pre>")
        parts.append("<p>In brackets posterior SDs, or standard errors.</p>")
    return "".join(parts)


def formula(latex: str) -> str:
    """Return a formula that scrolls where it is wide."""
    return f'<div class="formula">{mathml(latex)}</div>'


def results_section(result: FitResult, convergence: Check, probability: float) -> str:
    """Return the tables."""
    tables = tables_of(summary(result, convergence, probability))
    if result.design.random:
        try:
            tables.append(
                estimates("Intraclass correlation", icc(result, probability), probability)
            )
        except StatisticError as error:
            note = f"<p>{escape(str(error))}</p>"
            return "".join(map(framed, tables)) + note + effects_of(result, probability)
    return "".join(map(framed, tables)) + effects_of(result, probability)


def effects_of(result: FitResult, probability: float) -> str:
    """Return the tables of random effects, folded: they are long."""
    parts = []
    for block in result.design.random:
        title = words().random.format(group=block.name)
        table = estimates(title, ranef(result, block.name, probability), probability)
        parts.append(f"<details><summary>{escape(title)}</summary>{framed(table)}</details>")
    return "".join(parts)


def tables_of(page: Page) -> list[Table]:
    """Return the tables of a page."""
    return [part for part in page.parts if isinstance(part, Table)]


def framed(table: Table) -> str:
    """Return a table that scrolls where the window is narrow."""
    return f'<div class="table">{table.html()}</div>'


def pictures_section(result: FitResult, probability: float) -> str:
    """Return every picture that this fit has; of the others, why not."""
    plots = Plots(result)
    parts, missing = [], []
    for name, make in wanted(plots, probability).items():
        try:
            picture = make()
        except StatisticError as error:
            missing.append(f"<li>{escape(name)}: {escape(str(error).splitlines()[0])}</li>")
            continue
        data = base64.b64encode(picture.png()).decode()
        parts.append(
            f'<figure><img alt="{escape(name)}" src="data:image/png;base64,{data}">'
            f"<figcaption>{escape(name)}</figcaption></figure>"
        )
    left = f"<h3>Not drawn</h3><ul>{''.join(missing)}</ul>" if missing else ""
    return "".join(parts) + left


def wanted(plots: Plots, probability: float) -> dict[str, Callable[[], Picture]]:
    """Return what to draw, by its caption."""
    found: dict[str, Callable[[], Picture]] = {
        "Variance components": partial(plots.variance_components, probability),
        "Explained variance": partial(plots.r2, probability),
        "Where the variance comes from": plots.rights_sterba,
    }
    for block in plots.result.design.random:
        group = block.name
        found |= {
            f"Groups in order: {group}": partial(plots.caterpillar, group, None, probability),
            f"Shrinkage: {group}": partial(plots.shrinkage, group),
            f"Regression lines: {group}": partial(plots.lines, group),
            f"New groups of the population: {group}": partial(plots.spaghetti, group),
            f"Variance along a predictor: {group}": partial(plots.variance_function, group),
            f"Within and between: {group}": partial(plots.within_between, group),
            f"Are the effects normal: {group}": partial(plots.qq, group),
            f"Effects together: {group}": partial(plots.scatter_matrix, group),
        }
    return found | {"Prior and posterior": plots.prior_posterior}


def assumptions_section(result: FitResult) -> str:
    """Return what the model takes for granted, and its priors with what they imply."""
    design = result.design
    lines = [
        f"Given its predictors and groups the outcome is {design.family.name}, "
        f"{design.family.link.name} link, and rows are independent.",
        *(
            f"The effects of {block.name} are {LAWS[block.distribution]} with mean zero, "
            "independent between groups, of one covariance matrix, and unrelated to the predictors."
            for block in design.blocks
        ),
        *(
            f"{mean.x} is normal within {mean.group} about latent means, which are normal."
            for mean in design.latent.means
        ),
        *str(design.levels).splitlines(),
        *design.notes,
    ]
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    if ERRORS in result.tree.children:
        return f"<ul>{items}</ul><p>Priors are ignored: estimates at a maximum.</p>"
    priors = Table("Priors", describe_priors(design, result.priors))
    return f"<ul>{items}</ul>{framed(priors)}"


def provenance(result: FitResult) -> str:
    """Return engine, seed and versions."""
    lines = [described(result), *result.notes]
    versions = [f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES]
    lines.append(", ".join([f"bayesmlm {__version__}", *versions]))
    return "".join(f"<p>{escape(line)}</p>" for line in lines)
