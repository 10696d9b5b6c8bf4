"""Brackets, quotes and backticks: what every reader of this floor must step over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bayesmlm.errors import SpecError, message

MAX_LENGTH = 10_000
MAX_DEPTH = 40

_CLOSES = {")": "(", "]": "[", "}": "{"}
_QUOTES = "'\"`"


def check_text(text: object, what: str, longest: int = MAX_LENGTH) -> str:
    """Return `text` if it is a string of sensible length with balanced brackets."""
    if not isinstance(text, str):
        raise SpecError(
            message(
                f"{what} of type {type(text).__name__}",
                "a string",
                f"write the {what} as text",
            )
        )
    if len(text) > longest:
        raise SpecError(
            message(
                f"a {what} of {len(text)} characters",
                f"at most {longest} characters",
                "put transformed variables in columns of the data",
            )
        )
    for _ in outside(text):
        pass
    return text


def outside(text: str) -> Iterator[tuple[int, str, int]]:
    """Yield ``(position, character, depth)`` for all that is not quoted.

    Brackets themselves have the depth of what they enclose, so depth 0 is the top level.
    """
    stack: list[tuple[str, int]] = []
    quote, opened = "", 0
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in _QUOTES:
            quote, opened = character, position
        elif character in _CLOSES.values():
            stack.append((character, position))
            if len(stack) > MAX_DEPTH:
                raise _too_deep(text, position)
            yield position, character, len(stack)
        elif character in _CLOSES:
            if not stack or stack[-1][0] != _CLOSES[character]:
                raise _unbalanced(text, position, f"{character!r} without its opening bracket")
            yield position, character, len(stack)
            stack.pop()
        else:
            yield position, character, len(stack)
    if quote:
        raise _unbalanced(text, opened, f"{quote} is not closed")
    if stack:
        raise _unbalanced(text, stack[-1][1], f"{stack[-1][0]!r} is not closed")


def split(text: str, separators: Sequence[str]) -> list[tuple[str, str]]:
    """Split at top-level separators.

    Parameters
    ----------
    text
        Balanced text.
    separators
        What to split at, longer ones first where one begins another.

    Returns
    -------
    list of (separator, piece)
        The separator before each piece, ``""`` before the first; pieces are stripped.
    """
    pieces: list[tuple[str, str]] = []
    before, start, resume = "", 0, 0
    for position, _, depth in outside(text):
        if depth or position < resume:
            continue
        found = next((s for s in separators if text.startswith(s, position)), None)
        if found is not None:
            pieces.append((before, text[start:position].strip()))
            before = found
            start = resume = position + len(found)
    pieces.append((before, text[start:].strip()))
    return pieces


def closing(text: str, opening: int) -> int:
    """Return the position of the bracket that closes the one at `opening`."""
    for position, character, depth in outside(text[opening:]):
        if depth == 1 and character in _CLOSES:
            return opening + position
    raise _unbalanced(text, opening, "'(' is not closed")


def excerpt(text: str, position: int = 0, width: int = 60) -> str:
    """Return a printable piece of `text` from `position` on."""
    piece = " ".join(text[position : position + width].split())
    return piece + (" …" if len(text) > position + width else "")


def _unbalanced(text: str, position: int, what: str) -> SpecError:
    return SpecError(
        message(
            f"{what}, at character {position + 1}: {excerpt(text, position)!r}",
            "every bracket, quote and backtick closed",
            "add or remove the one that is named",
        )
    )


def _too_deep(text: str, position: int) -> SpecError:
    return SpecError(
        message(
            f"brackets nested deeper than {MAX_DEPTH}, at character {position + 1}",
            f"at most {MAX_DEPTH} brackets inside each other",
            "put the transformed variable in a column of the data",
        )
    )
