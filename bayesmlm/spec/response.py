"""The left side of both notations: `y`, `log(y)`, `r | trials(n)`, `y | weights(v) + se(s)`."""

from __future__ import annotations

from bayesmlm.errors import SpecError, message, suggestion
from bayesmlm.spec.expression import is_factor, normalise, variables
from bayesmlm.spec.scan import closing, excerpt, split

ADDITIONS = ("se", "trials", "weights", "precision")

_ALLOWED = "y, or y | addition(...) + ..., with the additions " + ", ".join(ADDITIONS)


def left_side(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Read a response and its additions.

    Parameters
    ----------
    text
        What stands left of `~`, or inside the link of a level-1 equation.

    Returns
    -------
    column
        The response's column, or an expression of columns.
    additions
        ``(name, expression)`` pairs.
    """
    parts = [piece for _, piece in split(text, ["|"])]
    if len(parts) > 2:
        raise _refuse(f"{len(parts) - 1} bars in the response {excerpt(text)!r}")
    if not parts[0]:
        raise _refuse("no response")
    return response_column(parts[0]), additions(parts[1]) if len(parts) == 2 else ()


def response_column(text: str) -> str:
    """Read the response itself: a column, or one function of columns."""
    column = normalise(text)
    if not is_factor(column) or not variables(column):
        raise SpecError(
            message(
                f"the response {excerpt(text)!r}",
                "one response: a column name, or one function of columns such as log(y)",
                "write I(...) for arithmetic; model several responses one at a time",
            )
        )
    return column


def additions(text: str) -> tuple[tuple[str, str], ...]:
    """Read `name(expression) + name(expression)`."""
    found: dict[str, str] = {}
    for sign, piece in split(text, ["+", "-"]):
        name, argument = _call(piece)
        if sign == "-" or argument is None:
            raise _refuse(f"the addition {excerpt(piece)!r}")
        if name not in ADDITIONS:
            raise _refuse(f"the addition {name!r}{suggestion(name, ADDITIONS)}")
        if name in found:
            raise _refuse(f"the addition {name!r} twice")
        if len(split(argument, [","])) > 1:
            raise _refuse(f"{excerpt(piece)!r}: an addition takes one argument")
        found[name] = normalise(argument)
    return tuple(found.items())


def _call(text: str) -> tuple[str, str | None]:
    """Split `name(argument)`; None where the text is not one call."""
    name, parenthesis, _ = text.partition("(")
    if not parenthesis or closing(text, len(name)) != len(text) - 1:
        return text, None
    return name.strip(), text[len(name) + 1 : -1].strip()


def _refuse(got: str) -> SpecError:
    return SpecError(message(got, _ALLOWED, "for example: r | trials(n)"))
