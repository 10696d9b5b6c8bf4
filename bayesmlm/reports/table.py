"""A table to look at: aligned text, rich text in a terminal, HTML in Jupyter."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from bayesmlm.reports.cells import cell, row_spread
from bayesmlm.reports.columns import parts_of
from bayesmlm.reports.latex import plain_latex, table_latex

if TYPE_CHECKING:
    import pandas as pd

WIDTH = 100
"""Columns of text output where no terminal says otherwise."""

ROWS = 60
"""Rows shown before a table is cut in the middle; the frame always holds all."""

HEADINGS = {
    "mean": "mean",
    "sd": "SD",
    "r_hat": "R-hat",
    "se": "SE",
    "ess": "ESS",
    "ess_bulk": "ESS bulk",
    "ess_tail": "ESS tail",
}


@dataclass(frozen=True)
class Table:
    """A titled frame.

    Parameters
    ----------
    title
        What the table shows.
    frame
        The numbers, unrounded.
    notes
        Lines under the table.
    headings
        Lines between the rows: the number of the row below, and what the line says, in one
        piece or in the pieces that stand in the first columns.
    """

    title: str
    frame: pd.DataFrame
    notes: tuple[str, ...] = ()
    headings: tuple[tuple[int, tuple[str, ...]], ...] = ()

    def body(self) -> list[list[str] | tuple[str, ...]]:
        """Return rows (lists) and headings (tuples) in order."""
        rows = self.cells()[1]
        above: dict[int, list[tuple[str, ...]]] = {}
        if len(rows) == len(self.frame):  # not of a table cut in the middle
            for at, heading in self.headings:
                above.setdefault(at, []).append(heading)
        parts: list[list[str] | tuple[str, ...]] = []
        for at, row in enumerate(rows):
            parts += [*above.get(at, []), row]
        return parts

    def cells(self) -> tuple[list[str], list[list[str]]]:
        """Return headings and rows as text, rounded by each row's SD."""
        frame = self.frame
        index = [str(name or "") for name in frame.index.names]
        headings = index + [HEADINGS.get(str(c), str(c)) for c in frame.columns]
        rows = []
        for label, values in zip(frame.index, frame.itertuples(index=False), strict=True):
            labels = [str(part) for part in label] if isinstance(label, tuple) else [str(label)]
            row = dict(zip(map(str, frame.columns), values, strict=True))
            spread = row_spread(row)
            rows.append(labels + [cell(name, value, spread) for name, value in row.items()])
        return headings, shorten(rows, len(headings))

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        from rich.box import SIMPLE_HEAD
        from rich.table import Table as RichTable
        from rich.text import Text

        headings = self.cells()[0]
        body = self.body()
        n_index = self.frame.index.nlevels
        named = [k < n_index or self.is_text(k - n_index) for k in range(len(headings))]
        if self.title:
            yield Text(self.title, style="bold")
        for part in parts_of(headings, body, named, n_index, options.max_width):
            table = RichTable(box=SIMPLE_HEAD, pad_edge=False)
            for k, width in part.items():
                table.add_column(
                    Text(headings[k]),
                    justify="left" if named[k] else "right",
                    overflow="fold",
                    width=width,
                )
            for row in body:
                style = "bold" if isinstance(row, tuple) else ""
                table.add_row(*(Text(row[k], style=style) for k in part if k < len(row)))
            yield table
        yield from (Text(f"  {note}") for note in self.notes)

    def is_text(self, k: int) -> bool:
        """Whether column k holds text."""
        return self.frame.dtypes.iloc[k].kind not in "fiu"

    def __str__(self) -> str:
        return render(self)

    __repr__ = __str__

    def html(self) -> str:
        """Return the table in HTML, without a style sheet."""
        return table_html(self)

    def latex(self) -> str:
        """Return the table in LaTeX, for the package booktabs."""
        return table_latex(self)

    def _repr_html_(self) -> str:
        return self.html()

    def align(self, k: int) -> str:
        """Return the alignment of column k; negative k is the index."""
        return "left" if k < 0 or self.is_text(k) else "right"


@dataclass(frozen=True)
class Page:
    """Tables and lines of text, one under the other.

    Parameters
    ----------
    parts
        Tables and strings.
    """

    parts: tuple[Any, ...]

    def __rich__(self) -> Any:
        from rich.console import Group
        from rich.text import Text

        return Group(*(Text(p) if isinstance(p, str) else p for p in self.parts))

    def __str__(self) -> str:
        return render(self)

    __repr__ = __str__

    def html(self) -> str:
        """Return the page in HTML, without a style sheet."""
        return "\n".join(
            f"<pre>{escape(part)}</pre>" if isinstance(part, str) else part.html()
            for part in self.parts
        )

    def latex(self) -> str:
        """Return the page in LaTeX, its tables for the package booktabs."""
        return "\n\n".join(
            "\\noindent " + r" \\ ".join(map(plain_latex, part.splitlines()))
            if isinstance(part, str)
            else part.latex()
            for part in self.parts
        )

    def _repr_html_(self) -> str:
        return self.html()


def table_html(table: Table) -> str:
    """Return a table in HTML: headings span it, numbers stand to the right."""
    columns, _ = table.cells()
    n_index = table.frame.index.nlevels
    head = "".join(
        f'<th style="text-align:{table.align(k - n_index)}">{escape(name)}</th>'
        for k, name in enumerate(columns)
    )
    lines = []
    for row in table.body():
        if isinstance(row, tuple):
            line = escape(", ".join(row))
            span = f'<th colspan="{len(columns)}" style="text-align:left">{line}</th>'
            lines.append(f"<tr>{span}</tr>")
            continue
        cells = (
            f'<td style="text-align:{table.align(k - n_index)}">{escape(value)}</td>'
            for k, value in enumerate(row)
        )
        lines.append(f"<tr>{''.join(cells)}</tr>")
    notes = "".join(f"<div>{escape(note)}</div>" for note in table.notes)
    return (
        f'<table><caption style="text-align:left"><b>{escape(table.title)}</b></caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>{notes}"
    )


def render(renderable: Any) -> str:
    """Return plain text of a table or page."""
    from rich.console import Console

    buffer = io.StringIO()
    width = shutil.get_terminal_size((WIDTH, 24)).columns
    # Without force_jupyter=False a notebook's kernel gets the text in place of the buffer.
    console = Console(file=buffer, width=width, color_system=None, force_jupyter=False)
    console.print(renderable, highlight=False)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()).strip("\n")


def shorten(rows: list[list[str]], width: int) -> list[list[str]]:
    """Return the rows with the middle of a long table replaced by one row of dots."""
    if len(rows) <= ROWS:
        return rows
    half = ROWS // 2
    dots = [f"… {len(rows) - 2 * half} more rows", *[""] * (width - 1)]
    return [*rows[:half], dots, *rows[-half:]]
