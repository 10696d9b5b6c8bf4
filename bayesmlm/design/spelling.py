"""Terms as formulaic reads them: odd column names under an alias, categories written out.

formulaic reads `` `1` `` as the intercept, does not find a column whose name Python folds into
another, and calls a column named `log` as the function. So such names, all that stand in
backticks among them, go to formulaic under an alias, and `C(number)` with its categories stated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bayesmlm.spec.expression import FUNCTIONS, name_text, variables
from bayesmlm.spec.terms import Term

_NAME = re.compile(r"'[^']*'|\"[^\"]*\"|`([^`]+)`|(?<![\w.])([^\W\d]\w*)(?![\w(.=])")


@dataclass(frozen=True)
class Spelling:
    """How terms are written for formulaic.

    Parameters
    ----------
    terms
        The text of each term.
    columns
        The data columns used, and the name of each in the frame that formulaic gets.
    stated
        Factors with their categories stated, and the same without.
    """

    terms: tuple[str, ...]
    columns: Mapping[str, str]
    stated: Mapping[str, str]

    def original(self, name: str) -> str:
        """Return formulaic's name of a column of the matrix as the user would write it."""
        for spelled, plain in self.stated.items():
            name = name.replace(spelled, plain)
        for column, alias in self.columns.items():
            if alias != column:
                name = re.sub(rf"(?<![^:]){alias}(?=$|:|\[)", column.replace("\\", r"\\"), name)
                name = name.replace(alias, name_text(column))
        return name


def spell(terms: tuple[Term, ...], coded: Mapping[str, tuple[Any, ...]]) -> Spelling:
    """Write terms for formulaic.

    Parameters
    ----------
    terms
        The terms.
    coded
        The categories of each factor ``C(column)`` whose column holds numbers.
    """
    factors = factors_of(terms)
    aliases: dict[str, str] = {}
    spelled: dict[str, str] = {}
    stated: dict[str, str] = {}

    def alias(match: re.Match[str]) -> str:
        column = match[1] or (match[2] if match[2] in FUNCTIONS else None)
        if column is None:
            return match[0]
        return aliases.setdefault(column, f"bayesmlm_column_{len(aliases)}_")

    for factor in factors:
        text = _NAME.sub(alias, factor)
        spelled[factor] = text
        if factor in coded:
            spelled[factor] = f"{text[:-1]}, levels={list(coded[factor])})"
            stated[spelled[factor]] = text
    used = dict.fromkeys(name for factor in factors for name in variables(factor))
    return Spelling(
        terms=tuple(":".join(spelled[f] for f in term.factors) or "1" for term in terms),
        columns={name: aliases.get(name, name) for name in used},
        stated=stated,
    )


def factors_of(terms: tuple[Term, ...]) -> list[str]:
    """Return the factors of terms, once each."""
    return list(dict.fromkeys(factor for term in terms for factor in term.factors))
