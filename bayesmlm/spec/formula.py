"""`formula()`: lme4's and brms's notation, read into a ModelSpec."""

from __future__ import annotations

import re
from dataclasses import replace

from bayesmlm.errors import SpecError, message, suggestion
from bayesmlm.spec.algebra import terms
from bayesmlm.spec.bars import bar, is_bar, refuse_repeats
from bayesmlm.spec.expression import normalise, variables
from bayesmlm.spec.response import left_side
from bayesmlm.spec.scan import check_text, closing, excerpt, outside, split
from bayesmlm.spec.terms import ModelSpec, Predictor, RandomTerm, Response

_SHAPE = "response ~ terms + (effects | group)"
_EXAMPLE = "for example: y ~ x*w + (x | school)"
_DISTRIBUTIONAL = "write a parameter of the family after it: y ~ x; sigma ~ x + (1 | school)"


def formula(
    text: str, *, family: str | None = None, link: str | None = None, **parameters: str
) -> ModelSpec:
    """Read a model formula.

    Parameters
    ----------
    text
        ``response ~ fixed terms + (effects | group) + offset(x)``. The fixed part and the
        inside of a bar are formulaic's; `||` makes effects independent, `a/b` nests. After a
        semicolon, a formula of a further parameter of the family: ``y ~ x; sigma ~ x``, or
        with another link than the parameter's own (log, of a probability logit),
        ``y ~ x; identity(sigma) ~ x``.
    family, link
        The response distribution (``"gaussian"`` when not given) and its link (``None`` is
        the family's canonical link).
    **parameters
        The same as keywords: ``sigma="~ x + (1 | g)"``.

    Returns
    -------
    ModelSpec
        The model as written; it knows no data.

    Raises
    ------
    SpecError
        If the formula is not in the language.

    Examples
    --------
    >>> formula("y ~ x*w + (x | school)").response.mu.fixed
    (Term(factors=()), Term(factors=('x',)), Term(factors=('w',)), Term(factors=('x', 'w')))
    """
    _check_names(family, link)
    first, *others = [piece for _, piece in split(check_text(text, "formula"), [";"])]
    left, right = _sides(first)
    if not left:
        raise _refuse(f"no response in {excerpt(text)!r}", "write the response before ~")
    column, additions = left_side(left)
    mu = predictor(right)
    if any(column in term.factors for term in mu.fixed):
        raise _refuse(f"the response {column!r} on both sides", "remove it from the right side")
    predictors = {"mu": mu}
    given = [_further(value) for value in others]
    given += [(name, parameter_predictor(name, value)) for name, value in parameters.items()]
    for name, own in given:
        if name in predictors:
            raise _refuse(f"two formulas of {name}", "write one formula a parameter")
        predictors[name] = own
    response = Response(
        column,
        tuple(predictors.items()),
        family="gaussian" if family is None else family,
        link=link,
        additions=additions,
        family_declared=family is not None,
    )
    return ModelSpec((response,))


def predictor(text: str) -> Predictor:
    """Read the right side of a formula."""
    fixed: list[str] = []
    random: list[RandomTerm] = []
    offset: list[str] = []
    for sign, summand in split(text, ["+", "-"]):
        if is_bar(summand):
            _check_added(sign, summand)
            random.extend(bar(summand[1:-1].strip()))
        elif _is_offset(summand):
            _check_added(sign, summand)
            offset.append(_offset(summand))
        else:
            _refuse_stray_bar(summand)
            fixed.append(f"{sign} {summand}".strip())
    refuse_repeats(tuple(random))
    if len(set(offset)) < len(offset):
        raise _refuse("one offset twice", "write offset(I(2*x)) for twice the offset")
    written = [piece for piece in fixed if piece]
    return Predictor(terms(" ".join(written) or "1"), tuple(random), tuple(offset))


def _sides(text: object) -> tuple[str, str]:
    checked = check_text(text, "formula")
    parts = [piece for _, piece in split(checked, ["~"])]
    if len(parts) != 2:
        if any(character == "~" for _, character, depth in outside(checked) if depth):
            raise _refuse(f"a ~ inside brackets in {excerpt(checked)!r}", _EXAMPLE)
        count = "no ~" if len(parts) == 1 else f"{len(parts) - 1} times ~"
        raise _refuse(f"{count} in {excerpt(checked)!r}", _EXAMPLE)
    if not parts[1]:
        raise _refuse(f"an empty right side in {excerpt(checked)!r}", "write 1 for an intercept")
    return parts[0], parts[1]


def parameter_predictor(name: str, value: object) -> Predictor:
    """Read the formula of a further parameter, given as the keyword of its name."""
    if name == "mu":
        raise _refuse("a formula for 'mu'", "write the predictor of mu in the formula itself")
    if not isinstance(value, str) or "~" not in value:
        near = suggestion(name, ("family", "link"))
        raise SpecError(
            message(
                f"{name}={value!r}{near}",
                "family, link, and formulas of further parameters such as sigma='~ x'",
                "write '~ ' before the predictor of a parameter",
            )
        )
    left, right = _sides(value)
    if not left:
        return predictor(right)
    if _linked(left)[0] != name:
        raise _refuse(f"the response {left!r} in the formula of {name}", f"write {name}='~ …'")
    return _further(value)[1]


def _linked(left: str) -> tuple[str, str | None]:
    """Split `identity(sigma)` into the parameter and its link; None where there is no link."""
    found = re.fullmatch(r"(\w+)\s*\(\s*(\w+)\s*\)", left)
    return (left, None) if found is None else (found[2], found[1])


def _further(text: str) -> tuple[str, Predictor]:
    """Read the formula of a further parameter, its name on the left."""
    if not text:
        raise _refuse("a semicolon without a formula after it", _DISTRIBUTIONAL)
    left, right = _sides(text)
    name, link = _linked(left)
    if not name.isidentifier():
        raise _refuse(f"{excerpt(text)!r} after a semicolon", _DISTRIBUTIONAL)
    if name == "mu":
        raise _refuse("a formula for 'mu'", "write the predictor of mu in the formula itself")
    return name, replace(predictor(right), link=link)


def _check_names(family: object, link: object) -> None:
    for what, value in (("family", family), ("link", link)):
        if value is not None and not isinstance(value, str):
            raise SpecError(
                message(
                    f"a {what} of type {type(value).__name__}",
                    f"the name of a {what}, or None",
                    "for example family='binomial', link='probit'",
                )
            )


def _check_added(sign: str, summand: str) -> None:
    if sign == "-":
        raise _refuse(f"{excerpt(summand)!r} subtracted", "add it with +, or leave it out")


def _is_offset(summand: str) -> bool:
    name, parenthesis, _ = summand.partition("(")
    return bool(parenthesis) and name.strip() == "offset" and _ends(summand, len(name))


def _ends(summand: str, opening: int) -> bool:
    return closing(summand, opening) == len(summand) - 1


def _offset(summand: str) -> str:
    expression = normalise(summand[summand.index("(") + 1 : -1])
    if not variables(expression):
        raise _refuse(f"{summand!r}, in which there is no column", "a constant is the intercept's")
    return expression


def _refuse_stray_bar(summand: str) -> None:
    for position, character, depth in outside(summand):
        if character == "|":
            if depth == 0:
                step = f"put it in parentheses: ({summand})"
            else:
                step = "a random part stands alone: add it with +, and nothing inside or around it"
            raise _refuse(f"a bar at character {position + 1} of {excerpt(summand)!r}", step)


def _refuse(got: str, step: str) -> SpecError:
    return SpecError(message(got, _SHAPE, step))
