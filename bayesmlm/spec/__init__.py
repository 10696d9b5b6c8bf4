"""Floor 1: what a model is, and the two notations it is read from and written in."""

from bayesmlm.spec.equations import equations
from bayesmlm.spec.formula import formula
from bayesmlm.spec.terms import (
    CANONICAL_LINKS,
    INTERCEPT,
    INTERCEPT_LABEL,
    Declarations,
    ModelSpec,
    Predictor,
    RandomTerm,
    Residual,
    Response,
    Term,
)

__all__ = [
    "CANONICAL_LINKS",
    "INTERCEPT",
    "INTERCEPT_LABEL",
    "Declarations",
    "ModelSpec",
    "Predictor",
    "RandomTerm",
    "Residual",
    "Response",
    "Term",
    "equations",
    "formula",
]
