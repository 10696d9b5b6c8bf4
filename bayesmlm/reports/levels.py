"""Tables by level, as HLM prints them: predictors under the coefficient that they explain."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from bayesmlm.reports.table import Table
from bayesmlm.reports.vocabulary import Vocabulary
from bayesmlm.result import FitResult
from bayesmlm.spec.levelwise import Levelwise, Line, levelwise
from bayesmlm.spec.symbols import digits
from bayesmlm.spec.terms import INTERCEPT, INTERCEPT_LABEL, ModelSpec, Term
from bayesmlm.summaries import fixef

if TYPE_CHECKING:
    import pandas as pd

Leaf = tuple[str, Term, Term]
"""Label of a fixed coefficient, its term in its own equation, and in the combined model."""


class Column(NamedTuple):
    """A coefficient: its name, that in its equation, and of the column that it multiplies.

    ``x[T.b]:w`` in the equation of the slope of x is ``w``, and multiplies ``x[T.b]``.
    """

    name: str
    own: str
    outer: str


def sections(written: Levelwise) -> list[tuple[str | None, Term, list[Leaf]]]:
    """Return the fixed coefficients under the coefficient whose equation they stand in.

    Returns
    -------
    list
        Of (label, its term, leaves); the label is None for level 1 itself. A coefficient
        of a coefficient follows it.
    """
    lines = [(line.left, line) for line in written.lines]
    modelled = {left for left, _ in lines}
    found: list[tuple[str | None, Term, list[Leaf]]] = []

    def born(line: Line, product: Term) -> Iterator[Leaf]:
        if line.intercept is not None:
            yield line.intercept, INTERCEPT, product
        for slope in line.slopes:
            yield slope.label, slope.term, slope.product

    def visit(label: str | None, product: Term, leaves: list[Leaf]) -> None:
        own = [leaf for leaf in leaves if leaf[0] not in modelled]
        if own:
            found.append((label, product, own))
        for inner, _, whole in leaves:
            if inner in modelled:
                below = [
                    leaf for left, line in lines if left == inner for leaf in born(line, whole)
                ]
                visit(inner, whole, below)

    visit(None, INTERCEPT, list(born(written.first, INTERCEPT)))
    return found


def columns_of(result: FitResult, term: Term, within: Term) -> list[Column]:
    """Return the coefficients of a term, several for a factor.

    Parameters
    ----------
    result
        The fit.
    term
        The term in the combined model.
    within
        The same in the equation where it stands: ``w`` of ``x:w`` under the slope of x.
    """
    fixed = result.design.fixed
    return [
        Column(name, *divided(name, fixed.terms[at].factors, within))
        for name, at in zip(fixed.columns, fixed.term_of, strict=True)
        if fixed.terms[at] == term
    ]


def divided(name: str, factors: tuple[str, ...], within: Term) -> tuple[str, str]:
    """Return a coefficient's name in its equation, and that of the column which it multiplies.

    A name that does not divide is whole in the first.
    """
    if not factors:
        return INTERCEPT_LABEL, ""
    parts = split_factors(name)
    if len(parts) != len(factors):
        return (INTERCEPT_LABEL, name) if within.is_intercept else (name, "")
    pairs = list(zip(parts, factors, strict=True))
    own = ":".join(part for part, each in pairs if each in within.key)
    outer = ":".join(part for part, each in pairs if each not in within.key)
    return own or INTERCEPT_LABEL, outer


def split_factors(name: str) -> list[str]:
    """Split a coefficient's name at the colons between factors, not those of a category."""
    parts, depth = [""], 0
    for letter in name:
        depth += (letter == "[") - (letter == "]")
        if letter == ":" and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def level_table(result: FitResult, probability: float, words: Vocabulary, base: Table) -> Table:
    """Return the table of fixed effects, by the equations that they stand in.

    Parameters
    ----------
    result
        The fit.
    probability
        Of the intervals.
    words
        The vocabulary.
    base
        The same as a flat table, whose title and notes are kept.
    """
    import pandas as pd

    written = levelwise(result.spec, result.design.factor_levels)
    labels: list[tuple[str, str]] = []
    columns: list[str] = []
    headings: list[tuple[int, tuple[str, ...]]] = []
    for label, product, leaves in sections(written):
        born = [
            (leaf, each) for leaf, own, whole in leaves for each in columns_of(result, whole, own)
        ]
        for outer in dict.fromkeys(each.outer for _, each in born):
            headings.append((len(labels), heading(label, product, outer, words)))
            for leaf, each in born:
                if each.outer == outer:
                    columns.append(each.name)
                    labels.append((words.coefficient(leaf), each.own))
    ordered = fixef(result, probability).loc[columns]
    index = pd.MultiIndex.from_tuples(labels, names=["", "coefficient"])
    frame = ordered.set_axis(index)
    return replace(base, frame=frame, headings=tuple(headings))


def in_words(
    text: str, spec: ModelSpec, levels: Mapping[str, tuple[str, ...]], words: Vocabulary
) -> str:
    """Return equations with the vocabulary's labels of coefficients and effects."""
    if not words.greek:
        return text
    written = levelwise(spec, levels)
    lines = (written.first, *written.lines)
    labels = {slope.label for line in lines for slope in line.slopes}
    labels |= {name for line in lines for name in (line.intercept, line.random) if name}
    labels |= {line.left for line in written.lines}
    known = "|".join(sorted(map(re.escape, labels), key=len, reverse=True))
    return re.sub(rf"\b(?:{known})\b", lambda found: words.coefficient(found.group()), text)


def heading(label: str | None, product: Term, outer: str, words: Vocabulary) -> tuple[str, ...]:
    """Return the heading of a section, for a factor of one of its columns."""
    if label is None:
        return ("level 1",)
    what = "intercept" if product.is_intercept else f"slope of {outer or product}"
    return f"for {words.coefficient(label)}", what


def named_variances(result: FitResult, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table of variance components with levels and the names τ and σ²."""
    import pandas as pd

    written = levelwise(result.spec, result.design.factor_levels)
    names: dict[tuple[str, str], str] = {}
    number: dict[str, int] = {}
    for block in written.blocks:
        group = ":".join(block.grouping)
        number[group] = block.number
        for line in block.lines:
            if line.random is not None:
                at = digits(line.random)
                names[group, str(line.product)] = subscript("τ", f"{at}{at}")
    index = []
    for group, effect in frame.index:
        level = f"level {number[group]}: {group}" if group in number else "level 1"
        symbol = names.get((group, effect), "σ²" if group not in number else "τ")
        index.append((level, f"{symbol} {effect}".strip()))
    return frame.set_axis(pd.MultiIndex.from_tuples(index, names=["level", "effect"]))


def subscript(letter: str, numbers: str) -> str:
    """Return a letter with digits below it; without digits the letter alone."""
    return letter + "".join(chr(0x2080 + int(d)) for d in numbers if d.isdecimal())
