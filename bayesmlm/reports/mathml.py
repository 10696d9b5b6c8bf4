r"""The LaTeX of this package's equations as MathML, which browsers show without a script.

Only what `bayesmlm.spec.latex`, `bayesmlm.spec.gelman_hill` and `bayesmlm.reports.numbers`
write is understood: ``aligned``, ``pmatrix``, text, Greek letters, indices and exponents.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

from bayesmlm.errors import SpecError, message

SYMBOLS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "pi": "π", "theta": "θ",
    "varepsilon": "ε", "zeta": "ζ", "eta": "η", "kappa": "κ", "lambda": "λ", "mu": "μ",
    "nu": "ν", "xi": "ξ", "rho": "ρ", "tau": "τ", "varphi": "φ", "psi": "ψ", "omega": "ω",
    "sigma": "σ", "Sigma": "Σ", "Phi": "Φ",
}  # fmt: skip
OPERATORS = {
    "sim": "∼",
    "le": "≤",
    "sum": "∑",
    "ldots": "…",
    "exp": "exp",
    "pm": "±",
    "wedge": "∧",
    "backslash": "\\",
}
SPACES = {",": "0.17em", "quad": "1em"}
STYLES = {"mathit": "italic", "mathrm": "normal", "mathbf": "bold", "textbf": "bold"}

BRACKETS = (
    "border:solid;border-width:0 1.5px;border-radius:.7em / 50%;padding:0 .25em;margin:0 .1em"
)
"""Round brackets of a column; those of fonts grow only where a font for mathematics is there."""

_TOKEN = re.compile(r"\\([a-zA-Z]+|.)|(\d+(?:[.,]\d+)*)|\s+|(.)", re.DOTALL)
_TEXT = re.compile(r"\\(?:text|textbf|mathit|mathrm)\{")


@dataclass(frozen=True)
class Node:
    """Part of a formula: MathML, and the same as plain text."""

    markup: str
    plain: str


def mathml(latex: str) -> str:
    """Return a displayed formula in MathML, its LaTeX kept as an annotation.

    Raises
    ------
    SpecError
        For LaTeX that this package does not write.
    """
    inside = Reader(latex).everything().markup
    note = f'<annotation encoding="application/x-tex">{escape(latex)}</annotation>'
    return (
        '<math display="block" xmlns="http://www.w3.org/1998/Math/MathML">'
        f"<semantics><mrow>{inside}</mrow>{note}</semantics></math>"
    )


def plain(latex: str) -> str:
    """Return a formula as text: indices in brackets, a row a line."""
    lines = Reader(latex).everything().plain.splitlines()
    return "\n".join(re.sub(r" {2,}", "  ", line).strip() for line in lines)


class Reader:
    """Reads LaTeX from left to right."""

    def __init__(self, latex: str) -> None:
        self.latex, self.at = latex, 0

    def everything(self) -> Node:
        """Return the whole formula."""
        return self.until("")

    def until(self, *ends: str) -> Node:
        """Read up to one of the ends, which is left to be read; an empty end is that of all."""
        nodes: list[Node] = []
        while self.at < len(self.latex):
            if any(end and self.latex.startswith(end, self.at) for end in ends):
                return row(nodes)
            found = self.atom()
            if found is not None:
                nodes.append(self.scripts(found))
        if "" not in ends:
            raise self.refuse("the end")
        return row(nodes)

    def scripts(self, base: Node) -> Node:
        """Read the index and the exponent that follow a part."""
        parts: dict[str, Node] = {}
        while self.at < len(self.latex) and self.latex[self.at] in "_^":
            mark = self.latex[self.at]
            self.at += 1
            parts[mark] = self.group()
        if not parts:
            return base
        below, above = parts.get("_"), parts.get("^")
        text = base.plain
        text += f"[{below.plain}]" if below else ""
        if above:
            text += (
                "²" if above.plain.strip() == "2" else f"^({above.plain.strip().replace(' ', '')})"
            )
        inner = base.markup + "".join(each.markup for each in (below, above) if each)
        tag = "msubsup" if below and above else "msub" if below else "msup"
        return Node(f"<{tag}>{inner}</{tag}>", text)

    def group(self) -> Node:
        """Read a part in braces, or one letter."""
        if self.latex.startswith("{", self.at):
            self.at += 1
            inside = self.until("}")
            self.at += 1
            return inside
        found = self.atom()
        if found is None:
            raise self.refuse("a space")
        return found

    def atom(self) -> Node | None:
        """Read the next part; None for a space."""
        if _TEXT.match(self.latex, self.at):
            return self.words()
        found = _TOKEN.match(self.latex, self.at)
        if found is None:
            raise self.refuse("the end")
        command, number, letter = found.groups()
        if letter == "{":
            return self.group()
        self.at = found.end()
        if command is not None:
            return self.command(command)
        if number is not None:
            return Node(f"<mn>{number}</mn>", number)
        if letter is None:
            return None
        if letter.isalpha():
            return Node(f"<mi>{escape(letter)}</mi>", letter)
        sign = {"-": "−"}.get(letter, letter)
        spaced = f" {sign} " if letter in "+-=" else sign
        return Node(f"<mo{fence(letter)}>{escape(sign)}</mo>", spaced)

    def command(self, name: str) -> Node:
        """Read what follows a backslash."""
        if name in SYMBOLS:
            return Node(f"<mi>{SYMBOLS[name]}</mi>", SYMBOLS[name])
        if name in OPERATORS:
            sign = OPERATORS[name]
            return Node(f"<mo>{escape(sign)}</mo>", f" {sign} " if name in ("sim", "le") else sign)
        if name in SPACES:
            return Node(f'<mspace width="{SPACES[name]}"/>', " ")
        if name in ("left", "right"):
            letter = self.latex[self.at]
            self.at += 1
            return Node(f"<mo stretchy='true'>{escape(letter)}</mo>", letter)
        if name in STYLES:
            inside = self.group()
            weight = f"font-weight:{STYLES[name]}"
            return Node(f'<mrow style="{weight}">{inside.markup}</mrow>', inside.plain)
        if name == "begin":
            return self.environment()
        raise self.refuse(f"\\{name}")

    def words(self) -> Node:
        """Read text: names of columns and groups, with what LaTeX escapes."""
        style, self.at = (
            self.latex[self.at + 1 : self.latex.index("{", self.at)],
            self.latex.index("{", self.at),
        )
        depth, start = 0, self.at + 1
        while True:
            letter = self.latex[self.at]
            if letter == "\\":
                self.at += 2
                continue
            depth += {"{": 1, "}": -1}.get(letter, 0)
            self.at += 1
            if depth == 0:
                break
        text = unescape(self.latex[start : self.at - 1])
        looks = {"textbf": "font-weight:bold", "mathit": "font-style:italic"}.get(style, "")
        attribute = f' style="{looks}"' if looks else ""
        kept = text.replace(" ", "\u00a0")  # a space at the edge would be lost
        return Node(f"<mtext{attribute}>{escape(kept)}</mtext>", text)

    def environment(self) -> Node:
        """Read ``aligned`` or ``pmatrix`` to its end."""
        name = self.word()
        rows: list[list[Node]] = [[]]
        end = rf"\end{{{name}}}"
        while True:
            rows[-1].append(self.until("&", r"\\", end))
            if self.latex.startswith(end, self.at):
                self.at += len(end)
                break
            new = self.latex.startswith("\\", self.at)
            self.at += 2 if new else 1
            if new:
                rows.append([])
        if name not in ("aligned", "pmatrix"):
            raise self.refuse(name)
        return table(name, rows)

    def word(self) -> str:
        """Read a name in braces."""
        stop = self.latex.index("}", self.at)
        found, self.at = self.latex[self.at + 1 : stop], stop + 1
        return found

    def refuse(self, got: str) -> SpecError:
        """Return the error for what is not understood."""
        return SpecError(
            message(
                f"{got} in LaTeX to be shown without a script",
                "the LaTeX of equations()",
                "report this formula as a fault of bayesmlm",
            )
        )


def row(nodes: list[Node]) -> Node:
    """Return parts one after the other."""
    markup = "".join(node.markup for node in nodes)
    return Node(f"<mrow>{markup}</mrow>", "".join(node.plain for node in nodes))


def table(name: str, rows: list[list[Node]]) -> Node:
    """Return rows under one another."""
    align = ("right", "left") if name == "aligned" else ("center",)
    lines = []
    for each in rows:
        cells = (
            f'<mtd style="text-align:{align[k % len(align)]};padding:0.25em 0.12em">'
            f"{cell.markup}</mtd>"
            for k, cell in enumerate(each)
        )
        lines.append(f"<mtr>{''.join(cells)}</mtr>")
    body = f'<mtable displaystyle="true">{"".join(lines)}</mtable>'
    texts = ["".join(cell.plain for cell in each).strip() for each in rows]
    if name == "aligned":
        return Node(body, "\n".join(texts))
    wrapped = f'<mrow style="{BRACKETS}">{body}</mrow>'
    return Node(wrapped, f"({'; '.join(texts)})")


def fence(letter: str) -> str:
    """Return the attribute that keeps brackets at the height of a line."""
    return ' stretchy="false"' if letter in "()[]" else ""


def unescape(text: str) -> str:
    """Return text without what LaTeX needs in front of its signs."""
    text = re.sub(r"\$\\(\w+) \$", lambda m: {"sim": "~"}.get(m[1], OPERATORS.get(m[1], "")), text)
    return re.sub(r"\\([_&%$#{}])", r"\1", text)
