"""A model as TOML: the text of a model file, and of the priors in it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from typing import Any

from bayesmlm import names
from bayesmlm.errors import PriorError, SpecError, message, suggestion
from bayesmlm.priors import LKJ, PRIORS, Prior, Priors
from bayesmlm.spec.render import equations_text, formulas_text
from bayesmlm.spec.terms import ModelSpec

DISTRIBUTIONS: dict[str, type[Prior] | type[LKJ]] = {**PRIORS, "LKJ": LKJ}

_CALL = re.compile(r"\s*(\w+)\s*\((.*)\)\s*", re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")


def prior_text(prior: Prior | LKJ) -> str:
    """Return a prior as a model file writes it, with every digit: ``"Normal(0.0, 2.5)"``."""
    inside = ", ".join(repr(float(getattr(prior, field.name))) for field in fields(prior))
    return f"{type(prior).__name__}({inside})"


def read_prior(text: str) -> Prior | LKJ:
    """Read a prior: ``"Normal(0, 2.5)"``, ``"HalfStudentT(nu=3, sigma=2)"``.

    Raises
    ------
    PriorError
        If the text is not one distribution with numbers.
    """
    found = _CALL.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise _refuse(f"the prior {text!r}", "write for example 'HalfNormal(1)'")
    name = found[1]
    if name not in DISTRIBUTIONS:
        raise _refuse(
            f"the prior distribution {name!r}{suggestion(name, DISTRIBUTIONS)}", "correct the name"
        )
    kind = DISTRIBUTIONS[name]
    try:
        positional, named = arguments(found[2])
        return kind(*positional, **named)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        wanted = ", ".join(field.name for field in fields(kind))
        raise _refuse(f"the prior {text!r}", f"give {name} the numbers {wanted}") from None


def arguments(text: str) -> tuple[list[float], dict[str, float]]:
    """Return the literal arguments of a call, positional and named."""
    call = ast.parse(f"f({text})", mode="eval").body
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        raise ValueError(text)
    positional = [ast.literal_eval(argument) for argument in call.args]
    return positional, {str(item.arg): ast.literal_eval(item.value) for item in call.keywords}


def model_toml(
    spec: ModelSpec, priors: Priors, levels: Mapping[str, tuple[str, ...]], missing: str = "error"
) -> str:
    """Return the text of a model file.

    Parameters
    ----------
    spec
        The model.
    priors
        Its priors; those that the user set are written.
    levels
        The grouping on whose level each factor lives.
    missing
        What is done about missing values.
    """
    response = spec.response
    model: dict[str, Any] = {"formula": formulas_text(spec), "family": response.family}
    if response.link is not None:
        model["link"] = response.link
    with suppress(SpecError):  # of a model that only a formula can say
        model["equations"] = equations_text(spec, levels) + "\n"
    parts: dict[str, dict[str, Any]] = {"model": model}
    if missing != "error":
        parts = {"data": {"missing": missing}} | parts
    if priors.chosen:
        parts["priors"] = chosen_priors(priors)
    return tables(parts)


def chosen_priors(priors: Priors) -> dict[str, str]:
    """Return the priors that the user set, by the name of the parameter."""
    known: dict[str, Prior | LKJ] = dict(priors.coefficients)
    for parameter, own in priors.predictors.items():
        known |= {names.parameter_coef(parameter, n): p for n, p in own.coefficients.items()}
    for group, effects in priors.sds.items():
        known |= {f"{names.sd(group)}[{effect}]": prior for effect, prior in effects.items()}
    known |= {names.corr(group): prior for group, prior in priors.correlations.items()}
    known |= {names.nu(group): prior for group, prior in priors.freedom.items()}
    known |= priors.further
    known |= priors.latent
    return {name: prior_text(prior) for name, prior in known.items() if name in priors.chosen}


def tables(parts: Mapping[str, Mapping[str, Any]]) -> str:
    """Write tables of strings, numbers and booleans as TOML."""
    blocks = []
    for title, values in parts.items():
        lines = [f"{key(name)} = {value(content)}" for name, content in values.items()]
        blocks.append("\n".join([f"[{key(title)}]", *lines]))
    return "\n\n".join(blocks) + "\n"


def key(name: str) -> str:
    """Write a key, quoted where it needs it."""
    return name if _PLAIN.fullmatch(name) else quoted(name)


def value(content: str | float | bool) -> str:
    """Write a string, a number or a boolean."""
    if isinstance(content, bool):
        return "true" if content else "false"
    if isinstance(content, int | float):
        return repr(content)
    if "\n" in content and "'''" not in content:
        body = content.replace("\n", "").replace("\t", "")
        if body.isprintable():
            return f"'''\n{content}'''"
    return quoted(content)


def quoted(text: str) -> str:
    """Write a basic string; TOML's escapes are those of JSON, and DEL besides."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _refuse(got: str, step: str) -> PriorError:
    return PriorError(message(got, ", ".join(DISTRIBUTIONS) + " with numbers", step))
