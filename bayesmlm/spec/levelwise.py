"""A model written level by level: what the text and the LaTeX of its equations both print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bayesmlm.errors import SpecError, message
from bayesmlm.spec.naming import Namer
from bayesmlm.spec.placement import Grouping, Placement, chain_of
from bayesmlm.spec.terms import (
    INTERCEPT,
    ModelSpec,
    Predictor,
    RandomTerm,
    Residual,
    Term,
)


@dataclass(frozen=True)
class Slope:
    """A coefficient and its term: as the equation writes it, and in the combined model."""

    label: str
    term: Term
    product: Term


@dataclass(frozen=True)
class Line:
    """One equation: of the response at level 1, of the coefficient `left` above it.

    `product` is the term of the combined model that `left` multiplies.
    """

    left: str
    product: Term
    intercept: str | None
    slopes: tuple[Slope, ...]
    random: str | None


@dataclass(frozen=True)
class LevelBlock:
    """The equations of one level and grouping.

    `header` is what of the grouping the header names; `sets` are the random effects that are
    correlated with each other, `distributions` the distribution of each set, and its points.
    """

    number: int
    grouping: Grouping
    header: Grouping
    nested: bool
    lines: tuple[Line, ...]
    sets: tuple[tuple[str, ...], ...]
    distributions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Levelwise:
    """The equations of a model, lowest level first."""

    first: Line
    offset: tuple[str, ...]
    blocks: tuple[LevelBlock, ...]

    @property
    def names(self) -> frozenset[str]:
        """Every coefficient and random effect."""
        found: list[str | None] = []
        for line in (self.first, *self.lines):
            found += [line.intercept, line.random, *(slope.label for slope in line.slopes)]
        return frozenset(name for name in found if name is not None)

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every equation above level 1."""
        return tuple(line for block in self.blocks for line in block.lines)

    def fixed(self) -> list[tuple[str, Term]]:
        """Return label and term of each fixed coefficient, by degree."""
        born: list[tuple[str, Term]] = []
        for line in (self.first, *self.lines):
            if line.intercept is not None:
                born.append((line.intercept, line.product))
            born += [(slope.label, slope.product) for slope in line.slopes]
        modelled = {line.left for line in self.lines}
        leaves = [(label, term) for label, term in born if label not in modelled]
        return sorted(leaves, key=lambda leaf: len(leaf[1].factors))


def levelwise(spec: ModelSpec, levels: Mapping[str, Grouping] | None = None) -> Levelwise:
    """Write the predictor of a model's location level by level.

    Ordered categories have no intercept, but for the random one: thresholds are in its place.

    Parameters
    ----------
    spec
        The model.
    levels
        The grouping that each factor is constant in, as found in data; without it, the
        levels that equations declared. Every other factor is of level 1.
    """
    mu = _predictor(spec, "mu")
    if spec.response.ordered:
        mu = replace(mu, fixed=tuple(term for term in mu.fixed if term != INTERCEPT))
    declared = spec.declared
    if levels is None:
        levels = dict(declared.levels_of) if declared is not None else {}
    stated = [grouping for _, grouping in declared.levels] if declared is not None else []
    varying = {frozenset(grouping) for grouping in mu.groupings}
    empty = [grouping for grouping in stated if frozenset(grouping) not in varying]
    written = _write(spec, mu, [*mu.groupings, *empty], levels)
    if any(not block.lines for block in written.blocks):
        written = _write(spec, mu, list(mu.groupings), levels)
    return written


def further_levelwise(
    spec: ModelSpec, levels: Mapping[str, Grouping] | None = None
) -> dict[str, Levelwise]:
    """Write the predictors of further parameters level by level, by parameter."""
    taken = levelwise(spec, levels).names
    found: dict[str, Levelwise] = {}
    for number, (name, _) in enumerate(spec.response.further, start=1):
        own = _predictor(spec, name)
        groupings = {frozenset(grouping) for grouping in own.groupings}
        places = {f: g for f, g in (levels or {}).items() if frozenset(g) in groupings}
        found[name] = _write(spec, own, list(own.groupings), places, number, taken)
        taken |= found[name].names
    return found


def refuse_further(spec: ModelSpec) -> None:
    """Refuse predictors of further parameters, which the language of equations lacks."""
    others = [name for response in spec.responses for name, _ in response.further]
    if others:
        raise _refuse(f"a predictor of {', '.join(others)}")


def _predictor(spec: ModelSpec, parameter: str) -> Predictor:
    """Return a predictor, or refuse what has no equations in the language."""
    if len(spec.responses) != 1:
        raise _refuse(f"{len(spec.responses)} responses")
    response = spec.response
    own = dict(response.predictors)[parameter]
    if response.residual != Residual():
        raise _refuse(f"residuals that are {response.residual}")
    for term in own.random:
        plain = RandomTerm(
            term.effects, term.grouping, distribution=term.distribution, points=term.points
        )
        if term != plain:
            raise _refuse(f"the options of the random effects of {term.group}")
    return own


def _write(
    spec: ModelSpec,
    mu: Predictor,
    groupings: list[Grouping],
    levels: Mapping[str, Grouping],
    further: int = 0,
    taken: frozenset[str] = frozenset(),
) -> Levelwise:
    chain = chain_of(groupings)
    crossed = tuple(grouping for grouping in groupings if grouping not in chain)
    namer = Namer(spec, len(chain) + 1, further, taken)
    writer = _Writer(Placement(mu, chain, crossed, levels), namer)
    first = writer.first(spec)
    blocks = [writer.nested(level) for level in range(2, len(chain) + 2)]
    beside = [writer.beside(number, grouping) for number, grouping in enumerate(crossed)]
    blocks = [*blocks[:1], *beside, *blocks[1:]]
    complete = tuple(
        replace(b, sets=_sets(b, mu), distributions=_distributions(b, mu)) for b in blocks
    )
    return Levelwise(first, mu.offset, complete)


def _sets(block: LevelBlock, mu: Predictor) -> tuple[tuple[str, ...], ...]:
    names = {line.product: line.random for line in block.lines if line.random is not None}
    return tuple(
        tuple(name for effect in term.effects if (name := names.get(effect)) is not None)
        for term in mu.random
        if frozenset(term.grouping) == frozenset(block.grouping)
    )


def _distributions(block: LevelBlock, mu: Predictor) -> tuple[str, ...]:
    return tuple(
        term.distribution_text
        for term in mu.random
        if frozenset(term.grouping) == frozenset(block.grouping)
    )


class _Writer:
    """Writes the blocks from the bottom up, and remembers the coefficients below.

    `_below` has, for each term, the coefficient that stands for it on the level last
    written, and the path of positions that led there (1, 0 for γ₁₀).
    """

    def __init__(self, placement: Placement, namer: Namer) -> None:
        self.placement, self.namer = placement, namer
        self._below: dict[Term, tuple[str, tuple[int, ...]]] = {}
        self._level_1: dict[Term, tuple[str, tuple[int, ...]]] = {}

    def first(self, spec: ModelSpec) -> Line:
        """Write level 1."""
        place = self.placement
        bare = INTERCEPT in place.terms
        line = self._line("", INTERCEPT, (), (), 1, bare, place.placed(1, None))
        self._level_1 = dict(self._below)
        return replace(line, random=self.namer.residual(spec.response))

    def nested(self, level: int) -> LevelBlock:
        """Write a block of the chain."""
        place, grouping = self.placement, self.placement.chain[level - 2]
        outer = place.chain[level - 1] if level - 1 < len(place.chain) else ()
        below, self._below = self._below, {}
        lines: list[Line] = []
        for term, (left, path) in below.items():
            varies = place.varies_over(term, grouping)
            if not (self._acts(level, term) or self._passes(level, term, grouping)):
                continue
            bare = term in place.fixed or self._acts(level + 1, term)
            slopes = place.placed(level, term)
            line = self._line(left, term, grouping, path, level, bare, slopes)
            name = self.namer.random(grouping, term, level, path) if varies else None
            lines.append(replace(line, random=name))
        header = tuple(name for name in grouping if name not in outer)
        return LevelBlock(level, grouping, header, bool(outer), tuple(lines), ())

    def beside(self, number: int, grouping: Grouping) -> LevelBlock:
        """Write a block of level 2 that crosses the chain: it adds, without an intercept."""
        place = self.placement
        lines: list[Line] = []
        for term, (left, path) in self._level_1.items():
            slopes = place.placed(2, term, grouping)
            varies = place.varies_over(term, grouping)
            if not slopes and not varies:
                continue
            written = tuple(
                Slope(
                    self.namer.crossed_coefficient(grouping, slope, (*path, position)),
                    _without(slope, term),
                    slope,
                )
                for position, slope in enumerate(slopes, start=1)
            )
            name = self.namer.crossed_random(grouping, term, number, path) if varies else None
            lines.append(Line(left, term, None, written, name))
        return LevelBlock(2, grouping, grouping, False, tuple(lines), ())

    def _line(
        self,
        left: str,
        product: Term,
        grouping: Grouping,
        path: tuple[int, ...],
        level: int,
        bare: bool,
        slopes: list[Term],
    ) -> Line:
        """Write an equation without its random effect, and note its coefficients."""
        intercept = None
        if bare:
            intercept = self.namer.coefficient(grouping, product, level, (*path, 0))
            self._below[product] = intercept, (*path, 0)
        written: list[Slope] = []
        for position, slope in enumerate(slopes, start=1):
            label = self.namer.coefficient(grouping, slope, level, (*path, position))
            self._below[slope] = label, (*path, position)
            written.append(Slope(label, _without(slope, product), slope))
        return Line(left, product, intercept, tuple(written), None)

    def _acts(self, level: int, term: Term) -> bool:
        """Return whether the chain, at a level or above it, models a term's coefficient."""
        place = self.placement
        if any(varying >= level for varying in place.random_levels(term)):
            return True
        tops = range(level, len(place.chain) + 2)
        return any(place.placed(top, term) for top in tops)

    def _passes(self, level: int, term: Term, grouping: Grouping) -> bool:
        """Return whether to write an equation that only renames: b1 = g10."""
        place = self.placement
        if term not in place.fixed:
            return False
        crosses = level == 2 and any(
            place.varies_over(term, other) or place.placed(2, term, other)
            for other in place.crossed
        )
        return crosses or self.namer.renames(grouping, term)


def _without(term: Term, base: Term) -> Term:
    return Term(tuple(factor for factor in term.factors if factor not in base.key))


def _refuse(got: str) -> SpecError:
    return SpecError(
        message(
            f"{got}, which level-wise equations cannot express",
            "one response, its location mu, and random effects with | or ||",
            "write the model as a formula: formula_text(spec)",
        )
    )
