"""A ModelSpec in LaTeX, in the notation of Raudenbush and Bryk (2002)."""

from __future__ import annotations

from collections.abc import Mapping

from bayesmlm.errors import SpecError, message
from bayesmlm.spec.latent_means import submodel_latex
from bayesmlm.spec.levelwise import LevelBlock, Levelwise, Line, further_levelwise, levelwise
from bayesmlm.spec.symbols import (
    digits,
    escape,
    factor,
    law,
    parameter_left,
    product,
    residual_line,
    response_lines,
    symbol,
)
from bayesmlm.spec.terms import ModelSpec

_UNITS = "ijklmnopq"
_SEVERAL_COLUMNS = ("C", "bs", "cr", "cc", "cs", "poly")


def latex(
    spec: ModelSpec,
    levels: Mapping[str, tuple[str, ...]] | None = None,
    form: str = "levels",
) -> str:
    r"""Write a model as a LaTeX ``aligned`` environment.

    Coefficients have Greek letters and carry the indices of the groups that they vary over;
    `N` is given its variance, so :math:`\tau_{00}` and :math:`\sigma^2` are variances.

    Parameters
    ----------
    spec
        The model.
    levels
        The grouping that each factor is constant in, as detected in data; without it, the
        declared levels.
    form
        ``"levels"``, an equation a coefficient, or ``"combined"``, one equation.

    Returns
    -------
    str
        LaTeX without the dollar signs.
    """
    written = levelwise(spec, levels)
    if form not in ("levels", "combined"):
        raise SpecError(
            message(f"the form {form!r}", "'levels' or 'combined'", "name one of the two")
        )
    printer = _Printer(spec, written)
    lines = printer.levels() if form == "levels" else printer.combined()
    lines += printer.distributions() + further_lines(spec, levels, form)
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def further_lines(
    spec: ModelSpec, levels: Mapping[str, tuple[str, ...]] | None, form: str
) -> list[str]:
    """Return the lines of the predictors of further parameters."""
    lines: list[str] = []
    for parameter, written in further_levelwise(spec, levels).items():
        printer = _Printer(spec, written, parameter)
        lines += printer.levels() if form == "levels" else printer.combined()
        lines += printer.distributions()
    return lines


class _Printer:
    """Prints the equations; a block has an index letter: i for rows, j for level 2, and so on."""

    def __init__(self, spec: ModelSpec, written: Levelwise, parameter: str = "mu") -> None:
        self.response, self.written = spec.response, written
        self.parameter = parameter
        chain = [block for block in written.blocks if not self._beside(block)]
        beside = [block for block in written.blocks if self._beside(block)]
        letters = dict(zip((b.grouping for b in (*chain, *beside)), _UNITS[1:], strict=False))
        self.indices: dict[tuple[str, ...], str] = {}
        for position, block in enumerate(chain):
            self.indices[block.grouping] = "".join(
                letters.get(outer.grouping, "") for outer in chain[position:]
            )
        for block in beside:
            self.indices[block.grouping] = letters.get(block.grouping, "")
        self.all = _UNITS[0] + "".join(letters.values())
        self.factors = {
            each: self.indices[block.grouping]
            for block in written.blocks
            for line in block.lines
            for slope in line.slopes
            for each in slope.term.factors
        }

    def _beside(self, block: LevelBlock) -> bool:
        first = next(b for b in self.written.blocks if b.number == block.number)
        return block is not first

    def levels(self) -> list[str]:
        """Return the lines of the level-wise form."""
        left, lines = self._left()
        lines.append(f"{left} &= {self._first()}")
        lines[0] = rf"\textbf{{Level 1{self._of()}}} & \\ " + lines[0]
        for number in dict.fromkeys(block.number for block in self.written.blocks):
            blocks = [block for block in self.written.blocks if block.number == number]
            names = ", ".join(escape(":".join(block.grouping)) for block in blocks)
            head = rf"\textbf{{Level {number}{self._of()}}} \text{{ ({names})}} & \\ "
            for left_label in dict.fromkeys(line.left for b in blocks for line in b.lines):
                lines.append(head + self._model(left_label, blocks))
                head = ""
        return lines

    def combined(self) -> list[str]:
        """Return the lines of the combined form."""
        left, lines = self._left()
        summands = [
            product(symbol(label), term, self.factors, self.all)
            for label, term in self.written.fixed()
        ]
        summands += self._offsets()
        for block in self.written.blocks:
            for line in block.lines:
                if line.random is not None:
                    name = symbol(line.random, self.indices[block.grouping])
                    summands.append(product(name, line.product, self.factors, self.all))
        summands += self._residual()
        return [*lines, f"{left} &= {' + '.join(summands) or '0'}"]

    def _of(self) -> str:
        """Return which parameter a level's equations are of, but for the location's."""
        return "" if self.parameter == "mu" else f" of {escape(self.parameter)}"

    def _left(self) -> tuple[str, list[str]]:
        """Return the left side of level 1, and lines on the response."""
        if self.parameter == "mu":
            return response_lines(self.response, self.all)
        return parameter_left(self.response, self.parameter, self.all), []

    def distributions(self) -> list[str]:
        """Return the distributions of residual and random effects."""
        lines: list[str] = []
        if self.written.first.random is not None:
            lines.append(residual_line(self.response, self.written.first.random, self.all))
        several = len(self.written.blocks) > 1
        for block in self.written.blocks:
            group = escape(":".join(block.grouping)) if several else ""
            if self.parameter != "mu":
                group = escape(", ".join([self.parameter, *([group] if group else [])]))
            lines += [
                self._joint(names, kind, block, group)
                for names, kind in zip(block.sets, block.distributions, strict=True)
            ]
        indices = {":".join(grouping): index for grouping, index in self.indices.items()}
        if self.parameter != "mu":
            return lines
        return lines + submodel_latex(self.response.mu, self.all, indices)

    def _joint(self, names: tuple[str, ...], kind: str, block: LevelBlock, group: str) -> str:
        effects = [symbol(name, self.indices[block.grouping]) for name in names]
        terms = [line.product for line in block.lines if line.random in names]
        columns = [each.partition("(")[0] for term in terms for each in term.factors]
        if len(effects) == 1 and not set(columns) & set(_SEVERAL_COLUMNS):
            index = digits(names[0])
            inside = f"{index}{index}" if index.isdecimal() else escape(index)
            inside += rf",\,\text{{{group}}}" if group else ""
            return rf"{effects[0]} &\sim {law(kind, '0', rf'\tau_{{{inside}}}', group)}"
        matrix = r"\mathbf{T}" + (rf"_{{\text{{{group}}}}}" if group else "")
        vector = r" \\ ".join(effects)
        if len(effects) > 1:
            vector = rf"\begin{{pmatrix}} {vector} \end{{pmatrix}}"
        return rf"{vector} &\sim {law(kind, r'\mathbf{0}', matrix, group)}"

    def _coefficient(self, label: str) -> str:
        """Return a coefficient with the indices of the blocks it varies over."""
        modelled = [b for b in self.written.blocks if any(x.left == label for x in b.lines)]
        indices = "".join(sorted({i for b in modelled for i in self.indices[b.grouping]}))
        return symbol(label, indices)

    def _first(self) -> str:
        line = self.written.first
        written = self._summands(line, self.all) + self._offsets() + self._residual()
        return " + ".join(written) or "0"

    def _model(self, label: str, blocks: list[LevelBlock]) -> str:
        """Return a coefficient's equation; crossed blocks add their parts to the first's."""
        summands: list[str] = []
        randoms: list[str] = []
        for block in blocks:
            indices = self.indices[block.grouping]
            for line in block.lines:
                if line.left == label:
                    summands += self._summands(line, indices)
                    randoms += [symbol(line.random, indices)] if line.random else []
        return f"{self._coefficient(label)} &= {' + '.join(summands + randoms) or '0'}"

    def _summands(self, line: Line, indices: str) -> list[str]:
        summands = [self._coefficient(line.intercept)] if line.intercept is not None else []
        for slope in line.slopes:
            name = self._coefficient(slope.label)
            summands.append(product(name, slope.term, self.factors, indices))
        return summands

    def _offsets(self) -> list[str]:
        return [factor(each, self.factors.get(each, self.all)) for each in self.written.offset]

    def _residual(self) -> list[str]:
        residual = self.written.first.random
        return [symbol(residual, self.all)] if residual is not None else []
