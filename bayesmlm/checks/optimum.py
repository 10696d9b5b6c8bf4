"""Whether an optimiser reached a maximum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayesmlm.checks.finding import Finding, listed
from bayesmlm.checks.importance import largest_shift

if TYPE_CHECKING:
    import xarray as xr

SHIFT_LIMIT = 0.15
"""Shift of an estimate, in standard errors, from which Laplace's approximation is not enough."""

GRADIENT_LIMIT = 0.01
"""Largest derivative of the log likelihood left, by relative SDs of the effects."""

RATIO_LIMIT = 1e3
"""Largest SD of an effect relative to the residual that double precision resolves."""


@dataclass(frozen=True)
class Optimum:
    """The state of a maximum likelihood fit.

    Parameters
    ----------
    gradient
        Largest absolute derivative left.
    singular
        Whether a variance is zero or a correlation one: allowed, and told.
    evaluations
        Number of likelihoods evaluated.
    findings
        What is wrong; empty when nothing is.
    shift, shift_of
        By how many standard errors Laplace's approximation puts a parameter off at most, and
        which; None where nothing is approximated by it.
    """

    gradient: float
    singular: bool
    evaluations: int
    findings: tuple[Finding, ...]
    shift: float | None = None
    shift_of: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def __str__(self) -> str:
        state = "singular fit, " if self.singular else ""
        figures = f"{state}largest derivative {self.gradient:.1e}, {self.evaluations} evaluations"
        if self.shift is not None:
            figures += f", shift by approximation {self.shift:.2f} SE ({self.shift_of})"
        if self.ok:
            return f"Maximum found: {figures}."
        reached = self.gradient <= GRADIENT_LIMIT
        state = "Maximum found, not to be trusted" if reached else "No maximum found"
        return f"{state}: {figures}.\n{listed(self.findings)}"

    __repr__ = __str__


def check_optimum(statistics: xr.Dataset) -> Optimum:
    """Check the statistics of a maximum likelihood fit."""
    gradient = float(statistics["gradient"])
    found = []
    if not gradient <= GRADIENT_LIMIT:
        found.append(
            Finding(
                f"the log likelihood still rises (derivative {gradient:.2g})",
                'put the predictors on similar scales, or fit with "laplace"',
            )
        )
    if bool(statistics.get("endless", False)):
        found.append(
            Finding(
                "the likelihood has no maximum: the predictors tell every response, or every "
                "count is zero",
                'fit with "quadrature" or "nuts", whose priors bound the coefficients',
            )
        )
    if float(statistics["ratio"]) > RATIO_LIMIT:
        found.append(
            Finding(
                "the residual is too small beside the random effects to be told from zero",
                'check the response, or fit with "laplace", whose prior bounds it',
            )
        )
    shift, shift_of = largest_shift(statistics)
    if shift is not None and not abs(shift) <= SHIFT_LIMIT:
        found.append(
            Finding(
                f"Laplace's approximation puts {shift_of} about {abs(shift):.2g} standard errors "
                f"too {'low' if shift > 0 else 'high'}: groups have too few rows for it",
                'fit with ML(nodes="auto"), or with "quadrature"',
            )
        )
    singular, evaluations = bool(statistics["singular"]), int(statistics["evaluations"])
    return Optimum(gradient, singular, evaluations, tuple(found), shift, shift_of)
