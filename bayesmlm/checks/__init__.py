"""Checks of a fit."""

from bayesmlm.checks.convergence import Convergence, check_convergence

__all__ = ["Convergence", "check_convergence"]
