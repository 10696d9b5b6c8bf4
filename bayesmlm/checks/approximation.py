"""Whether a variational approximation settled, and how far it is from the posterior.

References
----------
Yao, Vehtari, Simpson & Gelman (2018), Proceedings of Machine Learning Research 80, 5581–5590,
arXiv:1802.02538.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayesmlm.checks.finding import Finding, listed

if TYPE_CHECKING:
    import xarray as xr

KHAT_LIMIT = 0.7
ESS_LIMIT = 400

NARROW = 0.5
"""Pareto shape above which draws that are not resampled are too narrow. Where the posterior is
r times as wide as a normal approximation the shape is 1 - 1 / r²: at 0.5 the SD of some
direction is 0.7 of the right one."""


@dataclass(frozen=True)
class Approximation:
    """The state of a variational approximation.

    Parameters
    ----------
    khat
        Pareto shape of the importance weights of its draws; minus infinity where they have
        no tail.
    elbo, error
        The evidence lower bound, in nats, and its standard error.
    settled
        Whether the optimiser came to rest.
    iterations
        Steps of the optimiser.
    findings
        What is wrong; empty when nothing is.
    """

    khat: float
    elbo: float
    error: float
    settled: bool
    iterations: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def __str__(self) -> str:
        shape = "no tail in the weights" if self.khat < -10 else f"Pareto k-hat {self.khat:.2f}"
        figures = (
            f"{shape}, ELBO {self.elbo:,.2f} (standard error {self.error:.2g}), "
            f"{self.iterations:,} iterations"
        )
        if self.ok:
            return f"Converged: {figures}."
        state = "Perhaps far off" if self.settled else "Not converged"
        return f"{state}: {figures}.\n{listed(self.findings)}"

    __repr__ = __str__


def check_approximation(statistics: xr.Dataset) -> Approximation:
    """Check the statistics of a variational approximation."""
    khat, settled = float(statistics["k_hat"]), bool(statistics["settled"])
    iterations = int(statistics["iterations"])
    found = []
    if not settled:
        found.append(
            Finding(
                f"the ELBO still rose, by {float(statistics['elbo_rise']):.2g} nats over the last "
                "window",
                f'fit with ADVI(iterations={4 * iterations:_}), or with "nuts"',
            )
        )
    resampled = "ess" in statistics
    if not khat <= KHAT_LIMIT:
        found.append(
            Finding(
                f"Pareto k-hat is {khat:.2f}, above {KHAT_LIMIT}: means, and SDs more, may be far "
                "from the posterior's",
                'fit with "nuts"',
            )
        )
    elif not resampled and khat > NARROW:
        found.append(
            Finding(
                f"Pareto k-hat is {khat:.2f}, above {NARROW}: SDs are down to about "
                f"{math.sqrt(1 - khat):.1f} of the posterior's, those of variance components first",
                'fit with "nuts"',
            )
        )
    if resampled and not float(statistics["ess"]) >= ESS_LIMIT:
        found.append(
            Finding(
                f"the effective sample size is {float(statistics['ess']):,.0f}, below {ESS_LIMIT}",
                'fit with Pathfinder(draws_per_path=20_000), or with "nuts"',
            )
        )
    return Approximation(
        khat,
        float(statistics["elbo"]),
        float(statistics["elbo_error"]),
        settled,
        iterations,
        tuple(found),
    )
