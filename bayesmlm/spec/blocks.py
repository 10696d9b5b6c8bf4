"""The text of the equations, cut into blocks and equations; nothing is substituted yet."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bayesmlm.errors import SpecError, message
from bayesmlm.spec.algebra import terms
from bayesmlm.spec.bars import group_names, mass_points
from bayesmlm.spec.expression import normalise, variables
from bayesmlm.spec.labels import is_random, label
from bayesmlm.spec.scan import check_text, closing, excerpt, split
from bayesmlm.spec.terms import Term

MAX_TEXT = 200_000
"""A formula of many products is much longer as equations, and must still be read back."""

_HEADER = re.compile(r"\s*level\s*(\d{1,2})\s*(?:\(((?:`[^`]*`|[^`()])*)\))?\s*:", re.IGNORECASE)
_LIKE_HEADER = re.compile(r"level\b|[^\W\d]+\s*\w+\s*(?:\([^()]*\))?\s*:|.*:$", re.IGNORECASE)
_CODE = re.compile(r"(?:[^#`'\"]|`[^`]*`|'[^']*'|\"[^\"]*\")*")
_SUMMANDS = "sums of coefficients (b0), slopes (b1*x) and random effects (u0)"


@dataclass(frozen=True)
class Equation:
    """One equation: a left side, and the summands by kind."""

    left: str
    intercept: str | None = None
    slopes: tuple[tuple[str, Term], ...] = ()
    random: str | None = None
    offset: tuple[str, ...] = ()


@dataclass(frozen=True)
class Block:
    """One header with its equations; `independent` are the pairs with zero covariance.

    `distributions` are names of random effects that are not normal, with their distribution
    and its number of mass points.
    """

    number: int
    group: tuple[str, ...]
    equations: tuple[Equation, ...]
    independent: tuple[frozenset[str], ...] = ()
    distributions: tuple[tuple[tuple[str, ...], str, int | None], ...] = ()

    @property
    def title(self) -> str:
        """The header."""
        group = f" ({':'.join(self.group)})" if self.group else ""
        return f"level {self.number}{group}"


@dataclass
class _Draft:
    """A block while its lines are collected."""

    number: int
    group: tuple[str, ...]
    lines: list[str] = field(default_factory=list)


def blocks(text: str) -> tuple[Block, ...]:
    """Read the blocks, lowest level first.

    Parameters
    ----------
    text
        Headers ``level 1:``, ``level 2 (school):`` and the equations after each.
    """
    if isinstance(text, str):
        text = "\n".join(_without_comment(line) for line in text.splitlines())
    drafts = _drafts(check_text(text, "text of equations", MAX_TEXT))
    numbers = sorted({draft.number for draft in drafts})
    if not numbers or numbers[0] != 1:
        raise _refuse_header("no block 'level 1:'", "write the level-1 equation under it")
    if numbers != list(range(1, len(numbers) + 1)):
        missing = min(set(range(1, numbers[-1])) - set(numbers))
        got = f"level {numbers[-1]} without level {missing}"
        raise _refuse_header(got, "number the levels from 1 without gaps")
    seen: set[tuple[int, frozenset[str]]] = set()
    for draft in drafts:
        key = (draft.number, frozenset(draft.group))
        if key in seen:
            got = f"two blocks '{Block(draft.number, draft.group, ()).title}:'"
            raise _refuse_header(got, "put the equations of one level and group in one block")
        seen.add(key)
    return tuple(_block(draft) for draft in sorted(drafts, key=lambda draft: draft.number))


def _without_comment(line: str) -> str:
    match = _CODE.match(line)
    end = match.end() if match is not None else 0
    return line[:end] if line[end : end + 1] == "#" else line


def _drafts(text: str) -> list[_Draft]:
    drafts: list[_Draft] = []
    for line in _joined(text):
        header = _HEADER.match(line)
        rest = line
        if header is not None:
            drafts.append(_draft(int(header[1]), header[2]))
            rest = line[header.end() :].strip()
        elif _LIKE_HEADER.match(line):
            raise _refuse_header(f"the header {excerpt(line)!r}", "for example: level 2 (school):")
        if not rest:
            continue
        if not drafts:
            raise _refuse_header(f"{excerpt(rest)!r} before any header", "begin with level 1:")
        drafts[-1].lines.append(rest)
    return drafts


def _joined(text: str) -> list[str]:
    """Return the lines without blanks; an open bracket or operator goes on."""
    joined: list[str] = []
    depth = 0
    for line in (raw.strip() for raw in text.splitlines()):
        if not line:
            continue
        goes_on = depth > 0 or line[0] in "+*" or (joined and joined[-1][-1] in "+*=,|")
        if joined and goes_on and not (_HEADER.match(line) and depth == 0):
            joined[-1] += " " + line
        else:
            joined.append(line)
        depth += sum((c in "([") - (c in ")]") for c in line)
    return joined


def _draft(number: int, group: str | None) -> _Draft:
    if number == 0:
        raise _refuse_header("level 0", "number the levels from 1")
    if number == 1 and group is not None:
        raise _refuse_header(f"level 1 with a group ({group})", "write level 1: alone")
    if number > 1 and not (group or "").strip():
        got = f"level {number} without a group"
        raise _refuse_header(got, f"name the column of the groups: level {number} (school):")
    if group is not None and len(split(group, ["/"])) > 1:
        got = f"the group ({group}) of level {number}"
        raise _refuse_header(got, "nest by levels: level 2 (class): under level 3 (school):")
    return _Draft(number, group_names(group) if group is not None else ())


def _block(draft: _Draft) -> Block:
    equations: list[Equation] = []
    independent: list[frozenset[str]] = []
    distributions: list[tuple[tuple[str, ...], str, int | None]] = []
    for line in draft.lines:
        pair = _zero_covariance(line, draft.number)
        stated = _distribution(line, draft.number)
        if stated is not None:
            distributions.append(stated)
        elif pair is not None:
            independent.append(pair)
        else:
            equations.append(_equation(line, draft.number))
    block = Block(
        draft.number, draft.group, tuple(equations), tuple(independent), tuple(distributions)
    )
    if not equations:
        raise _refuse_header(f"no equation under '{block.title}:'", "write one, or remove it")
    return block


def _zero_covariance(line: str, number: int) -> frozenset[str] | None:
    """Read `cov(u0, u1) = 0`; None where the line is an equation."""
    if not re.match(r"cov\s*\(", line):
        return None
    form = "cov(u0, u1) = 0, of two random effects of one block above level 1"
    match = re.fullmatch(r"cov\s*\(([^(),]*),([^(),]*)\)\s*=\s*0", line)
    names = [label(name) for name in match.groups()] if match is not None else []
    first, second = names or (None, None)
    if first is None or second is None or first == second or number == 1:
        raise SpecError(
            message(f"{excerpt(line)!r}", form, "only a covariance of zero can be stated")
        )
    return frozenset((first, second))


def _distribution(line: str, number: int) -> tuple[tuple[str, ...], str, int | None] | None:
    """Read `dist(u0, u1) = student` or `= points(3)`; None where the line is an equation."""
    if not re.match(r"dist\s*\(", line):
        return None
    match = re.fullmatch(r"dist\s*\(([^()]*)\)\s*=\s*(student|points\s*\(\s*(\d+)\s*\))", line)
    names = [label(name) for name in match[1].split(",")] if match is not None else []
    found = tuple(name for name in names if name is not None)
    if match is None or not found or len(set(found)) < len(names) or number == 1:
        form = (
            "dist(u0, u1) = student, or = points(3), of random effects of one block above level 1"
        )
        raise SpecError(
            message(f"{excerpt(line)!r}", form, "effects are normal where none is stated")
        )
    kind = "student" if match[3] is None else "points"
    return found, kind, mass_points(kind, match[3])


def _equation(line: str, number: int) -> Equation:
    sides = [piece for _, piece in split(line, ["="])]
    if len(sides) != 2 or not sides[0]:
        raise SpecError(
            message(
                f"{excerpt(line)!r}, with {len(sides) - 1} times '=' at level {number}",
                "one equation a line, left = right",
                "an equation goes on over lines that end in + or begin with +",
            )
        )
    left, right = sides
    if number > 1:
        name = label(left)
        if name is None:
            got = f"the left side {excerpt(left)!r} at level {number}"
            raise _refuse(got, line, "write the coefficient of the level below it")
        left = name
    if not right:
        raise _refuse("an empty right side", line, "write 0 for nothing")
    return _sum_up(left, right, line, number)


def _sum_up(left: str, right: str, line: str, number: int) -> Equation:
    intercepts: list[str] = []
    randoms: list[str] = []
    slopes: list[tuple[str, Term]] = []
    offset: list[str] = []
    nothing = False
    for sign, summand in split(right, ["+", "-"]):
        if not sign and not summand:
            continue
        if sign == "-":
            raise _refuse(f"a minus before {excerpt(summand)!r}", line, "add every summand")
        name = label(summand)
        if name is not None:
            (randoms if is_random(name) else intercepts).append(name)
        elif re.match(r"offset\s*\(", summand):
            offset.append(_offset(summand, line, number))
        elif summand == "0":
            nothing = True
        else:
            slopes.append(_slope(summand, line))
    if nothing and intercepts:
        raise _refuse(f"0 and the intercept {intercepts[0]}", line, "keep one of them")
    if len(intercepts) > 1:
        raise _refuse(
            f"two intercepts: {', '.join(intercepts)}",
            line,
            "random effects are called u0, v1, r, e, …; a slope is coefficient*column",
        )
    if len(randoms) > 1:
        raise _refuse(f"two random effects: {', '.join(randoms)}", line, "keep one of them")
    return Equation(
        left,
        intercepts[0] if intercepts else None,
        tuple(slopes),
        randoms[0] if randoms else None,
        tuple(offset),
    )


def _slope(summand: str, line: str) -> tuple[str, Term]:
    """Read `coefficient*term`."""
    pieces = split(summand, ["**", "*"])
    name = label(pieces[0][1])
    if len(pieces) != 2 or pieces[1][0] != "*" or name is None:
        step = "write b1*x for a slope, x:w for an interaction and I(x**2) for a square"
        raise _refuse(f"the summand {excerpt(summand)!r}", line, step)
    found = terms(pieces[1][1])
    expanded = [term for term in found if not term.is_intercept]
    if len(expanded) != 1 or len(found) != 2:
        step = "one term a coefficient; an interaction is written x:w"
        raise _refuse(f"the term {excerpt(pieces[1][1])!r} of {name}", line, step)
    return name, expanded[0]


def _offset(summand: str, line: str, number: int) -> str:
    opening = summand.index("(")
    if number > 1 or closing(summand, opening) != len(summand) - 1:
        raise _refuse(f"{excerpt(summand)!r}", line, "an offset is a summand of level 1")
    expression = normalise(summand[opening + 1 : -1])
    if not variables(expression):
        raise _refuse(f"{summand!r}, in which there is no column", line, "name a column")
    return expression


def _refuse(got: str, line: str, step: str) -> SpecError:
    return SpecError(message(f"{got}, in {excerpt(line)!r}", _SUMMANDS, step))


def _refuse_header(got: str, step: str) -> SpecError:
    allowed = "headers 'level 1:', 'level 2 (school):', 'level 3 (district):', each once"
    return SpecError(message(got, allowed, step))
