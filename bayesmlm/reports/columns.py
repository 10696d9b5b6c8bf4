"""Widths of the columns of a printed table; one that is too wide goes on below."""

from __future__ import annotations

from collections.abc import Sequence

WORDS = (16, 11)
"""Letters of a word of a name kept in one piece; the fewer where the table fits then."""

NARROW = 9
"""Letters of a name, or of a word of a heading, that never fold."""

EDGE, GAP = 2, 3
"""Blanks beside a table, and between two columns."""


def parts_of(
    headings: Sequence[str],
    body: Sequence[Sequence[str]],
    named: Sequence[bool],
    n_index: int,
    room: int,
) -> list[dict[int, int]]:
    """Return the widths of a table's columns: of one part, or of several if it is too wide.

    Where room is short headings fold, and then names. Numbers are never cut, and no column is left
    out: those that find no room follow in another part, beside the index.

    Parameters
    ----------
    headings
        Of each column.
    body
        Rows; those that are headings are shorter.
    named
        Whether a column holds names, which fold.
    n_index
        How many columns are the index, repeated in every part.
    room
        Width of the terminal.

    Returns
    -------
    list
        Of a part, its columns with their widths.
    """
    cells = [[row[k] for row in body if k < len(row)] for k in range(len(headings))]
    full = [max(map(len, [name, *own])) for name, own in zip(headings, cells, strict=True)]
    numbers = [
        0 if text else max(map(len, own), default=0) for text, own in zip(named, cells, strict=True)
    ]
    choices = [
        [
            max(number, longest_word([name], NARROW), least_of(own, most) if text else 0)
            for number, name, own, text in zip(numbers, headings, cells, named, strict=True)
        ]
        for most in WORDS
    ]
    least = next((each for each in choices if width_of(each) <= room), choices[0])
    folded = [
        max(low, max(map(len, own), default=0)) for low, own in zip(least, cells, strict=True)
    ]
    parts = [{k: full[k] for k in part} for part in chunks(least, n_index, room)]
    return [shrunk(shrunk(part, folded, room), least, room) for part in parts]


def least_of(names: Sequence[str], most: int) -> int:
    """Return the least width of a column of names."""
    return max(longest_word(names, most), min(NARROW, max(map(len, names), default=0)))


def longest_word(texts: Sequence[str], most: int) -> int:
    """Return the letters of the longest word, but `most` at most."""
    return min(most, max((len(word) for text in texts for word in text.split()), default=0))


def width_of(widths: Sequence[int]) -> int:
    """Return the width of a table of columns of these widths."""
    return sum(widths) + GAP * (len(widths) - 1) + EDGE


def chunks(least: Sequence[int], n_index: int, room: int) -> list[list[int]]:
    """Return the columns of every part: the index, and others while there is room."""
    index = list(range(n_index))
    parts = [index]
    for k in range(n_index, len(least)):
        wider = [*parts[-1], k]
        if width_of([least[each] for each in wider]) > room and len(parts[-1]) > n_index:
            parts.append([*index, k])
        else:
            parts[-1] = wider
    return parts


def shrunk(widths: dict[int, int], least: Sequence[int], room: int) -> dict[int, int]:
    """Return the widths of some columns, the widest made narrower until they have room."""
    widths = dict(widths)
    while width_of(list(widths.values())) > room:
        loose = [k for k in widths if widths[k] > least[k]]
        if not loose:
            break
        widths[max(loose, key=lambda k: widths[k])] -= 1
    return widths
