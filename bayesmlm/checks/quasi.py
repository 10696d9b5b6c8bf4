"""Whether a quasi-likelihood fit can be trusted: it converged, or it would not be there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesmlm import names
from bayesmlm.checks.finding import Finding, listed

if TYPE_CHECKING:
    import xarray as xr

STEP_LIMIT = 0.5
"""Standard errors that one step of the second order may move a coefficient by."""

LITTLE = 10.0
"""Trials, or expected counts, of a group below which PQL's variances are far too small."""


@dataclass(frozen=True)
class Iterated:
    """The state of a PQL or MQL fit.

    Parameters
    ----------
    iterations
        Working models fitted.
    change
        Last change of the linear predictor.
    singular
        Whether a variance is zero or a correlation one: allowed, and told.
    step
        Largest move of a coefficient, in standard errors, by one step of the second order; None
        after a fit of that order.
    findings
        What is wrong; empty when nothing is.

    References
    ----------
    Breslow & Lin (1995), doi:10.1093/biomet/82.1.81;
    Rodriguez & Goldman (1995), doi:10.2307/2983404.
    """

    iterations: int
    change: float
    singular: bool
    step: float | None
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def __str__(self) -> str:
        state = "singular fit, " if self.singular else ""
        figures = f"{state}{self.iterations} iterations, last change {self.change:.1e}"
        if self.ok:
            return f"Converged: {figures}."
        return f"Converged, not to be trusted: {figures}.\n{listed(self.findings)}"

    __repr__ = __str__


def check_iterated(statistics: xr.Dataset) -> Iterated:
    """Check the statistics of a PQL or MQL fit."""
    information = float(statistics["information"])
    found = []
    if information < LITTLE:
        found.append(
            Finding(
                f"groups hold about {information:.2g} trials or counts each: variances of the "
                "random effects are biased towards zero, and coefficients with them",
                'report "quadrature" or "nuts"; keep this fit for comparison',
            )
        )
    step = None
    if "order_step" in statistics and statistics["order_step"].size:
        moves = statistics["order_step"]
        worst = moves[int(np.abs(moves.to_numpy()).argmax())]
        step = float(worst)
        if not abs(step) < STEP_LIMIT:
            found.append(
                Finding(
                    f"one step of the second order moves {worst[names.COEF].item()} by "
                    f"{step:+.1f} standard errors: the random effects are too large for the first",
                    'report "quadrature" or "nuts"; PQL(order=2) is nearer to them',
                )
            )
    return Iterated(
        int(statistics["iterations"]),
        float(statistics["change"]),
        bool(statistics["singular"]),
        step,
        tuple(found),
    )
