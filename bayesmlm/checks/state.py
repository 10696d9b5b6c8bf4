"""Whether a fit converged, by what its engine recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesmlm.checks.approximation import Approximation, check_approximation
from bayesmlm.checks.convergence import Convergence, check_convergence
from bayesmlm.checks.importance import Importance, check_importance
from bayesmlm.checks.optimum import Optimum, check_optimum
from bayesmlm.checks.quasi import Iterated, check_iterated

if TYPE_CHECKING:
    import xarray as xr

Check = Approximation | Convergence | Importance | Optimum | Iterated


def check(tree: xr.DataTree) -> Check:
    """Check a fit by what its engine recorded."""
    if "sample_stats" in tree.children:
        statistics = tree["sample_stats"].to_dataset()
        if "elbo" in statistics:
            return check_approximation(statistics)
        if "k_hat" in statistics:
            return check_importance(statistics)
        if "deviance" in statistics:
            return check_optimum(statistics)
        if "iterations" in statistics:
            return check_iterated(statistics)
    return check_convergence(tree)
