"""The algebra of terms, `x*w`, `(a + b)^2`, `a/b`, `0 + x`: formulaic's own.

Each factor is checked and normalised here and goes to formulaic under an alias, so formulaic
sees operators only, and no text of the user's.
"""

from __future__ import annotations

import re

from bayesmlm.errors import SpecError, message
from bayesmlm.spec.expression import normalise, variables
from bayesmlm.spec.scan import check_text, closing, excerpt, split
from bayesmlm.spec.terms import Term

MAX_EXPONENT = 9
MAX_PRODUCTS = 100_000
MAX_STARS = 10

_TOKEN = re.compile(
    r"(?P<power>\*\*|\^)|(?P<operator>%in%|[*/:])|(?P<sign>[+-])|(?P<open>\()|(?P<close>\))"
    r"|(?P<quoted>`[^`\n]+`)|(?P<number>\d[\w.]*)|(?P<name>[^\W\d]\w*)"
)
_ALLOWED = "columns and functions of them joined by + : * / ^ and parentheses; 0 + or - 1"


def terms(text: str) -> tuple[Term, ...]:
    """Expand a sum of terms; the intercept is there unless `0 +` or `- 1` removes it.

    Parameters
    ----------
    text
        The fixed part of a formula, or the left part of a bar.

    Returns
    -------
    tuple of Term
        The intercept first, then by degree, within a degree as written.
    """
    check_text(text, "formula")
    if not text.strip():
        raise _refuse(text, "nothing where terms are expected")
    aliased, factors = _alias(text)
    _check_size(aliased, text)
    found: dict[frozenset[str], Term] = {}
    for aliases in _expand(aliased, text):
        term = Term(tuple(factors[alias] for alias in aliases if alias != "1"))
        found.setdefault(term.key, term)
    return tuple(sorted(found.values(), key=lambda term: len(term.factors)))


def _expand(aliased: str, text: str) -> list[list[str]]:
    """Expand aliases by formulaic's parser: the factors of each term."""
    # formulaic imports pandas and scipy: a reader of `bayesmlm.spec` need not wait for them
    from formulaic.parser import DefaultFormulaParser

    try:
        expanded = DefaultFormulaParser(feature_flags=set()).get_terms(aliased)
        return [[factor.expr for factor in term.factors] for term in expanded]
    except Exception as error:  # whatever it objects to, the formula is what is wrong
        raise _refuse(text, f"{excerpt(text)!r}") from error


def _alias(text: str) -> tuple[str, dict[str, str]]:
    """Replace each factor by an alias, and check that operators and operands alternate."""
    aliases: dict[str, str] = {}
    pieces: list[str] = []
    position, before = 0, "start"
    while position < len(text.rstrip()):
        if text[position].isspace():
            position += 1
            continue
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise _unreadable(text, position)
        kind, piece, end = match.lastgroup, match.group(), match.end()
        if kind in ("name", "quoted"):
            end = _factor_end(text, end) if kind == "name" else end
            factor = _factor(text[position:end])
            kind, piece = "factor", aliases.setdefault(factor, f"f{len(aliases)}")
        elif kind == "number" and before == "power":
            kind = "exponent"
        _check_order(before, kind, piece, text, position)
        pieces.append(piece)
        position, before = end, kind
    _check_order(before, "end", "", text, len(text))
    return " ".join(pieces), {alias: factor for factor, alias in aliases.items()}


def _factor(text: str) -> str:
    factor = normalise(text)
    if not variables(factor):
        raise _refuse(text, f"{factor!r}, in which there is no column")
    return factor


def _factor_end(text: str, end: int) -> int:
    """Return where a factor ends whose name ends at `end`: after its parentheses, if any."""
    opening = end + len(text[end:]) - len(text[end:].lstrip())
    return closing(text, opening) + 1 if text.startswith("(", opening) else end


def _check_order(before: str, kind: str, piece: str, text: str, position: int) -> None:
    """Check that this token may follow the one before it."""
    operand = kind in ("factor", "number", "exponent", "open")
    after_operand = before in ("factor", "number", "exponent", "close")
    where = f"at character {position + 1} of {excerpt(text)!r}"
    if before == "power" and not _is_exponent(kind, piece):
        raise SpecError(
            message(
                f"the exponent {excerpt(text, position, 20)!r}, {where}",
                f"a whole number from 1 to {MAX_EXPONENT}",
                "(a + b)^2 is a + b + a:b; for the square of a variable write I(x**2)",
            )
        )
    if operand and after_operand:
        raise _refuse(text, f"no operator before {excerpt(text, position, 20)!r}, {where}")
    if kind in ("power", "operator", "close", "end") and not after_operand:
        what = f"before {piece!r}" if piece else "after the last operator"
        raise _refuse(text, f"nothing {what}, {where}")
    if kind == "sign" and before in ("sign", "power", "operator"):
        raise _refuse(text, f"a sign after another operator, {where}")
    if kind == "number" and (piece not in ("0", "1") or before in ("operator", "open")):
        raise _not_an_intercept(piece, where)
    if before == "number" and kind in ("power", "operator", "close"):
        number = re.findall(r"\d[\w.]*", text[:position])[-1]
        raise _not_an_intercept(number, where)


def _is_exponent(kind: str, piece: str) -> bool:
    return kind == "exponent" and piece.isdecimal() and 1 <= int(piece[:3]) <= MAX_EXPONENT


def _check_size(aliased: str, text: str) -> None:
    """Refuse a product with more terms than anyone means, before it is multiplied out."""
    for _, summand in split(aliased, [" + ", " - "]):
        stars = len(re.findall(r" [*/] |%in%", summand))
        groups = summand.count("(")
        degree = max(groups, 1)
        for power in re.findall(r"(?:\*\*|\^) (\d)", summand):
            degree *= int(power)
        size = summand.count("f") + 1
        if stars > MAX_STARS or (degree > 1 and size**degree > MAX_PRODUCTS):
            raise SpecError(
                message(
                    f"a product of very many terms: {excerpt(text)!r}",
                    f"at most {MAX_STARS} times * in one product, and small powers of short sums",
                    "write the interactions that are meant, joined by :",
                )
            )


def _not_an_intercept(piece: str, where: str) -> SpecError:
    return SpecError(
        message(
            f"a number where a column belongs: {piece!r}, {where}",
            "0 or 1 as a summand outside parentheses, for the intercept",
            "write I(2*x) to scale a variable, offset(x) for a known coefficient of one",
        )
    )


def _unreadable(text: str, position: int) -> SpecError:
    character = text[position]
    steps = {
        ".": "write the columns out; a column name with a dot goes in backticks: `IQ.verb`",
        "{": "write I(...) for arithmetic",
        "|": "a bar belongs inside parentheses: (1 | group)",
        "'": "column names take no quotes; odd ones go in backticks",
        '"': "column names take no quotes; odd ones go in backticks",
    }
    step = steps.get(character, "remove it, or put an odd column name in backticks")
    before = re.search(r"\w*$", text[:position])
    if (
        character == "."
        and before is not None
        and text.startswith("(", _end_of_name(text, position))
    ):
        if before.group() == "as":
            step = "write C(x) for a factor"
        if before.group() in ("np", "numpy"):
            step = f"write log(x), exp(x) and so on without {before.group()}"
    return SpecError(
        message(f"{character!r} at character {position + 1} of {excerpt(text)!r}", _ALLOWED, step)
    )


def _end_of_name(text: str, position: int) -> int:
    """Return where the name ends that follows a dot."""
    found = re.compile(r"\w*").match(text, position + 1)
    return position + 1 if found is None else found.end()


def _refuse(text: str, got: str) -> SpecError:
    return SpecError(message(got, _ALLOWED, "write terms such as x + w + x:w"))
