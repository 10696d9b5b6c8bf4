"""Labels for rendered equations: the user's where equations declared them, else the textbook's.

Two levels: b0, g00, u0, r. Three: p0, b00, g000, r0, u00, e. A second group: h01, v0.
"""

from __future__ import annotations

from bayesmlm.spec.expression import variables
from bayesmlm.spec.terms import Declarations, ModelSpec, Response, Term

_COEFFICIENTS = "cmkapbg"
_FURTHER = (("aqzdt", "wζδε"), ("sflck", "zζδε"))
_CROSSED_COEFFICIENT = "h"
_RANDOM = {2: "u", 3: "ru", 4: "ruv"}
_MANY_RANDOM = "ruvδ"

Path = tuple[int, ...]


class Namer:
    """Gives each coefficient and random effect a name that nothing else has.

    Parameters
    ----------
    spec
        The model; its declared labels come first, and its columns are never used.
    levels
        The number of levels, level 1 included.
    further
        Which predictor of a further parameter the names are in, from 1; 0 for the location's.
    taken
        Names in other predictors.
    """

    def __init__(
        self, spec: ModelSpec, levels: int, further: int = 0, taken: frozenset[str] = frozenset()
    ) -> None:
        declared = spec.declared if spec.declared is not None else Declarations()
        declared = Declarations() if further else declared
        self._further = further > 0
        self._letters = _FURTHER[(further - 1) % len(_FURTHER)]
        self.declared = bool(declared.labels)
        self._residual = declared.residual_name
        self._labels = {(frozenset(g), term): name for g, term, name in declared.labels}
        self._random = {
            (frozenset(group.split(":")), term): name for group, term, name in declared.random_names
        }
        self._used = {*_columns(spec), *self._labels.values(), *self._random.values()}
        self._used |= {self._residual} if self._residual is not None else set()
        self._used |= taken
        self._levels = levels

    def coefficient(self, grouping: tuple[str, ...], term: Term, level: int, path: Path) -> str:
        """Return the name of a coefficient born at a level of the chain."""
        alphabet = self._letters[0] if self._further else _COEFFICIENTS
        letters = alphabet[-max(self._levels, 2) :]
        letter = letters[min(level - 1, len(letters) - 1)]
        return self._coefficient(grouping, term, letter, path)

    def crossed_coefficient(self, grouping: tuple[str, ...], term: Term, path: Path) -> str:
        """Return the name of a coefficient in a block beside the chain."""
        return self._coefficient(grouping, term, _CROSSED_COEFFICIENT, path)

    def random(self, grouping: tuple[str, ...], term: Term, level: int, path: Path) -> str:
        """Return the name of a random effect on a level of the chain."""
        letters = _RANDOM.get(self._levels, _MANY_RANDOM)
        letters = self._letters[1] if self._further else letters
        letter = letters[min(level - 2, len(letters) - 1)]
        return self._effect(grouping, term, letter, path)

    def crossed_random(self, grouping: tuple[str, ...], term: Term, number: int, path: Path) -> str:
        """Return the name of a random effect of the block beside the chain with a number."""
        letters = "vζδε" if self._levels < 4 and not self._further else "ζδε"
        return self._effect(grouping, term, letters[min(number, len(letters) - 1)], path)

    def residual(self, response: Response) -> str | None:
        """Return the residual's name; None where the response has no residual."""
        known = response.addition("se") is not None
        if response.family != "gaussian" or known or self._further:
            return None
        if self._residual is None:
            self._residual = self._free("r" if self._levels < 3 else "e", "0")
        return self._residual

    def renames(self, grouping: tuple[str, ...], term: Term) -> bool:
        """Return whether a coefficient nothing models gets an equation: b1 = g10."""
        return not self.declared or (frozenset(grouping), term) in self._labels

    def _coefficient(self, grouping: tuple[str, ...], term: Term, letter: str, path: Path) -> str:
        known = self._labels.get((frozenset(grouping), term))
        return known if known is not None else self._free(letter + _digits(path), "_")

    def _effect(self, grouping: tuple[str, ...], term: Term, letter: str, path: Path) -> str:
        known = self._random.get((frozenset(grouping), term))
        return known if known is not None else self._free(letter + _digits(path, ""), "0")

    def _free(self, name: str, filler: str) -> str:
        while name in self._used:
            name += filler
        self._used.add(name)
        return name


def _digits(path: Path, between: str = "_") -> str:
    """Return a path as digits, set apart where one of them has two."""
    return (between if any(step > 9 for step in path) else "").join(str(step) for step in path)


def _columns(spec: ModelSpec) -> set[str]:
    """Return every column that a model names."""
    found: set[str] = set()
    for response in spec.responses:
        expressions = [response.column, *(value for _, value in response.additions)]
        for _, predictor in response.predictors:
            expressions += predictor.offset
            terms = [*predictor.fixed, *(e for r in predictor.random for e in r.effects)]
            expressions += [factor for term in terms for factor in term.factors]
            found.update(name for random in predictor.random for name in random.grouping)
        found.update(name for expression in expressions for name in variables(expression))
    return found
