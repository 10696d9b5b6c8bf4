"""Priors as plain values, their defaults, and what they imply."""

from bayesmlm.priors.defaults import default_priors, outcome_scale
from bayesmlm.priors.describe import MASS_PRIOR, describe_priors
from bayesmlm.priors.distributions import (
    PRIORS,
    Beta,
    Cauchy,
    Exponential,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HalfStudentT,
    InverseGamma,
    Normal,
    StudentT,
)
from bayesmlm.priors.further import FixedPriors
from bayesmlm.priors.lkj import LKJ, cholesky_factor
from bayesmlm.priors.model_priors import Priors
from bayesmlm.priors.prior import Prior, pymc_vector
from bayesmlm.priors.resolve import resolve_priors
from bayesmlm.priors.stand_in import normal_stand_in

__all__ = [
    "LKJ",
    "MASS_PRIOR",
    "PRIORS",
    "Beta",
    "Cauchy",
    "Exponential",
    "FixedPriors",
    "Gamma",
    "HalfCauchy",
    "HalfNormal",
    "HalfStudentT",
    "InverseGamma",
    "Normal",
    "Prior",
    "Priors",
    "StudentT",
    "cholesky_factor",
    "default_priors",
    "describe_priors",
    "normal_stand_in",
    "outcome_scale",
    "pymc_vector",
    "resolve_priors",
]
