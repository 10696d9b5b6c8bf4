"""`equations()`: the textbook's level-1, level-2, … equations, read into a ModelSpec.

The combined model is found by substitution: each coefficient carries the term that it
multiplies once everything above it is put in, and those that nothing models are fixed.
"""

from __future__ import annotations

from itertools import chain

from bayesmlm.errors import SpecError, suggestion
from bayesmlm.spec.blocks import Block, Equation, blocks
from bayesmlm.spec.formula import parameter_predictor
from bayesmlm.spec.outcome import Outcome, outcome
from bayesmlm.spec.substitution import (
    Coefficient,
    RandomEffect,
    check_names,
    fixed_coefficients,
    refuse,
    substitute,
)
from bayesmlm.spec.terms import Declarations, ModelSpec, Predictor, RandomTerm, Response


def equations(text: str, **parameters: str) -> ModelSpec:
    """Read a model from its level-wise equations.

    Parameters
    ----------
    text
        A header a level (``level 1:``, ``level 2 (school):``) and the equations under it.
    **parameters
        A formula for each further parameter of the family, such as ``sigma="~ x"``.

    Returns
    -------
    ModelSpec
        The model that :func:`formula` reads from the combined form, with the user's labels
        and levels in `declared`.

    Raises
    ------
    SpecError
        If the text is not in the language.

    Examples
    --------
    >>> spec = equations('''
    ...     level 1:          y = b0 + b1*x + r
    ...     level 2 (school): b0 = g00 + g01*w + u0
    ...                       b1 = g10 + u1
    ... ''')
    >>> [str(term) for term in spec.response.mu.fixed]
    ['Intercept', 'w', 'x']
    """
    read = blocks(text)
    first = _level_1(read)
    response = outcome(first.equations[0].left)
    _check_residual(first.equations[0], response)
    coefficients, random = substitute(read, first)
    check_names(read, response, coefficients, random)
    groupings = _groupings(read, coefficients)
    fixed = tuple(sorted(fixed_coefficients(coefficients), key=lambda c: len(c.term.factors)))
    mu = Predictor(
        tuple(c.term for c in fixed),
        tuple(chain.from_iterable(_random_terms(b, groupings[b], random) for b in read)),
        first.equations[0].offset,
    )
    value = Response(
        response.column,
        (("mu", mu), *((name, parameter_predictor(name, own)) for name, own in parameters.items())),
        family=response.family,
        link=response.link,
        additions=response.additions,
        family_declared=True,
    )
    return ModelSpec((value,), _declarations(read, groupings, coefficients, fixed, random))


def _level_1(read: tuple[Block, ...]) -> Block:
    first = read[0]
    if len(first.equations) != 1:
        raise refuse(
            f"{len(first.equations)} equations at level 1",
            "one equation for the response",
            "an equation goes on over lines that end in + or begin with +",
        )
    return first


def _check_residual(equation: Equation, response: Outcome) -> None:
    named = "se" in dict(response.additions)
    if response.family == "gaussian" and not named and equation.random is None:
        raise refuse(
            f"no level-1 residual in the equation of {response.column}",
            "a gaussian response has a residual, unless se() states its known SD",
            "add one: … + r",
        )
    if equation.random is not None and (response.family != "gaussian" or named):
        why = "se() states its SD" if named else f"the {response.family} family has none"
        raise refuse(
            f"the level-1 residual {equation.random!r}, but {why}",
            "a residual at level 1 of a gaussian response without se() only",
            "remove it; for a gaussian model of a transformed response write identity(log(y))",
        )


def _groupings(
    read: tuple[Block, ...], coefficients: list[Coefficient]
) -> dict[Block, tuple[str, ...]]:
    """Return each block's grouping: nested in the block that models its coefficients."""
    groupings: dict[Block, tuple[str, ...]] = {}
    for block in reversed(read):
        parents = dict.fromkeys(
            parent for c in coefficients if c.block is block for parent in c.modelled_by
        )
        if len(parents) > 1 and block.number > 1:
            titles = " and ".join(repr(parent.title) for parent in parents)
            raise refuse(
                f"{titles} both model coefficients of '{block.title}'",
                "groups that nest in one group of the level above",
                "write crossed groups as blocks of level 2: level 2 (other):, b0 = v0",
            )
        outer = groupings[next(iter(parents))] if parents and block.number > 1 else ()
        groupings[block] = outer + tuple(name for name in block.group if name not in outer)
    seen: dict[frozenset[str], Block] = {}
    for block in read[1:]:
        other = seen.setdefault(frozenset(groupings[block]), block)
        if other is not block:
            raise refuse(
                f"'{other.title}' and '{block.title}' are one grouping",
                "a grouping of its own for each block",
                "put their equations in one block",
            )
    return groupings


def _random_terms(
    block: Block, grouping: tuple[str, ...], random: list[RandomEffect]
) -> list[RandomTerm]:
    """Return a block's random terms: correlated, but for covariances stated zero."""
    mine = [effect for effect in random if effect.block is block]
    names = [effect.name for effect in mine]
    for name in sorted({name for pair in block.independent for name in pair}):
        if name not in names:
            raise _no_effect(f"cov() of {name!r}", name, block, names, "name two of them")
    for stated, _, _ in block.distributions:
        for name in stated:
            if name not in names:
                raise _no_effect(f"dist() of {name!r}", name, block, names, "name some of them")
    terms: list[RandomTerm] = []
    left = list(mine)
    while left:
        together = [e for e in left if frozenset((left[0].name, e.name)) not in block.independent]
        for effect in together:
            apart = {e.name for e in left if frozenset((effect.name, e.name)) in block.independent}
            if apart != {e.name for e in left if e not in together}:
                raise _incomplete(block, names)
        kind, points = _distribution(block, [effect.name for effect in together])
        effects = tuple(effect.term for effect in together)
        terms.append(RandomTerm(effects, grouping, distribution=kind, points=points))
        left = [e for e in left if e not in together]
    return terms


def _no_effect(got: str, name: str, block: Block, names: list[str], step: str) -> SpecError:
    return refuse(
        f"{got}, which is no random effect of '{block.title}:'" + suggestion(name, names),
        f"random effects of the block: {', '.join(names) or 'none'}",
        step,
    )


def _distribution(block: Block, names: list[str]) -> tuple[str, int | None]:
    """Return the distribution of correlated effects, stated once or for each of them."""
    stated = {name: own[1:] for own in block.distributions for name in own[0]}
    repeated = len(stated) < sum(len(own[0]) for own in block.distributions)
    found = {stated.get(name, ("normal", None)) for name in names}
    if repeated or len(found) > 1:
        raise refuse(
            f"dist() of {', '.join(names)} in '{block.title}:', which are correlated",
            "one distribution for all effects that are correlated, stated once",
            f"write dist({', '.join(names)}) = student",
        )
    return next(iter(found))


def _incomplete(block: Block, names: list[str]) -> SpecError:
    zero = ", ".join(f"cov({', '.join(sorted(pair))})" for pair in block.independent)
    return refuse(
        f"{zero} = 0 in '{block.title}:' with the random effects {', '.join(names)}",
        "zeros that leave sets of effects, all correlated inside and none between the sets",
        "state the zero covariances between the sets that are missing",
    )


def _declarations(
    read: tuple[Block, ...],
    groupings: dict[Block, tuple[str, ...]],
    coefficients: list[Coefficient],
    fixed: tuple[Coefficient, ...],
    random: list[RandomEffect],
) -> Declarations:
    residual = read[0].equations[0].random
    bare = [e.intercept for block in read for e in block.equations]
    bare += [e.random for block in read for e in block.equations]
    levels_of = [
        (factor, groupings[block])
        for block in read[1:]
        for equation in block.equations
        for _, term in equation.slopes
        for factor in term.factors
    ]
    return Declarations(
        coefficients=tuple((c.term, c.label) for c in fixed),
        random_names=tuple((":".join(groupings[r.block]), r.term, r.name) for r in random),
        residual_name=residual,
        levels=tuple((block.number, groupings[block]) for block in read[1:]),
        levels_of=tuple(dict.fromkeys(levels_of)),
        labels=tuple((groupings[c.block], c.term, c.label) for c in coefficients),
        bare_names=tuple(name for name in bare if name is not None),
    )
