"""The random part of a formula: `(1 + x | g)`, `(x || g)`, `(1 | a/b)`, `gr()` and `mm()`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bayesmlm.errors import SpecError, message, suggestion
from bayesmlm.spec.algebra import terms
from bayesmlm.spec.expression import is_name, normalise, variables
from bayesmlm.spec.scan import closing, excerpt, split
from bayesmlm.spec.terms import RandomTerm, Term

_FORMS = "(1 + x | g), (x || g), (1 | a/b), (1 | a:b)"
_GR_OPTIONS = ("by", "cov", "dist", "k")
_DISTRIBUTIONS = {
    "gaussian": "normal",
    "normal": "normal",
    "student": "student",
    "points": "points",
}

MAX_POINTS = 50
"""Mass points that a term may have."""


@dataclass(frozen=True)
class _Group:
    """What a bar says right of the bar: one grouping, and the options of its effects."""

    grouping: tuple[str, ...]
    distribution: str = "normal"
    points: int | None = None
    by: str | None = None
    known_covariance: str | None = None
    members: tuple[str, ...] = ()
    membership_weights: tuple[str, ...] = ()


def is_bar(text: str) -> bool:
    """Return whether a summand is a parenthesis with a bar inside."""
    return (
        text.startswith("(")
        and closing(text, 0) == len(text) - 1
        and len(split(text[1:-1], ["|"])) > 1
    )


def bar(text: str) -> tuple[RandomTerm, ...]:
    """Read the inside of a bar's parenthesis, such as ``1 + x | a/b``."""
    parts = split(text, ["||", "|"])
    if len(parts) > 2:
        raise _several_bars(text)
    (_, left), (kind, right) = parts
    if not left or not right:
        missing = "effects" if not left else "a group"
        raise SpecError(
            message(f"a bar without {missing}: ({text})", _FORMS, "write (1 | g) for intercepts")
        )
    effects = terms(left)
    if not effects:
        raise SpecError(
            message(f"no effect in ({text})", _FORMS, "remove the bar, or name what varies")
        )
    blocks = [effects] if kind == "|" else [(effect,) for effect in effects]
    return tuple(_random(block, group) for group in _groups(right) for block in blocks)


def group_names(text: str) -> tuple[str, ...]:
    """Read a grouping without nesting, `g` or `a:b`, as column names."""
    names: list[str] = []
    for _, piece in split(text, [":"]):
        names.append(_group_name(piece, text))
    for name in names:
        if names.count(name) > 1:
            raise _refuse_group(f"the column {name!r} twice in the group {text!r}")
    return tuple(names)


def refuse_repeats(random: tuple[RandomTerm, ...]) -> None:
    """Refuse an effect that two bars of one grouping have."""
    seen: set[tuple[frozenset[str], Term, tuple[str, ...]]] = set()
    for term in random:
        for effect in term.effects:
            key = (frozenset(term.grouping), effect, term.members)
            if key in seen:
                raise SpecError(
                    message(
                        f"the effect {effect} varies over {term.group} in two bars",
                        "each effect once per group: (x | g), or (1 | g) + (0 + x | g)",
                        "merge the two bars, or remove the effect from one",
                    )
                )
            seen.add(key)


def _random(effects: tuple[Term, ...], group: _Group) -> RandomTerm:
    return RandomTerm(
        effects,
        group.grouping,
        distribution=group.distribution,
        points=group.points,
        by=group.by,
        known_covariance=group.known_covariance,
        members=group.members,
        membership_weights=group.membership_weights,
    )


def _groups(text: str) -> list[_Group]:
    """Read what stands right of a bar; `a/b` is two groupings."""
    call = re.match(r"(gr|mm)\s*\(", text)
    if call is not None and closing(text, call.end() - 1) == len(text) - 1:
        inside = text[call.end() : -1]
        return [_gr(inside) if call[1] == "gr" else _mm(inside)]
    pieces = split(text, ["+", "-", "*"])
    if len(pieces) > 1:
        pair = " + ".join(f"(… | {piece})" for _, piece in pieces)
        raise _refuse_group(f"the group {text!r}", f"write one bar a group: {pair}")
    groups: list[_Group] = []
    grouping: tuple[str, ...] = ()
    for _, piece in split(text, ["/"]):
        names = group_names(piece)
        if set(names) & set(grouping):
            raise _refuse_group(f"a column twice in the group {text!r}")
        grouping += names
        groups.append(_Group(grouping))
    return groups


def _group_name(piece: str, text: str) -> str:
    if not piece:
        raise _refuse_group(f"the group {text!r}")
    if re.fullmatch(r"[\d.]+", piece):
        raise _refuse_group(f"the number {piece!r} as a group")
    factor = normalise(piece)
    if not is_name(factor):
        raise _refuse_group(f"the group {text!r}")
    return variables(factor)[0]


def _gr(inside: str) -> _Group:
    """Read `gr(g, by=z, cov=A, dist="student")` or `gr(g, dist="points", k=3)`."""
    (_, group), *rest = split(inside, [","])
    options: dict[str, str] = {}
    for _, piece in rest:
        name, _, value = (part.strip() for part in piece.partition("="))
        if name not in _GR_OPTIONS or not value or name in options:
            raise _refuse_group(
                f"the option {piece!r} of gr(){suggestion(name, _GR_OPTIONS)}",
                "options of gr() are by=column, cov=matrix, dist='student' and dist='points', k=3, "
                "once each",
            )
        options[name] = value
    distribution = options.get("dist", "normal").strip("'\"")
    if distribution not in _DISTRIBUTIONS:
        raise _refuse_group(
            f"the distribution {distribution!r}{suggestion(distribution, _DISTRIBUTIONS)}",
            "distributions of effects are " + ", ".join(_DISTRIBUTIONS),
        )
    return _Group(
        group_names(group),
        distribution=_DISTRIBUTIONS[distribution],
        points=mass_points(_DISTRIBUTIONS[distribution], options.get("k")),
        by=_group_name(options["by"], inside) if "by" in options else None,
        known_covariance=_group_name(options["cov"], inside) if "cov" in options else None,
    )


def mass_points(distribution: str, number: str | None) -> int | None:
    """Read the number of mass points; None for another distribution."""
    if distribution != "points" and number is None:
        return None
    whole = number is not None and re.fullmatch(r"\d{1,3}", number) is not None
    if distribution != "points" or not whole or not 2 <= int(number or 0) <= MAX_POINTS:
        got = f"k={number}" if number is not None else "no k="
        raise _refuse_group(
            f"{got} with effects whose distribution is {distribution}",
            f"dist='points' has k from 2 to {MAX_POINTS}, for example gr(g, dist='points', k=3)",
        )
    return int(number or 0)


def _mm(inside: str) -> _Group:
    """Read `mm(g1, g2, weights=cbind(w1, w2))`."""
    members: list[str] = []
    weights: tuple[str, ...] = ()
    for _, piece in split(inside, [","]):
        name, equals, value = (part.strip() for part in piece.partition("="))
        if not equals:
            members.append(_group_name(piece, inside))
        elif name == "weights" and not weights:
            listed = re.fullmatch(r"(?:cbind\s*\((.*)\)|\[(.*)\])", value)
            columns = value if listed is None else listed[1] or listed[2] or ""
            weights = tuple(_group_name(w, inside) for _, w in split(columns, [","]))
        else:
            raise _refuse_group(f"the option {piece!r} of mm()")
    if len(members) < 2 or len(set(members)) < len(members):
        raise _refuse_group(f"mm({inside}), which needs two or more different columns")
    if weights and len(weights) != len(members):
        raise _refuse_group(f"{len(weights)} weights for {len(members)} memberships")
    return _Group(tuple(members), members=tuple(members), membership_weights=weights)


def _several_bars(text: str) -> SpecError:
    parts = split(text, ["||", "|"])
    if len(parts) == 3 and parts[1][1].isidentifier():
        got = f"the identifier |{parts[1][1]}| in ({excerpt(text)})"
        step = "effects correlated across predictors are not implemented: leave it out"
    else:
        got = f"{len(parts) - 1} bars in one parenthesis: ({excerpt(text)})"
        step = "write one parenthesis a group: (1 | a) + (1 | b)"
    return SpecError(message(got, _FORMS, step))


def _refuse_group(
    got: str, step: str = "make one column of the data that names the group"
) -> SpecError:
    allowed = (
        "g, a:b, a/b, gr(g, by=…, cov=…, dist=…, k=…) and mm(g1, g2, weights=…), of column names"
    )
    return SpecError(message(got, allowed, step))
