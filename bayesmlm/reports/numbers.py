"""Equations with their estimates: each coefficient its posterior mean, its SD in brackets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesmlm import names
from bayesmlm.design.encoding import Encoding
from bayesmlm.reports.cells import cell
from bayesmlm.reports.comparison import centre
from bayesmlm.reports.levels import columns_of
from bayesmlm.result import FitResult
from bayesmlm.spec.levelwise import LevelBlock, Levelwise, Line, levelwise
from bayesmlm.spec.outcome import outcome_text, predictor_text
from bayesmlm.spec.symbols import escape, symbol
from bayesmlm.spec.terms import INTERCEPT, Term
from bayesmlm.summaries import corr, fixef
from bayesmlm.summaries.draws import flatten


@dataclass(frozen=True)
class Estimates:
    """What stands in the equations of a fit.

    Parameters
    ----------
    rows
        The level-wise equations, (header, equation), with numbers.
    latex
        The same in LaTeX, each a pair around the relation.
    """

    rows: tuple[tuple[str, str], ...]
    latex: str

    @property
    def text(self) -> str:
        """The equations, aligned."""
        width = max(len(header) for header, _ in self.rows) + 1
        return "\n".join(f"{header:<{width}}{line}" for header, line in self.rows)


def estimates_of(result: FitResult) -> Estimates:
    """Return the level-wise equations of a fit with its estimates."""
    writer = _Writer(result)
    return Estimates(tuple(writer.rows()), writer.latex())


class _Writer:
    """Writes equations; a coefficient that an equation models keeps its name."""

    def __init__(self, result: FitResult) -> None:
        self.result = result
        self.written: Levelwise = levelwise(result.spec, result.design.factor_levels)
        self.modelled = {line.left for line in self.written.lines}
        frame = fixef(result) if result.design.coef else None
        self.values: dict[str, str] = {}
        if frame is not None:
            mean, error = ("estimate", "se") if "se" in frame else ("mean", "sd")
            for name, row in frame.iterrows():
                shown = cell("mean", row[mean], row[error])
                self.values[str(name)] = f"{shown} ({cell('sd', row[error], row[error])})"

    def summands(self, line: Line) -> dict[str, list[tuple[str, str]]]:
        """Return (number or name, predictor) of an equation's right side.

        By what the equation's coefficient multiplies: one column, several for a factor.
        """
        born = [(line.intercept, INTERCEPT, line.product)] if line.intercept is not None else []
        born += [(slope.label, slope.term, slope.product) for slope in line.slopes]
        found: dict[str, list[tuple[str, str]]] = {}
        named: list[tuple[str, str]] = []
        for label, term, whole in born:
            if label in self.modelled:
                named.append((label, "" if term.is_intercept else str(term)))
                continue
            for column in columns_of(self.result, whole, term):
                summand = self.values[column.name], "" if term.is_intercept else column.own
                found.setdefault(column.outer, []).append(summand)
        if not found:
            return {"": named}
        return {outer: [*named, *own] for outer, own in found.items()}

    def sides(self, line: Line) -> list[tuple[str, list[tuple[str, str]]]]:
        """Return (what follows the left side, summands) of every equation of a line."""
        parts = self.summands(line)
        if len(parts) == 1 and not any(outer.endswith("]") for outer in parts):
            return [("", own) for own in parts.values()]
        return [(f" of {outer}" if outer else "", own) for outer, own in parts.items()]

    def right(
        self, summands: list[tuple[str, str]], random: str | None, offset: tuple[str, ...] = ()
    ) -> str:
        """Return the right side as text."""
        parts = [f"{number}*{name}" if name else number for number, name in summands]
        parts += [f"offset({each})" for each in offset]
        parts += [random] if random is not None else []
        return (" + ".join(parts) or "0").replace("+ -", "- ")

    def rows(self) -> list[tuple[str, str]]:
        """Return headers and equations, then the distributions."""
        written = self.written
        if self.result.design.family.unordered:
            return [("", text) for text in self.further()]
        left = outcome_text(self.result.spec.response, strict=False)
        first = written.first
        own = [each for _, summands in self.sides(first) for each in summands]
        right = predictor_text(
            self.result.spec.response, self.right(own, first.random, written.offset)
        )
        rows = [("level 1:", f"{left} = {right}")]
        rows += [("", text) for text in self.level_1()]
        for block in written.blocks:
            header = f"level {block.number} ({':'.join(block.grouping)}):"
            texts = [
                f"{line.left}{of} = {self.right(summands, line.random)}"
                for line in block.lines
                for of, summands in self.sides(line)
            ]
            texts += self.distributions(block)
            rows += [(header if number == 0 else "", text) for number, text in enumerate(texts)]
        return rows + [("", text) for text in self.further()]

    def further(self) -> list[str]:
        """Return the formulas of further parameters, each in one equation, and their SDs."""
        lines = []
        for part in self.result.design.further:
            name = names.of_parameter(names.BETA, part.target)
            draws = flatten(self.result.posterior[name])[0].T if part.coef else ()
            terms = [
                with_error(own) + ("" if coef == names.INTERCEPT else f"*{coef}")
                for coef, own in zip(part.coef, draws, strict=True)
            ]
            response = self.result.spec.response
            predictor = dict(response.predictors).get(part.target, response.mu)
            terms += [f"offset({each})" for each in predictor.offset]
            terms += [f"effects by {block.grouping.name}" for block in part.random]
            lines.append(f"{part.sentence} = {' + '.join(terms) or '0'}".replace("+ -", "- "))
            for block in part.random:
                sds = flatten(self.result.posterior[names.sd(block.name)])[0].T
                lines += [
                    f"{effect} by {block.grouping.name}, SD {with_error(own)}"
                    for effect, own in zip(block.effects, sds, strict=True)
                ]
        return lines

    def level_1(self) -> list[str]:
        """Return the residual's SD, and every other further parameter of the response."""
        lines = []
        residual = self.written.first.random
        for parameter in self.result.design.parameters:
            draws, index = flatten(self.result.posterior[parameter.name])
            for at, values in zip(index, draws.T, strict=True):
                name = f"{parameter.name}[{', '.join(at)}]" if at else parameter.name
                shown = with_error(values)
                if parameter.name == names.SIGMA and residual is not None:
                    lines.append(f"{residual} ~ Normal, SD {shown}")
                else:
                    lines.append(f"{name} = {shown}")
        return lines

    def law(self, random: str, block: LevelBlock, group: str) -> str:
        """Return the distribution of a random effect in words."""
        pairs = zip(block.sets, block.distributions, strict=True)
        kind = next(kind for members, kind in pairs if random in members)
        if kind == "normal":
            return "Normal"
        if kind == "student":
            nu = with_error(flatten(self.result.posterior[names.nu(group)])[0][:, 0])
            return f"Student-t with {nu} degrees of freedom"
        return f"one of {kind.removeprefix('points(').removesuffix(')')} points"

    def distributions(self, block: LevelBlock) -> list[str]:
        """Return the SDs of a block's effects and the correlations between them."""
        found = self.result.design.block(":".join(block.grouping))
        sds = flatten(self.result.posterior[names.sd(found.name)])[0]
        by_effect = {
            effect: with_error(draws) for effect, draws in zip(found.effects, sds.T, strict=True)
        }
        lines = []
        for line in block.lines:
            if line.random is None:
                continue
            columns = self.effect_names(found.encodings, line.product)
            spreads = ", ".join(
                by_effect[name] + (f" of {name}" if len(columns) > 1 else "") for name in columns
            )
            lines.append(
                f"{line.random} ~ {self.law(line.random, block, found.name)}, SD {spreads}"
            )
        if found.pairs:
            matrix = corr(self.result, found.name).to_numpy()
            shown = ", ".join(f"{matrix[i, j]:.2f}" for i, j in found.pairs)
            effects = ", ".join(line.random for line in block.lines if line.random is not None)
            lines.append(f"correlation of {effects}: {shown}")
        return lines

    def effect_names(self, encodings: tuple[Encoding, ...], product: Term) -> list[str]:
        """Return the effect columns of a term."""
        return [
            name
            for encoding in encodings
            for name, at in zip(encoding.columns, encoding.term_of, strict=True)
            if encoding.terms[at] == product
        ]

    def latex(self) -> str:
        """Return the equations in LaTeX."""
        written = self.written
        if self.result.design.family.unordered:
            texts = [rf"&\text{{{escape(text)}}}" for text in self.further()]
            return "\\begin{aligned}\n" + " \\\\\n".join(texts) + "\n\\end{aligned}"
        response = self.result.spec.response
        y = rf"\text{{{escape(outcome_text(response, strict=False))}}}"
        first = [each for _, summands in self.sides(written.first) for each in summands]
        right = self.right_latex(first, written.first.random)
        if response.ordered:
            below = "" if right == "0" else f" - ({right})"
            right = rf"\text{{thresholds}}_{{k}}{below}"
        lines = [rf"{y} &= {right}"]
        for line in written.lines:
            for of, summands in self.sides(line):
                left = symbol(line.left) + (rf"\text{{{escape(of)}}}" if of else "")
                lines.append(f"{left} &= {self.right_latex(summands, line.random)}")
        for block in written.blocks:
            lines += [rf"&\text{{{escape(text)}}}" for text in self.distributions(block)]
        lines += [rf"&\text{{{escape(text)}}}" for text in (*self.level_1(), *self.further())]
        return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"

    def right_latex(self, summands: list[tuple[str, str]], random: str | None) -> str:
        """Return the right side in LaTeX."""
        parts = []
        for number, name in summands:
            head = symbol(number) if number in self.modelled else rf"\text{{{number}}}"
            parts.append(head + (rf" \, \text{{{escape(name)}}}" if name else ""))
        parts += [symbol(random)] if random is not None else []
        return (" + ".join(parts) or "0").replace(r"+ \text{-", r"- \text{")


def with_error(draws: np.ndarray) -> str:
    """Return "1.56 (0.12)"; a point has no SD."""
    estimate, error = centre(draws)
    if not np.isfinite(error):
        return f"{estimate:.4g}"
    return f"{cell('mean', estimate, error)} ({cell('sd', error, error)})"
