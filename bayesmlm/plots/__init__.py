"""Pictures of a fit, and of several: one file each."""

from bayesmlm.plots.canvas import Picture
from bayesmlm.plots.caterpillar import caterpillar
from bayesmlm.plots.engine_intervals import engine_intervals
from bayesmlm.plots.level_checks import level_checks
from bayesmlm.plots.lines import lines
from bayesmlm.plots.of_fit import Plots
from bayesmlm.plots.prior_posterior import prior_posterior
from bayesmlm.plots.qq import qq
from bayesmlm.plots.r2 import r2
from bayesmlm.plots.rights_sterba import rights_sterba
from bayesmlm.plots.scatter_matrix import scatter_matrix
from bayesmlm.plots.shrinkage import shrinkage
from bayesmlm.plots.spaghetti import spaghetti
from bayesmlm.plots.study_curves import study_curves
from bayesmlm.plots.variance_components import variance_components
from bayesmlm.plots.variance_function import variance_function
from bayesmlm.plots.within_between import within_between

__all__ = [
    "Picture",
    "Plots",
    "caterpillar",
    "engine_intervals",
    "level_checks",
    "lines",
    "prior_posterior",
    "qq",
    "r2",
    "rights_sterba",
    "scatter_matrix",
    "shrinkage",
    "spaghetti",
    "study_curves",
    "variance_components",
    "variance_function",
    "within_between",
]
