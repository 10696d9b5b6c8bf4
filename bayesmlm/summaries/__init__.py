"""What multilevel analysts read of a fit: formula in NumPy, skin in xarray and pandas."""

from bayesmlm.summaries.coefficients import coef, corr, fixef, ranef
from bayesmlm.summaries.icc import icc
from bayesmlm.summaries.maximum import at_maximum
from bayesmlm.summaries.variance_components import variance_components

__all__ = ["at_maximum", "coef", "corr", "fixef", "icc", "ranef", "variance_components"]
