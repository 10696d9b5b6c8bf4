"""A ModelSpec written back: as a formula, as level-wise equations, and combined."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from bayesmlm.errors import SpecError, message
from bayesmlm.spec.equations import equations
from bayesmlm.spec.expression import group_text
from bayesmlm.spec.formula_text import formula_text, formulas_text
from bayesmlm.spec.latex import latex
from bayesmlm.spec.levelwise import (
    LevelBlock,
    Levelwise,
    Line,
    further_levelwise,
    levelwise,
    refuse_further,
)
from bayesmlm.spec.outcome import is_sayable, outcome_text, parameter_text, predictor_text
from bayesmlm.spec.terms import ModelSpec, Term

__all__ = ["combined_text", "equations_text", "formula_text", "formulas_text", "latex"]


def equations_text(
    spec: ModelSpec, levels: Mapping[str, tuple[str, ...]] | None = None, strict: bool = True
) -> str:
    """Write a model as level-wise equations that `equations()` reads back.

    Parameters
    ----------
    spec
        The model.
    levels
        The grouping that each factor is constant in, as detected in data. Without it, the
        declared levels; every other factor is a predictor of level 1.
    strict
        Refuse a family that no left side declares, and formulas of further parameters;
        otherwise the equations are for reading.

    Returns
    -------
    str
        A block a level.

    Raises
    ------
    SpecError
        If the language of equations cannot express the model.
    """
    if strict:
        refuse_further(spec)
    written = levelwise(spec, levels)
    eta = predictor_text(spec.response, _right(written.first, written.offset))
    rows = _rows(written, outcome_text(spec.response, strict), eta)
    for name, own in further_levelwise(spec, levels).items():
        eta = _right(own.first, own.offset)
        further = _rows(own, parameter_text(spec.response, name), eta)
        rows += [(f"{name}, {header}", lines) for header, lines in further]
    width = max(len(header) for header, _ in rows) + 1
    text = "\n".join(
        f"{header if number == 0 else '':<{width}}{line}"
        for header, lines in rows
        for number, line in enumerate(lines)
    )
    if not spec.response.further and is_sayable(spec.response) and equations(text) != spec:
        raise SpecError(
            message(
                "a model that its level-wise equations do not give back",
                "models whose groupings are one chain of nested levels and others crossing it",
                "write the model as a formula: formula_text(spec)",
            )
        )
    return text


def combined_text(spec: ModelSpec, levels: Mapping[str, tuple[str, ...]] | None = None) -> str:
    """Write a model as one equation: the level-wise ones, each put into the one below.

    Parameters
    ----------
    spec
        The model.
    levels
        As in :func:`equations_text`.

    Returns
    -------
    str
        For reading: fixed part, random part, residual.
    """
    eta = predictor_text(spec.response, _combined(levelwise(spec, levels)))
    parts = [f"{outcome_text(spec.response, strict=False)} = {eta}"]
    parts += [
        f"{parameter_text(spec.response, name)} = {_combined(own)}"
        for name, own in further_levelwise(spec, levels).items()
    ]
    return "; ".join(parts)


def _combined(written: Levelwise) -> str:
    summands = [_product(label, term) for label, term in written.fixed()]
    summands += [f"offset({expression})" for expression in written.offset]
    summands += [
        _product(line.random, line.product) for line in written.lines if line.random is not None
    ]
    summands += [written.first.random] if written.first.random is not None else []
    return " + ".join(summands) or "0"


def _rows(written: Levelwise, left: str, right: str) -> list[tuple[str, list[str]]]:
    """Return a header and its lines for each level."""
    rows = [("level 1:", [f"{left} = {right}"])]
    return rows + [(_header(block), _block_lines(block)) for block in written.blocks]


def _header(block: LevelBlock) -> str:
    return f"level {block.number} ({group_text(block.header)}):"


def _block_lines(block: LevelBlock) -> list[str]:
    lines = [f"{line.left} = {_right(line)}" for line in block.lines]
    for one, other in combinations(block.sets, 2):
        lines += [f"cov({a}, {b}) = 0" for a in one for b in other]
    for names, distribution in zip(block.sets, block.distributions, strict=True):
        if distribution != "normal":
            lines.append(f"dist({', '.join(names)}) = {distribution}")
    return lines


def _right(line: Line, offset: tuple[str, ...] = ()) -> str:
    summands = [line.intercept] if line.intercept is not None else []
    summands += [_product(slope.label, slope.term) for slope in line.slopes]
    summands += [f"offset({expression})" for expression in offset]
    summands += [line.random] if line.random is not None else []
    return " + ".join(summands) or "0"


def _product(label: str, term: Term) -> str:
    return label if term.is_intercept else f"{label}*{term}"
