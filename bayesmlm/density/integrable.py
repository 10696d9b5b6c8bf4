"""Which generalized models have effects that the numerical integrals can take."""

from __future__ import annotations

from bayesmlm.density.hyperparameters import formulas
from bayesmlm.design import Design
from bayesmlm.families.rows import code


def refusal(design: Design) -> str | None:
    """Return why no integral over the effects is computed, or None where one is."""
    family = design.family
    if family.unordered:
        return f"the {family.name} family has a linear predictor for each category"
    if code(family) is None:
        return f"the {family.name} family has no compiled density"
    varying = formulas(design)
    if varying is not None:
        return varying
    other = next((block for block in design.random if not block.is_normal), None)
    if other is not None:
        return f"the effects by {other.name} are not normal ({other.distribution})"
    return design.latent.reason or None
