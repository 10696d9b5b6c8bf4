"""Whether importance sampling reached the posterior.

References
----------
Vehtari, Simpson, Gelman, Yao & Gabry (2024), Journal of Machine Learning Research 25, 72.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayesmlm.checks.finding import Finding, listed

if TYPE_CHECKING:
    import xarray as xr

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
    """

    khat: float
    ess: float
    evaluations: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def __str__(self) -> str:
        shape = "no tail in the weights" if self.khat < -10 else f"Pareto k-hat {self.khat:.2f}"
        figures = (
            f"{shape}, effective sample size {self.ess:,.0f}, {self.evaluations:,} evaluations"
        )
        if self.ok:
            return f"Converged: {figures}."
        return f"Not converged: {figures}.\n{listed(self.findings)}"


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
    return Importance(khat, ess, int(statistics["evaluations"]), tuple(found))
