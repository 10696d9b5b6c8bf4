"""One switch for the words of tables and equations: whose textbook is on the desk."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import TracebackType

from bayesmlm.errors import StatisticError, message, suggestion

_GREEK = {"a": "α", "b": "β", "g": "γ", "d": "δ", "p": "π", "t": "θ", "k": "κ", "m": "μ", "h": "η"}
_LABEL = re.compile(r"([a-zA-Z])_?(\d[\d_]*)")


@dataclass(frozen=True)
class Vocabulary:
    """The words for the parts of a model.

    Parameters
    ----------
    name
        What `vocabulary` calls it.
    fixed, random, variance
        Titles of the tables: coefficients, effects of a grouping (``{group}``), variances.
    greek
        Whether coefficients and variances are called by their Greek letters.
    notation
        Of the equations in LaTeX: ``"raudenbush-bryk"`` or ``"gelman-hill"``.
    """

    name: str
    fixed: str
    random: str
    variance: str
    greek: bool
    notation: str

    def coefficient(self, label: str) -> str:
        """Return a coefficient's label as tables show it: ``g01`` or γ₀₁."""
        found = _LABEL.fullmatch(label)
        if not self.greek or found is None:
            return label
        digits = "".join(chr(0x2080 + int(d)) if d.isdecimal() else "," for d in found[2])
        return _GREEK.get(found[1], found[1]) + digits


VOCABULARIES = {
    words.name: words
    for words in (
        Vocabulary(
            "fixed/random",
            "Fixed effects",
            "Random effects by {group}",
            "Variance components",
            False,
            "raudenbush-bryk",
        ),
        Vocabulary(
            "population/group",
            "Population-level effects",
            "Group-level effects of {group}",
            "Group-level and residual standard deviations",
            False,
            "gelman-hill",
        ),
        Vocabulary(
            "levels",
            "Coefficients by level, γ",
            "Level-2 and higher effects u by {group}",
            "Variances by level, τ and σ²",
            True,
            "raudenbush-bryk",
        ),
    )
}

_chosen = {"now": VOCABULARIES["fixed/random"]}


class Switch:
    """What `vocabulary` returns: in a ``with`` statement it switches back at the end."""

    def __init__(self, before: Vocabulary, now: Vocabulary) -> None:
        self.before, self.now = before, now

    def __enter__(self) -> Vocabulary:
        return self.now

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _chosen["now"] = self.before

    def __repr__(self) -> str:
        return f"<vocabulary {self.now.name!r}>"


def vocabulary(name: str) -> Switch:
    """Choose the words of tables and equations made from now on.

    Parameters
    ----------
    name
        ``"fixed/random"`` (the default): fixed effects, random effects, variance components.
        ``"population/group"``: population-level and group-level effects, and equations in
        the notation of Gelman and Hill. ``"levels"``: coefficients and variances by level,
        called γ, τ and σ², as in Raudenbush and Bryk.

    Raises
    ------
    StatisticError
        For another name.

    Examples
    --------
    >>> import bayesmlm as mlm
    >>> with mlm.vocabulary("levels"):  # doctest: +SKIP
    ...     print(fit.summary())
    >>> mlm.vocabulary("population/group")  # from here on
    <vocabulary 'population/group'>
    >>> mlm.vocabulary("fixed/random")
    <vocabulary 'fixed/random'>
    """
    before, now = _chosen["now"], words(name)
    _chosen["now"] = now
    return Switch(before, now)


def words(name: str | None = None) -> Vocabulary:
    """Return a vocabulary by its name; None gives the one chosen."""
    if name is None:
        return _chosen["now"]
    if name not in VOCABULARIES:
        raise StatisticError(
            message(
                f"vocabulary {name!r}{suggestion(str(name), VOCABULARIES)}",
                ", ".join(map(repr, VOCABULARIES)),
                "pass one of these names",
            )
        )
    return VOCABULARIES[name]
