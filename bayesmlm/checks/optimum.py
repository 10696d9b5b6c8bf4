"""Whether an optimiser reached a maximum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayesmlm.checks.finding import Finding, listed

if TYPE_CHECKING:
    import xarray as xr

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
    """

    gradient: float
    singular: bool
    evaluations: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def __str__(self) -> str:
        state = "singular fit, " if self.singular else ""
        figures = f"{state}largest derivative {self.gradient:.1e}, {self.evaluations} evaluations"
        if self.ok:
            return f"Maximum found: {figures}."
        return f"No maximum found: {figures}.\n{listed(self.findings)}"


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
    if float(statistics["ratio"]) > RATIO_LIMIT:
        found.append(
            Finding(
                "the residual is too small beside the random effects to be told from zero",
                'check the response, or fit with "laplace", whose prior bounds it',
            )
        )
    return Optimum(
        gradient, bool(statistics["singular"]), int(statistics["evaluations"]), tuple(found)
    )
