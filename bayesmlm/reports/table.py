"""A table to look at: aligned text, rich text in a terminal, HTML in Jupyter."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmlm.reports.columns import parts_of

if TYPE_CHECKING:
    import pandas as pd

WIDTH = 100
"""Columns of text output where no terminal says otherwise."""

TINY, HUGE = 1e-5, 1e6
"""Outside these an estimate is shown by its significant digits."""

ROWS = 60
"""Rows shown before a table is cut in the middle; the frame always holds all."""

LOG_LIKELIHOODS = ("elpd", "SE of elpd", "gap", "SE of gap", "criterion")
"""Columns of sums of log densities, shown to one decimal."""

ESTIMATES = ("mean", "estimate", "sd", "se", "lower", "upper")
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


def table_latex(table: Table) -> str:
    """Return a table in LaTeX."""
    columns, _ = table.cells()
    n_index = table.frame.index.nlevels
    align = "".join("l" if table.align(k - n_index) == "left" else "r" for k in range(len(columns)))
    lines = []
    for row in table.body():
        if isinstance(row, tuple):
            line = plain_latex(", ".join(row))
            lines.append(rf"\multicolumn{{{len(columns)}}}{{l}}{{\textit{{{line}}}}} \\")
        else:
            lines.append(" & ".join(map(plain_latex, row)) + r" \\")
    notes = "".join(rf" \\ {{\footnotesize {plain_latex(note)}}}" for note in table.notes)
    return "\n".join(
        [
            r"\begin{table}[htbp]",
            rf"\caption{{{plain_latex(table.title)}}}",
            rf"\begin{{tabular}}{{{align}}}",
            r"\toprule",
            " & ".join(map(plain_latex, columns)) + r" \\",
            r"\midrule",
            *lines,
            r"\bottomrule",
            rf"\end{{tabular}}{notes}",
            r"\end{table}",
        ]
    )


LATEX = {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "–": "--",
    "…": r"\ldots{}",
    "²": r"\textsuperscript{2}",
    "α": r"$\alpha$",
    "β": r"$\beta$",
    "γ": r"$\gamma$",
    "π": r"$\pi$",
    "σ": r"$\sigma$",
    "τ": r"$\tau$",
    **{chr(0x2080 + d): rf"$_{d}$" for d in range(10)},
    **{letter: "\\" + letter for letter in "_&%$#{}"},
}
"""What LaTeX writes otherwise, in text."""


def plain_latex(text: str) -> str:
    """Return text as LaTeX writes it outside of formulas."""
    return "".join(LATEX.get(letter, letter) for letter in text)


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


def row_spread(row: Mapping[str, Any]) -> float | None:
    """Return the SD of a row's estimate; without one, a quarter of its 95 % interval."""
    for estimate, spread in (("mean", "sd"), ("estimate", "sd"), ("estimate", "se")):
        if estimate in row and spread in row:
            return row[spread]
    if "mean" in row or "estimate" in row:
        return None
    if "lower" in row and np.isfinite(row["upper"]):
        return float(row["upper"] - row["lower"]) / 4
    return None


def cell(name: str, value: Any, spread: float | None) -> str:
    """Return one cell as text."""
    if isinstance(value, str):
        return value
    if value is None or not np.isfinite(value):
        return ""
    if name in ("ess", "ess_bulk", "ess_tail"):
        return f"{value:,.0f}"
    if name == "r_hat":
        return f"{value:.3f}"
    if name in LOG_LIKELIHOODS:
        return f"{round(value, 1) + 0.0:,.1f}"
    if name == "seconds":
        return f"{value:.1f}"
    if name in ("t", "distance", "largest distance"):
        return f"{round(value, 2) + 0.0:.2f}"  # no minus zero
    if name == "share":
        return f"{100 * value:.1f} %"
    if name.startswith("corr "):
        return f"{value:.2f}"
    if name in ESTIMATES:
        size = abs(value) if spread is None or not spread > 0 else spread
        if size != 0 and not TINY < size < HUGE:
            return f"{value:.4g}"
        return f"{value:,.{decimals(spread)}f}"
    return f"{value:.4g}"


def decimals(spread: float | None) -> int:
    """Return the decimals that show two significant digits of a spread."""
    if spread is None or not np.isfinite(spread) or spread == 0:
        return 3
    return int(np.clip(1 - np.floor(np.log10(abs(spread))), 0, 8))
