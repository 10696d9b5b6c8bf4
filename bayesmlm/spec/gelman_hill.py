r"""A ModelSpec in LaTeX, in the notation of Gelman and Hill (2007).

The response has a distribution given its group's coefficients, y_i ~ N(α_j[i] + β_j[i] x_i,
σ_y²), and the coefficients have one given group-level predictors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bayesmlm.spec.latent_means import submodel_latex
from bayesmlm.spec.latex import further_lines
from bayesmlm.spec.levelwise import LevelBlock, Line, levelwise
from bayesmlm.spec.symbols import escape, factor
from bayesmlm.spec.terms import CANONICAL_LINKS, ModelSpec, Term

_INDEX = "jklmopqrst"
_INVERSE = {"logit": r"\mathrm{logit}^{-1}", "probit": r"\Phi", "log": r"\exp"}
_FAMILY = {"bernoulli": "Bernoulli", "binomial": "Binomial", "poisson": "Poisson"}


@dataclass(frozen=True)
class Group:
    """A block of equations, its index letter, and that of the block above it in the chain."""

    block: LevelBlock
    letter: str
    beside: bool
    outer: str | None


def gelman_hill(spec: ModelSpec, levels: Mapping[str, tuple[str, ...]] | None = None) -> str:
    """Write a model as a LaTeX ``aligned`` environment.

    Parameters
    ----------
    spec
        The model.
    levels
        The grouping that each factor is constant in; without it, the declared levels.

    Returns
    -------
    str
        LaTeX without the dollar signs. N is given its variance.
    """
    lines = _Writer(spec, levels).lines() + further_lines(spec, levels, "combined")
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def superscript(symbol: str) -> str:
    """Return a symbol as another one carries it: β₂ as β2, γ^α_0 as γα0."""
    return "".join(letter for letter in symbol if letter not in "_^{}")


class _Writer:
    """Writes the lines; `symbols` has the letter of each coefficient, without its index."""

    def __init__(self, spec: ModelSpec, levels: Mapping[str, tuple[str, ...]] | None) -> None:
        self.response, self.written = spec.response, levelwise(spec, levels)
        self.groups = self._groups()
        first = self.written.first
        self.symbols: dict[str, str] = {}
        if first.intercept is not None:
            self.symbols[first.intercept] = r"\alpha"
        for number, slope in enumerate(first.slopes, start=1):
            several = len(first.slopes) > 1
            self.symbols[slope.label] = rf"\beta_{{{number}}}" if several else r"\beta"
        self.factor_index = {
            each: group.letter
            for group in self.groups
            for line in group.block.lines
            for slope in line.slopes
            for each in slope.term.factors
        }

    def _groups(self) -> list[Group]:
        first_of = {block.number: block for block in reversed(self.written.blocks)}
        chain = [first_of[number] for number in sorted(first_of)]
        letters = {id(b): _INDEX[k] for k, b in enumerate(self.written.blocks)}
        found = []
        for block in self.written.blocks:
            beside = block not in chain
            above = None if beside else chain.index(block) + 1
            outer = letters[id(chain[above])] if above and above < len(chain) else None
            found.append(Group(block, letters[id(block)], beside, outer))
        return found

    def lines(self) -> list[str]:
        """Return the response's line, then those of every group."""
        found = [self._response()]
        for group in self.groups:
            found += self._group(group)
        letters = {":".join(group.block.grouping): group.letter for group in self.groups}
        return found + submodel_latex(self.response.mu, "i", letters, "{}[i]")

    def _response(self) -> str:
        response = self.response
        eta = " + ".join(self._level_1()) or "0"
        y = factor(response.column, "i")
        n = r",\quad i = 1, \ldots, n"
        if response.family == "gaussian" and response.link is None:
            known, precision = response.addition("se"), response.addition("precision")
            varies = "sigma" in dict(response.predictors)
            sigma = r"\sigma_i^2" if varies else r"\sigma_y^2"
            variance = sigma
            if known is not None:
                variance = rf"{factor(known, 'i')}^{{\,2}}"
            elif precision is not None:
                variance = rf"{sigma} / {factor(precision, 'i')}"
            return rf"{y} &\sim N({eta},\, {variance}){n}"
        link = response.link or CANONICAL_LINKS.get(response.family, "identity")
        inverse = _INVERSE.get(link, r"\mathrm{g}^{-1}")
        if response.ordered:
            below = f"c_{{k}} - ({eta})" if " " in eta else f"c_{{k}} - {eta}"
            return rf"P({y} \le k) &= {inverse}({'c_{k}' if eta == '0' else below}){n}"
        name = _FAMILY.get(response.family, escape(response.family))
        trials = response.addition("trials")
        size = "" if trials is None else rf"{self._value(trials)},\, "
        return rf"{y} &\sim \mathrm{{{name}}}({size}{inverse}({eta})){n}"

    def _value(self, expression: str) -> str:
        return expression if expression.isdecimal() else factor(expression, "i")

    def _level_1(self) -> list[str]:
        first = self.written.first
        born = [(first.intercept, Term(()))] if first.intercept is not None else []
        born += [(slope.label, slope.term) for slope in first.slopes]
        summands = []
        for label, term in born:
            owners = [
                group
                for group in self.groups
                if any(x.left == label and not self._constant(x) for x in group.block.lines)
            ]
            parts = [self._indexed(label, group, rf"{group.letter}[i]") for group in owners] or [
                self.symbols[label]
            ]
            if all(group.beside for group in owners) and owners:
                parts.insert(0, self.symbols[label])
            whole = " + ".join(parts)
            if len(parts) > 1 and not term.is_intercept:
                whole = f"({whole})"
            summands.append(self._product(whole, term, "i"))
        return summands + [factor(each, "i") for each in self.written.offset]

    def _indexed(self, label: str, group: Group, index: str) -> str:
        """Return a coefficient of a group; one of a crossing grouping carries its name."""
        base, _, digits = self.symbols[label].partition("_")
        inside = f"{digits.strip('{}')},{index}" if digits else index
        above = rf"^{{\text{{{self._name(group)}}}}}" if group.beside else ""
        return rf"{base}_{{{inside}}}{above}"

    def _name(self, group: Group) -> str:
        return escape(":".join(group.block.grouping))

    def _product(self, symbol: str, term: Term, index: str) -> str:
        factors = [factor(each, self._place(each, index)) for each in term.factors]
        return r" \, ".join([symbol, *factors])

    def _place(self, each: str, index: str) -> str:
        own = self.factor_index.get(each)
        return index if own is None or own == index else f"{own}[{index}]"

    def _group(self, group: Group) -> list[str]:
        for line in group.block.lines:
            self._name_upper(group, line)
        count = rf",\quad {group.letter} = 1, \ldots, J_{{\text{{{self._name(group)}}}}}"
        lines = {line.random: line for line in group.block.lines if line.random is not None}
        found = [
            self._joint([lines[n] for n in names], group) + count for names in group.block.sets
        ]
        for line in group.block.lines:
            if line.random is None and not self._constant(line):
                left = self._left(line, group)
                found.append(f"{left} &= {self._mean(line, group)}")
        return found

    def _name_upper(self, group: Group, line: Line) -> None:
        """Coin the letters of a group-level equation: γ with the coefficient above it."""
        tall = superscript(self.symbols[line.left])
        if line.intercept is not None:
            self.symbols[line.intercept] = rf"\gamma^{{{tall}}}_{{0}}"
        mark = rf",\text{{{self._name(group)}}}" if group.beside else ""
        for number, slope in enumerate(line.slopes, start=1):
            self.symbols[slope.label] = rf"\gamma^{{{tall}{mark}}}_{{{number}}}"

    def _mean(self, line: Line, group: Group) -> str:
        summands = []
        born = [(line.intercept, Term(()))] if line.intercept is not None else []
        born += [(slope.label, slope.term) for slope in line.slopes]
        for label, term in born:
            symbol = self.symbols[label]
            if group.outer is not None and self._modelled(label):
                symbol = symbol[:-1] + rf",{group.outer}[{group.letter}]}}"
            summands.append(self._product(symbol, term, group.letter))
        return " + ".join(summands) or "0"

    def _modelled(self, label: str) -> bool:
        """Return whether a coefficient differs between the groups of some equation."""
        lines = [line for group in self.groups for line in group.block.lines if line.left == label]
        return any(not self._constant(line) for line in lines)

    def _constant(self, line: Line) -> bool:
        """Return whether an equation only renames a coefficient that is one for all groups."""
        bare = line.random is None and not line.slopes
        return bare and (line.intercept is None or not self._modelled(line.intercept))

    def _left(self, line: Line, group: Group) -> str:
        if line.left in (
            self.written.first.intercept,
            *(s.label for s in self.written.first.slopes),
        ):
            return self._indexed(line.left, group, group.letter)
        return self.symbols[line.left][:-1] + rf",{group.letter}}}"

    def _joint(self, lines: list[Line], group: Group) -> str:
        lefts = [self._left(line, group) for line in lines]
        means = [self._mean(line, group) for line in lines]
        name = self._name(group)
        if len(lines) == 1:
            tall = superscript(self.symbols[lines[0].left])
            variance = rf"\sigma_{{{tall},\text{{{name}}}}}^2"
            return rf"{lefts[0]} &\sim N({means[0]},\, {variance})"
        left, mean = (
            rf"\begin{{pmatrix}} {r' \\ '.join(each)} \end{{pmatrix}}" for each in (lefts, means)
        )
        return rf"{left} &\sim N\left({mean},\, \mathbf{{\Sigma}}_{{\text{{{name}}}}}\right)"
