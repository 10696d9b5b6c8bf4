"""What multilevel analysts read of a fit: formula in NumPy, skin in xarray and pandas."""

from bayesmlm.summaries.anova import anova
from bayesmlm.summaries.coefficients import coef, corr, fixef, ranef
from bayesmlm.summaries.further import formula_parameters, further_parameters
from bayesmlm.summaries.icc import icc
from bayesmlm.summaries.latent_means import latent_means
from bayesmlm.summaries.maximum import at_maximum
from bayesmlm.summaries.parameters import parameters
from bayesmlm.summaries.pooling_factor import pooling_factors
from bayesmlm.summaries.r2 import r2
from bayesmlm.summaries.ranks import ranks
from bayesmlm.summaries.reliability import reliability
from bayesmlm.summaries.shrinkage import shrinkage
from bayesmlm.summaries.standard_errors import standard_errors
from bayesmlm.summaries.variance_components import variance_components
from bayesmlm.summaries.variance_function import variance_function
from bayesmlm.summaries.within_between import within_between

__all__ = [
    "anova",
    "at_maximum",
    "coef",
    "corr",
    "fixef",
    "formula_parameters",
    "further_parameters",
    "icc",
    "latent_means",
    "parameters",
    "pooling_factors",
    "r2",
    "ranef",
    "ranks",
    "reliability",
    "shrinkage",
    "standard_errors",
    "variance_components",
    "variance_function",
    "within_between",
]
