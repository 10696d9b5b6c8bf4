"""Default priors of the formulas of further parameters, on the scale of their links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bayesmlm.design import ParameterDesign
from bayesmlm.families.parameter import REAL
from bayesmlm.priors.distributions import Normal
from bayesmlm.priors.prior import Prior

SCALES = {"log": 1.0, "logit": 2.5, "probit": 1.5, "cloglog": 1.75}
"""Scale of slopes (per SD of the predictor) and of SDs where the link has a scale of its own."""

WIDTH = 3.919928
"""Length of the central 95 % interval of a normal distribution, in SDs."""


@dataclass(frozen=True)
class FixedPriors:
    """Priors of the fixed part of one further parameter's formula.

    Parameters
    ----------
    coefficients
        One a fixed coefficient, by name.
    intercept_at_means
        Whether the prior of the intercept holds at the means of the predictors (the default)
        and not at x = 0 (a prior set by the user).
    """

    coefficients: Mapping[str, Prior]
    intercept_at_means: bool


def link_scale(part: ParameterDesign, constant: Prior) -> float:
    """Return the scale of slopes, per SD of the predictor, and of SDs.

    Parameters
    ----------
    part
        The formula's design.
    constant
        The default prior of the parameter, had it no formula.
    """
    if part.parameter.support == REAL:
        return SCALES["logit"]
    return SCALES.get(part.link.name, 2.5 * constant.quantile(0.5))


def parameter_intercept(part: ParameterDesign, constant: Prior) -> Prior:
    """Return the default prior of the intercept at the means of the predictors.

    It is normal and has the central 95 % interval that the link of the parameter has under
    its default prior as a constant; with the identity link, that prior's median and 2.5 times
    the median as SD. Of log odds of categories it is Normal(0, 2.5).
    """
    centre = float(part.offset.mean())
    if part.parameter.support == REAL:
        return Normal(0.0 - centre, SCALES["logit"])
    if part.link.name not in SCALES:
        return Normal(constant.quantile(0.5) - centre, link_scale(part, constant))
    import numpy as np

    low, high = part.link.link(np.array(constant.interval()))
    return Normal(float(low + high) / 2 - centre, float(high - low) / WIDTH)
