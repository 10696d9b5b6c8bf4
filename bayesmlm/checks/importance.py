"""Whether importance sampling reached the posterior.

References
----------
Vehtari, Simpson, Gelman, Yao & Gabry (2024), Journal of Machine Learning Research 25, 72.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesmlm.checks.finding import Finding, listed

if TYPE_CHECKING:
    import xarray as xr

SHIFT_LIMIT = 0.06
"""Shift of a parameter, in posterior SDs, from which Laplace's approximation is not enough.

A tenth of an SD may stay untold, and the one step that is taken may tell 0.6 of the shift.
"""

KHAT_LIMIT = 0.7
ESS_LIMIT = 400


@dataclass(frozen=True)
class Importance:
    """The state of an importance sample of the hyperparameters.

    Parameters
    ----------
    khat
        Pareto shape of the weights; minus infinity where they have no tail.
    ess
        Effective sample size of the weights.
    evaluations
        Number of densities evaluated.
    findings
        What is wrong; empty when nothing is.
    shift, shift_of
        By how many posterior SDs Laplace's approximation puts a parameter off at most, and
        which; None where nothing is approximated by it.
    """

    khat: float
    ess: float
    evaluations: int
    findings: tuple[Finding, ...]
    shift: float | None = None
    shift_of: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def __str__(self) -> str:
        shape = "no tail in the weights" if self.khat < -10 else f"Pareto k-hat {self.khat:.2f}"
        figures = (
            f"{shape}, effective sample size {self.ess:,.0f}, {self.evaluations:,} evaluations"
        )
        if self.shift is not None:
            figures += f", shift by approximation {self.shift:.2f} SD ({self.shift_of})"
        if self.ok:
            return f"Converged: {figures}."
        reached = self.khat <= KHAT_LIMIT and self.ess >= ESS_LIMIT
        state = "Converged, to an approximation that is off" if reached else "Not converged"
        return f"{state}: {figures}.\n{listed(self.findings)}"

    __repr__ = __str__


def check_importance(statistics: xr.Dataset) -> Importance:
    """Check the statistics of an importance sample."""
    khat, ess = float(statistics["k_hat"]), float(statistics["ess"])
    found = []
    if not khat <= KHAT_LIMIT:
        found.append(
            Finding(
                f"Pareto k-hat is {khat:.2f}, above {KHAT_LIMIT}: parts of the posterior may be "
                "missed",
                'fit with "nuts", or with evaluations=65536',
            )
        )
    if not ess >= ESS_LIMIT:
        found.append(
            Finding(
                f"the effective sample size is {ess:,.0f}, below {ESS_LIMIT}",
                'fit with evaluations=65536, or with "nuts"',
            )
        )
    shift, shift_of = largest_shift(statistics)
    if shift is not None and not abs(shift) <= SHIFT_LIMIT:
        found.append(
            Finding(
                f"Laplace's approximation puts {shift_of} about {abs(shift):.2g} posterior SDs too "
                f"{'low' if shift > 0 else 'high'}: groups have too few rows for it",
                'fit with "quadrature", or with "nuts"',
            )
        )
    evaluations = int(statistics["evaluations"])
    return Importance(khat, ess, evaluations, tuple(found), shift, shift_of)


def largest_shift(statistics: xr.Dataset) -> tuple[float | None, str]:
    """Return the largest shift by approximation, and of which parameter."""
    if "shift" not in statistics:
        return None, ""
    found = {
        str(label): float(value)
        for name in ("shift", "beta_shift")
        for label, value in zip(
            statistics[statistics[name].dims[0]].to_numpy(),
            statistics[name].to_numpy(),
            strict=True,
        )
    }
    worst = max(found, key=lambda name: np.nan_to_num(abs(found[name]), nan=np.inf))
    return found[worst], worst
