"""Substitution: each level's equations put into the one below."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from bayesmlm.errors import SpecError, message, suggestion
from bayesmlm.spec.blocks import Block, Equation
from bayesmlm.spec.expression import variables
from bayesmlm.spec.outcome import Outcome
from bayesmlm.spec.terms import INTERCEPT, Term


@dataclass
class Coefficient:
    """A coefficient, the term it multiplies in the combined model, and where it is born."""

    label: str
    term: Term
    block: Block
    modelled_by: list[Block] = field(default_factory=list)


@dataclass(frozen=True)
class RandomEffect:
    """A random effect and the term it multiplies."""

    name: str
    term: Term
    block: Block


def substitute(
    read: tuple[Block, ...], first: Block
) -> tuple[list[Coefficient], list[RandomEffect]]:
    """Put each level's equations into the one below."""
    coefficients = _born(first.equations[0], INTERCEPT, first)
    random: list[RandomEffect] = []
    for block in read[1:]:
        below = {c.label: c for c in coefficients if c.block.number == block.number - 1}
        for equation in block.equations:
            target = below.get(equation.left)
            if target is None:
                raise _no_target(equation.left, block, coefficients, list(below))
            if any(other is block for other in target.modelled_by):
                raise refuse(
                    f"two equations for {equation.left} in '{block.title}:'",
                    "one equation a coefficient in a block",
                    "merge the two",
                )
            target.modelled_by.append(block)
            coefficients += _born(equation, target.term, block)
            if equation.random is not None:
                random.append(RandomEffect(equation.random, target.term, block))
    _check_intercepts(read, coefficients)
    return coefficients, random


def _born(equation: Equation, term: Term, block: Block) -> list[Coefficient]:
    """Return the coefficients an equation brings in, with the term each multiplies."""
    born = [Coefficient(name, term.times(slope), block) for name, slope in equation.slopes]
    if equation.intercept is not None:
        born.insert(0, Coefficient(equation.intercept, term, block))
    return born


def _no_target(
    name: str, block: Block, coefficients: list[Coefficient], below: list[str]
) -> SpecError:
    level = next((c.block.number for c in coefficients if c.label == name), None)
    at = f"an equation for {name} at level {block.number}"
    allowed = f"at level {block.number}: coefficients of level {block.number - 1}"
    allowed += f" ({', '.join(below)})" if below else ", and there are none"
    if level is None:
        below_it = f"level {block.number - 1} has no coefficient {name}"
        return refuse(
            f"{at}, and {below_it}{suggestion(name, below)}",
            allowed,
            "name the coefficient as the level below does",
        )
    step = f"model {name} at level {level + 1} first: {name} = …, then the new coefficient here"
    if level >= block.number:
        step = f"move the equation to level {level + 1}"
    return refuse(f"{at}, but {name} is a coefficient of level {level}", allowed, step)


def _check_intercepts(read: tuple[Block, ...], coefficients: list[Coefficient]) -> None:
    """Refuse an intercept in two crossed blocks."""
    for coefficient in coefficients:
        intercepts = [
            equation.intercept
            for block in read
            if block in coefficient.modelled_by
            for equation in block.equations
            if equation.left == coefficient.label and equation.intercept is not None
        ]
        if len(intercepts) > 1:
            raise refuse(
                f"two intercepts for {coefficient.label}: {', '.join(intercepts)}",
                "crossed blocks: one has the intercept, the others add to it",
                f"leave one out: {coefficient.label} = v0",
            )


def check_names(
    read: tuple[Block, ...],
    response: Outcome,
    coefficients: list[Coefficient],
    random: list[RandomEffect],
) -> None:
    """Refuse a name with two meanings, and two coefficients of one term."""
    residual = read[0].equations[0].random
    names = [c.label for c in coefficients] + [r.name for r in random]
    names += [residual] if residual is not None else []
    for name, count in Counter(names).items():
        if count > 1:
            raise refuse(
                f"the name {name!r} {count} times on right sides",
                "one name for each coefficient and each random effect",
                "give each its own name",
            )
    columns = set(response.columns) | {column for block in read for column in block.group}
    for equation in (equation for block in read for equation in block.equations):
        for expression in (*equation.offset, *(f for _, term in equation.slopes for f in term.key)):
            columns.update(variables(expression))
    for name in names:
        if name in columns:
            raise refuse(
                f"the name {name!r} for a coefficient or random effect and for a column",
                "names that are no columns",
                "give the coefficient or random effect another name",
            )
    labels: dict[Term, str] = {}
    for coefficient in fixed_coefficients(coefficients):
        other = labels.setdefault(coefficient.term, coefficient.label)
        if other != coefficient.label:
            raise refuse(
                f"{other} and {coefficient.label} are both the coefficient of {coefficient.term}",
                "one coefficient a term of the combined model",
                "remove one of them",
            )


def fixed_coefficients(coefficients: list[Coefficient]) -> list[Coefficient]:
    """Return the coefficients that no equation models."""
    return [c for c in coefficients if not c.modelled_by]


def refuse(got: str, allowed: str, step: str) -> SpecError:
    """Return the error of the three parts of its message."""
    return SpecError(message(got, allowed, step))
