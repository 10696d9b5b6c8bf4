"""A ModelSpec written as a formula."""

from __future__ import annotations

from itertools import groupby

from bayesmlm.errors import SpecError, message
from bayesmlm.spec.expression import group_text
from bayesmlm.spec.terms import INTERCEPT, ModelSpec, Predictor, RandomTerm, Residual, Term


def formula_text(spec: ModelSpec, parameter: str = "mu") -> str:
    """Write a model as a formula that `formula()` reads back.

    Family and link are no part of a formula's text, nor are here the predictors of further
    parameters: `formulas_text` has them too.

    Parameters
    ----------
    spec
        The model.
    parameter
        Whose predictor to write: of ``"mu"``, after the response, or of another parameter,
        as the text that `formula()` takes under that keyword.

    Returns
    -------
    str
        The formula.
    """
    if len(spec.responses) != 1 or spec.response.residual != Residual():
        raise _refuse("a model with several responses or structured residuals")
    response = spec.response
    predictors = dict(response.predictors)
    if parameter not in predictors:
        raise SpecError(
            message(
                f"the parameter {parameter!r}",
                f"parameters with a predictor: {', '.join(predictors)}",
                "name one of them",
            )
        )
    right = predictor_text(predictors[parameter])
    if parameter != "mu":
        link = predictors[parameter].link
        return f"~ {right}" if link is None else f"{link}({parameter}) ~ {right}"
    additions = " + ".join(f"{name}({value})" for name, value in response.additions)
    return f"{response.column}{' | ' if additions else ''}{additions} ~ {right}"


def formulas_text(spec: ModelSpec) -> str:
    """Write a model as one text, the formulas of further parameters after semicolons."""
    parts = [formula_text(spec)]
    for name, own in spec.response.further:
        text = formula_text(spec, name)
        parts.append(f"{name} {text}" if own.link is None else text)
    return "; ".join(parts)


def predictor_text(predictor: Predictor) -> str:
    """Write the right side of a formula."""
    summands = [terms_text(predictor.fixed)]
    summands += [f"offset({expression})" for expression in predictor.offset]
    summands += _bars(predictor.random)
    return " + ".join(summands)


def terms_text(terms: tuple[Term, ...]) -> str:
    """Write a sum of terms, with or without the intercept said outright."""
    written = [str(term) for term in terms if not term.is_intercept]
    return " + ".join(["1" if INTERCEPT in terms else "0", *written])


def _bars(random: tuple[RandomTerm, ...]) -> list[str]:
    """Write the bars; `a/b` where two groupings nest and have the same effects."""
    sides: dict[str, list[tuple[str, ...]]] = {}
    bars: list[str] = []
    for options, members in groupby(random, key=_group_options):
        grouping, option = options
        for left in _left_sides(list(members)):
            if option is None:
                sides.setdefault(left, []).append(grouping)
            else:
                bars.append(f"({left} | {option})")
    for left, groupings in sides.items():
        bars += [f"({left} {group})" for group in _nested(groupings)]
    return bars


def _left_sides(terms: list[RandomTerm]) -> list[str]:
    """Write what stands left of the group, bar included for plain groups."""
    single = all(len(term.effects) == 1 for term in terms)
    plain = _group_options(terms[0])[1] is None
    if plain and single and len(terms) > 1:
        together = tuple(effect for term in terms for effect in term.effects)
        return [f"{terms_text(together)} ||"]
    return [terms_text(term.effects) + (" |" if plain else "") for term in terms]


def _nested(groupings: list[tuple[str, ...]]) -> list[str]:
    """Write groupings, each chain `a`, `a:b` as `a/b`."""
    chains: list[list[tuple[str, ...]]] = []
    for grouping in sorted(groupings, key=len):
        chain = next((c for c in chains if grouping[: len(c[-1])] == c[-1]), None)
        if chain is None:
            chains.append([grouping])
        else:
            chain.append(grouping)
    return ["/".join(_steps(chain)) for chain in chains]


def _steps(chain: list[tuple[str, ...]]) -> list[str]:
    done = 0
    steps: list[str] = []
    for grouping in chain:
        steps.append(group_text(grouping[done:]))
        done = len(grouping)
    return steps


def _group_options(term: RandomTerm) -> tuple[tuple[str, ...], str | None]:
    """Return the grouping, and `gr(...)` or `mm(...)` where the term needs one."""
    if term.covariance != "unstructured":
        raise _refuse(f"a covariance {term.covariance!r}")
    if term.members:
        weights = ", ".join(group_text((name,)) for name in term.membership_weights)
        option = f", weights=cbind({weights})" if weights else ""
        return term.grouping, f"mm({', '.join(group_text((m,)) for m in term.members)}{option})"
    options = ""
    if term.by is not None:
        options += f", by={group_text((term.by,))}"
    if term.known_covariance is not None:
        options += f", cov={group_text((term.known_covariance,))}"
    if term.distribution != "normal":
        options += f', dist="{term.distribution}"'
    if term.points is not None:
        options += f", k={term.points}"
    return term.grouping, f"gr({group_text(term.grouping)}{options})" if options else None


def _refuse(got: str) -> SpecError:
    return SpecError(
        message(
            f"{got}, which a formula's text cannot express",
            "one response, and the bars (x | g), (x || g), gr() and mm()",
            "keep the ModelSpec itself",
        )
    )
