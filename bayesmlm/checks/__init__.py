"""Checks of a fit."""

from bayesmlm.checks.approximation import Approximation, check_approximation
from bayesmlm.checks.convergence import Convergence, check_convergence
from bayesmlm.checks.importance import Importance, check_importance
from bayesmlm.checks.kfold import kfold
from bayesmlm.checks.left_out import LeftOut
from bayesmlm.checks.levels import LevelReplication, check_levels
from bayesmlm.checks.loo import loo
from bayesmlm.checks.optimum import Optimum, check_optimum
from bayesmlm.checks.prior_levels import check_priors
from bayesmlm.checks.prior_sensitivity import PriorSensitivity, prior_sensitivity
from bayesmlm.checks.quasi import Iterated, check_iterated
from bayesmlm.checks.savage_dickey import VarianceEvidence, savage_dickey
from bayesmlm.checks.state import Check, check

__all__ = [
    "Approximation",
    "Check",
    "Convergence",
    "Importance",
    "Iterated",
    "LeftOut",
    "LevelReplication",
    "Optimum",
    "PriorSensitivity",
    "VarianceEvidence",
    "check",
    "check_approximation",
    "check_convergence",
    "check_importance",
    "check_iterated",
    "check_levels",
    "check_optimum",
    "check_priors",
    "kfold",
    "loo",
    "prior_sensitivity",
    "savage_dickey",
]
