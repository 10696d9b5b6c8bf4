"""Tables in LaTeX, for the package booktabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bayesmlm.reports.table import Table

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


def plain_latex(text: str) -> str:
    """Return text as LaTeX writes it outside of formulas."""
    return "".join(LATEX.get(letter, letter) for letter in text)
