r"""`latent(x, g)`: the group mean of x as a quantity to be estimated, in a model's terms.

The observed mean of a few rows is an unreliable measure of its group. `latent(x, g)` is the
mean in the submodel x_ij = mu_x + xi_j + e_ij, the predictor mu_x + xi_j of level 2; beside it
`within(x, g)` is x less this latent mean, and `between(x, g)` has no place.

References
----------
Lüdtke, Marsh, Robitzsch, Trautwein, Asparouhov & Muthén (2008), doi:10.1037/a0012869.
"""

from __future__ import annotations

from collections.abc import Iterator

from bayesmlm.errors import SpecError, UnsupportedError, message
from bayesmlm.spec.symbols import factor as factor_latex
from bayesmlm.spec.terms import ModelSpec, Predictor

_FORMS = "latent(x, g) as a predictor, alone or in products, beside x or within(x, g)"


def arguments(factor: str, function: str) -> tuple[str, str] | None:
    """Return x and g of a factor ``function(x, g)``, None for another factor."""
    if not (factor.startswith(f"{function}(") and factor.endswith(")")):
        return None
    x, _, g = factor[len(function) + 1 : -1].rpartition(", ")
    return x, g


def latent_pairs(predictor: Predictor) -> tuple[tuple[str, str], ...]:
    """Return x and g of every `latent(x, g)` among the fixed terms, once each."""
    found = (arguments(f, "latent") for term in predictor.fixed for f in term.factors)
    return tuple(dict.fromkeys(pair for pair in found if pair is not None))


def check_latent(spec: ModelSpec) -> None:
    """Refuse latent means where they have no meaning, or an ambiguous one.

    Raises
    ------
    SpecError
        Outside the fixed terms, beside `between(x, g)`, or of one x by two groupings.
    UnsupportedError
        Of random effects.
    """
    response = spec.response
    texts = (response.column, *response.mu.offset, *(text for _, text in response.additions))
    for text in texts:
        if "latent(" in text:
            raise _refuse(f"latent() in {text!r}", "write it as a term of the fixed part")
    pairs = latent_pairs(response.mu)
    xs = [x for x, _ in pairs]
    for x in xs:
        if xs.count(x) > 1:
            groups = " and ".join(g for y, g in pairs if y == x)
            raise _refuse(f"latent means of {x} by {groups}", "keep one of the groupings")
    for factor, varies in _factors(response.mu):
        _check_factor(factor, varies, pairs)
    for parameter, predictor in response.predictors:
        for factor, _ in _factors(predictor) if parameter != "mu" else ():
            if "latent(" in factor or any(f"within({x}, " in factor for x in xs):
                raise _unsupported(f"{factor!r} in the formula of {parameter}")


def _factors(mu: Predictor) -> Iterator[tuple[str, bool]]:
    """Yield every factor, and whether its coefficient varies between groups."""
    for term in mu.fixed:
        yield from ((factor, False) for factor in term.factors)
    for random in mu.random:
        yield from ((factor, True) for effect in random.effects for factor in effect.factors)


def _check_factor(factor: str, varies: bool, pairs: tuple[tuple[str, str], ...]) -> None:
    whole = factor.startswith("latent(")
    if "latent(" in factor and not whole:
        raise _refuse(f"latent() inside {factor!r}", "write it as a factor of its own")
    if whole and varies:
        raise _unsupported(f"{factor!r} with a coefficient that varies between groups")
    for x, g in pairs:
        if f"between({x}, " in factor:
            raise _refuse(
                f"{factor!r} beside latent({x}, {g}), two means of one predictor",
                f"write latent({x}, {g}) for the mean that is estimated, between({x}, {g}) for "
                "the observed one",
            )
        if f"within({x}, " not in factor:
            continue
        if factor != f"within({x}, {g})":
            raise _refuse(
                f"{factor!r} beside latent({x}, {g}), from whose mean x is taken",
                f"write within({x}, {g}) as a factor of its own",
            )
        if varies:
            raise _unsupported(f"within({x}, {g}), x less a latent mean, with a varying slope")


def submodel_latex(
    predictor: Predictor, row: str, of_group: dict[str, str], of_row: str = "{}"
) -> list[str]:
    r"""Return the lines of the submodels in LaTeX.

    Parameters
    ----------
    predictor
        With the latent means.
    row
        The indices of a row, ``ij``.
    of_group
        The index of each grouping's groups.
    of_row
        How the group of a row is written, ``"{}[i]"`` in the notation of Gelman and Hill.
    """
    lines = []
    factors = {factor for factor, _ in _factors(predictor)}
    for x, g in latent_pairs(predictor):
        j, name = of_group[g], factor_latex(x)
        mean = factor_latex(f"latent({x}, {g})", j)
        its_mean = factor_latex(f"latent({x}, {g})", of_row.format(j))
        lines += [
            rf"{factor_latex(x, row)} &= {its_mean} + e^{{{name}}}_{{{row}}}",
            rf"{mean} &= \mu_{{{name}}} + \xi^{{{name}}}_{{{j}}}",
            rf"\xi^{{{name}}}_{{{j}}} &\sim N(0,\, \tau_{{{name}}}^2)",
            rf"e^{{{name}}}_{{{row}}} &\sim N(0,\, \sigma_{{{name}}}^2)",
        ]
        if f"within({x}, {g})" in factors:
            inside = factor_latex(f"within({x}, {g})", row)
            lines.append(rf"{inside} &= {factor_latex(x, row)} - {its_mean}")
    return lines


def submodel_text(predictor: Predictor) -> list[str]:
    """Return the submodels as text, two or three lines each."""
    lines = []
    factors = {factor for factor, _ in _factors(predictor)}
    for x, g in latent_pairs(predictor):
        lines.append(f"{x} = latent({x}, {g}) + e,  e ~ N(0, sigma_{x}^2)")
        lines.append(f"latent({x}, {g}) = mu_{x} + xi,  xi ~ N(0, tau_{x}^2) by {g}")
        if f"within({x}, {g})" in factors:
            lines.append(f"within({x}, {g}) = {x} - latent({x}, {g})")
    return lines


def _refuse(got: str, step: str) -> SpecError:
    return SpecError(message(got, _FORMS, step))


def _unsupported(got: str) -> UnsupportedError:
    return UnsupportedError(
        message(
            f"{got}: not implemented yet",
            "varying slopes of observed columns",
            "let the slope of x vary: (x | g), with x in the place of within(x, g)",
        )
    )
