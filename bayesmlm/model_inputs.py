"""What a model is given, checked: specification and family, priors by name, fits, counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayesmlm.design import Design
from bayesmlm.errors import EngineError, FamilyError, PriorError, SpecError, message
from bayesmlm.families import Family
from bayesmlm.families import family as family_of
from bayesmlm.priors import Prior
from bayesmlm.priors.lkj import LKJ
from bayesmlm.spec import ModelSpec, formula
from bayesmlm.spec.render import formula_text
from bayesmlm.spec.support import refuse_unsupported
from bayesmlm.spec.terms import Response


def resolve_spec(spec: ModelSpec | str, family: str | None, link: str | None) -> ModelSpec:
    """Return the specification with its family, refusing what is not implemented."""
    if isinstance(spec, str):
        spec = formula(spec)
    if not isinstance(spec, ModelSpec):
        raise SpecError(
            message(
                f"a specification of type {type(spec).__name__}",
                "bayesmlm.formula(…), bayesmlm.equations(…), or a formula as text",
                "write the model as text first",
            )
        )
    refuse_unsupported(spec)
    response = spec.response
    check_text("family", family)
    check_text("link", link)
    if family is None and link is None:
        return spec
    wanted = response.family if family is None else family
    same = family is None or wanted == response.family or not response.family_declared
    kept = response.link if same else None
    wanted_link = kept if link is None else link
    new = family_of(wanted, wanted_link)
    if says_otherwise(response, new):
        raise FamilyError(
            message(
                f"family={wanted!r}, link={wanted_link!r} beside a specification that says "
                f"{response.family} ({response.link or 'canonical link'})",
                "one of them",
                "leave family and link out of Model(), or change the specification",
            )
        )
    return spec.with_family(wanted, wanted_link)


def says_otherwise(response: Response, new: Family) -> bool:
    """Return whether a specification itself names another family or link than `new`."""
    if response.family_declared:
        return new != family_of(response.family, response.link)
    return response.link is not None and new.link.name != response.link


def check_same_model(own: Design, other: Design) -> None:
    """Raise `EngineError` for a fit of another model, or of other rows."""
    if own.spec != other.spec or own.X.shape != other.X.shape:
        raise EngineError(
            message(
                f"a fit of another model: {formula_text(other.spec)}, {len(other.y):,} rows",
                f"fits of {formula_text(own.spec)}, {len(own.y):,} rows",
                "simulate from the model that was fitted",
            )
        )


def check_text(what: str, name: Any) -> None:
    """Raise `FamilyError` for the name of a family or a link that is not text."""
    if name is not None and not isinstance(name, str):
        got = f"a {what} of type {type(name).__name__}"
        raise FamilyError(message(got, f"the name of a {what}", 'for example family="bernoulli"'))


def check_mapping(priors: Any) -> Mapping[str, Prior | LKJ] | None:
    """Return the priors, if they are given by name."""
    if priors is not None and not isinstance(priors, Mapping):
        raise PriorError(
            message(
                f"priors of type {type(priors).__name__}",
                "a dictionary of priors by parameter name",
                'for example priors={"sigma": bayesmlm.HalfNormal(1)}',
            )
        )
    return priors


def check_count(name: str, value: Any) -> None:
    """Raise `EngineError` for anything but a whole number from 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise EngineError(
            message(f"{name}={value!r}", "a whole number from 1", f"pass {name}=500, for example")
        )
