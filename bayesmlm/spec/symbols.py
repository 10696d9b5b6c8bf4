"""LaTeX of names: labels with Greek letters and indices, columns, distributions."""

from __future__ import annotations

import re

from bayesmlm.spec.expression import is_name, variables
from bayesmlm.spec.terms import CANONICAL_LINKS, PARAMETER_LINKS, Response, Term

_LETTERS = {
    "a": r"\alpha", "b": r"\beta", "g": r"\gamma", "d": r"\delta", "p": r"\pi", "t": r"\theta",
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon",
    "ζ": r"\zeta", "η": r"\eta", "θ": r"\theta", "κ": r"\kappa", "λ": r"\lambda", "μ": r"\mu",
    "ν": r"\nu", "ξ": r"\xi", "π": r"\pi", "ρ": r"\rho", "τ": r"\tau", "φ": r"\varphi",
    "ψ": r"\psi", "ω": r"\omega",
}  # fmt: skip
_ESCAPES = {"\\": r"\backslash ", "^": r"\wedge ", "~": r"\sim "}
_FAMILIES = {
    "bernoulli": (r"\mathrm{Bernoulli}", r"\varphi"),
    "binomial": (r"\mathrm{Binomial}", r"\varphi"),
    "poisson": (r"\mathrm{Poisson}", r"\lambda"),
}


_PARAMETERS = {"sigma": r"\sigma", "nu": r"\nu", "phi": r"\phi"}


def escape(text: str) -> str:
    """Return text for a LaTeX formula's text mode."""
    return "".join(
        "\\" + c if c in "_&%$#{}" else f"${_ESCAPES[c]}$" if c in _ESCAPES else c for c in text
    )


def symbol(label: str, indices: str = "") -> str:
    r"""Return a coefficient or random effect: ``b0`` with index j is ``\beta_{0j}``."""
    match = re.fullmatch(r"([^\W\d])_?(\d(?:[\d_]*\d)?)?", label)
    if match is None:
        base, digits = rf"\mathit{{{escape(label)}}}", ""
    else:
        base, digits = _LETTERS.get(match[1], match[1]), (match[2] or "").replace("_", ",")
    return base + _subscript(digits + indices)


def digits(label: str) -> str:
    """Return the digits of a label, or the label itself where it has none."""
    found = re.search(r"\d[\d_]*", label)
    return found.group() if found is not None else label


def factor(expression: str, indices: str = "") -> str:
    """Return a factor: a column in italics, a function of columns as text."""
    if not is_name(expression):
        return rf"\text{{{escape(expression)}}}" + _subscript(indices)
    name = variables(expression)[0]
    return (name if len(name) == 1 else rf"\mathit{{{escape(name)}}}") + _subscript(indices)


def product(label: str, term: Term, indices: dict[str, str], default: str) -> str:
    """Return a coefficient, already LaTeX, times the factors of a term."""
    factors = [factor(each, indices.get(each, default)) for each in term.factors]
    return r" \, ".join([label, *factors])


def response_lines(response: Response, indices: str) -> tuple[str, list[str]]:
    """Return the left side of the level-1 equation, and how the response is distributed.

    Parameters
    ----------
    response
        The outcome.
    indices
        The indices of a row.
    """
    y, eta = factor(response.column, indices), r"\eta" + _subscript(indices)
    known_sd = response.addition("se")
    if response.family == "gaussian" and response.link is None:
        if known_sd is None:
            return y, []
        return eta, [rf"{y} &\sim N({eta},\, {_squared(known_sd, indices)})"]
    if response.ordered:
        link = response.link or CANONICAL_LINKS[response.family]
        below = rf"\mathrm{{{escape(link)}}}(P({y} \le k))"
        return eta, [rf"{below} &= \theta_{{k}} - {eta}"]
    name, mean = _FAMILIES.get(response.family, (rf"\mathrm{{{escape(response.family)}}}", r"\mu"))
    mean += _subscript(indices)
    trials = response.addition("trials")
    size = f"{_value(trials, indices)},\\, " if trials is not None else ""
    link = response.link or CANONICAL_LINKS.get(response.family, "g")
    linked = mean if link == "identity" else rf"\mathrm{{{escape(link)}}}({mean})"
    return eta, [rf"{y} &\sim {name}({size}{mean})", rf"{eta} &= {linked}"]


def parameter_left(response: Response, parameter: str, indices: str) -> str:
    r"""Return the left side of a further parameter's equation: ``\mathrm{log}(\sigma_{ij})``."""
    own = _PARAMETERS.get(parameter, rf"\mathit{{{escape(parameter)}}}") + _subscript(indices)
    link = dict(response.predictors)[parameter].link or PARAMETER_LINKS.get(parameter)
    return own if link in (None, "identity") else rf"\mathrm{{{escape(link)}}}({own})"


def residual_line(response: Response, residual: str, indices: str) -> str:
    """Return the distribution of the level-1 residual."""
    weight = response.addition("precision")
    by_row = _subscript(indices) if "sigma" in dict(response.predictors) else ""
    variance = rf"\sigma{by_row}^2"
    variance += "" if weight is None else rf" / {_value(weight, indices)}"
    return rf"{symbol(residual, indices)} &\sim N(0,\, {variance})"


def law(distribution: str, mean: str, variance: str, group: str) -> str:
    r"""Return the distribution of random effects of a mean and (co)variance, in LaTeX.

    Parameters
    ----------
    distribution
        ``"normal"``, ``"student"`` or ``"points(3)"``.
    mean, variance, group
        In LaTeX; the group is empty where there is only one.
    """
    inside = rf"({mean},\, {variance})"
    label = rf"_{{\text{{{group}}}}}" if group else ""
    if distribution == "normal":
        return f"N{inside}"
    if distribution == "student":
        return rf"t_{{\nu{label}}}{inside}"
    number = distribution.removeprefix("points(").removesuffix(")")
    return rf"\sum_{{k=1}}^{{{number}}} \pi_k \, \delta_{{\alpha_k}}"


def _squared(expression: str, indices: str) -> str:
    value = _value(expression, indices)
    return rf"{value}^{{\,2}}" if is_name(expression) else rf"\left({value}\right)^2"


def _value(expression: str, indices: str) -> str:
    return factor(expression, indices) if variables(expression) else expression


def _subscript(text: str) -> str:
    return f"_{{{text}}}" if text else ""
