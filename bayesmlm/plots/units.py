"""Units of effects, for the labels of axes."""

from __future__ import annotations

from bayesmlm.design import Design
from bayesmlm.names import INTERCEPT


def predictor_unit(design: Design) -> str:
    """Return the unit of the linear predictor: the response, or its logit, probit or log."""
    column, link = design.spec.response.column, design.family.link.name
    if design.family.name == "lognormal":
        return f"log of {column}"
    return column if link == "identity" else f"{link} of {column}"


def unit(design: Design, effect: str) -> str:
    """Return the unit of an effect: of a slope, a unit of the predictor a unit of x."""
    base = predictor_unit(design)
    return base if effect == INTERCEPT else f"{base} per unit of {effect}"
