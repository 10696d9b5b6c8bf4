"""Where each term of a model stands when it is written level by level.

The groupings are a chain of nested levels (level 2 inside level 3 …) and, beside it, the
groupings that cross it. A term stands in the equation of level k if its highest factor lives
there and the rest of it is a term of the model: `x:w` with `w` of the schools is `w` in the
equation of the slope of `x`. Every other term stands in level 1, whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bayesmlm.spec.terms import Predictor, Term

Grouping = tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """A term's equation: its level, the term whose coefficient it predicts, its block.

    `base` is None at level 1; `crossed` is the grouping of a block beside the chain.
    """

    level: int
    base: Term | None = None
    crossed: Grouping | None = None


def chain_of(groupings: Iterable[Grouping]) -> tuple[Grouping, ...]:
    """Return the longest chain of nested groupings, innermost first."""
    ordered = sorted(groupings, key=len)
    longest: dict[Grouping, tuple[Grouping, ...]] = {}
    for grouping in ordered:
        inside = [c for outer, c in longest.items() if set(outer) < set(grouping)]
        longest[grouping] = (grouping, *max(inside, key=len, default=()))
    in_order = [longest[grouping] for grouping in groupings]
    return max(in_order, key=len, default=())


class Placement:
    """The places of a predictor's terms.

    Parameters
    ----------
    mu
        The predictor.
    chain
        Nested groupings, innermost (level 2) first.
    crossed
        The other groupings.
    levels
        The grouping each factor is constant in; level 1 where it is absent.
    """

    def __init__(
        self,
        mu: Predictor,
        chain: tuple[Grouping, ...],
        crossed: tuple[Grouping, ...],
        levels: Mapping[str, Grouping],
    ) -> None:
        self.chain, self.crossed = chain, crossed
        self._level = {frozenset(grouping): k for k, grouping in enumerate(chain, start=2)}
        self._crossed = {frozenset(grouping): grouping for grouping in crossed}
        self._levels = {factor: frozenset(grouping) for factor, grouping in levels.items()}
        self.fixed = mu.fixed
        self.varies: dict[frozenset[str], list[Term]] = {}
        for random in mu.random:
            self.varies.setdefault(frozenset(random.grouping), []).extend(random.effects)
        effects = (effect for random in mu.random for effect in random.effects)
        self.terms = tuple(dict.fromkeys((*mu.fixed, *effects)))
        self._places: dict[Term, Place] = {}

    def place(self, term: Term) -> Place:
        """Return where a term stands."""
        if term not in self._places:
            self._places[term] = self._find(term)
        return self._places[term]

    def random_levels(self, term: Term) -> list[int]:
        """Return the levels of the chain at which a term's coefficient varies."""
        return [k for g, k in self._level.items() if term in self.varies.get(g, ())]

    def varies_over(self, term: Term, grouping: Grouping) -> bool:
        """Return whether a term's coefficient varies over a grouping."""
        return term in self.varies.get(frozenset(grouping), ())

    def placed(self, level: int, base: Term | None, crossed: Grouping | None = None) -> list[Term]:
        """Return the terms in one equation, in the model's order."""
        wanted = Place(level, base, crossed)
        return [t for t in self.terms if not t.is_intercept and self.place(t) == wanted]

    def _find(self, term: Term) -> Place:
        beside = {
            self._crossed[where]
            for factor in term.factors
            if (where := self._levels.get(factor, frozenset())) in self._crossed
        }
        if any(self.varies_over(term, grouping) for grouping in self.crossed):
            return Place(1)
        tops = [self._factor_level(factor) for factor in term.factors]
        top = max(tops, default=1)
        if beside:
            return self._find_crossed(term, beside) if top == 1 else Place(1)
        if top == 1 or any(level <= top for level in self.random_levels(term)):
            return Place(1)
        pairs = zip(term.factors, tops, strict=True)
        base = Term(tuple(factor for factor, level in pairs if level < top))
        if base not in self.terms or self.place(base).crossed is not None:
            return Place(1)
        return Place(top, base)

    def _find_crossed(self, term: Term, beside: set[Grouping]) -> Place:
        grouping = next(iter(beside))
        rest = [f for f in term.factors if self._levels.get(f) not in self._crossed]
        base = Term(tuple(rest))
        alone = len(beside) == 1 and not self.random_levels(term)
        if alone and base in self.terms and self.place(base) == Place(1):
            return Place(2, base, grouping)
        return Place(1)

    def _factor_level(self, factor: str) -> int:
        return self._level.get(self._levels.get(factor, frozenset()), 1)
