"""Did the sampler converge? In plain words, with the next step to take.

References
----------
Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021), Bayesian Analysis 16, 667–718,
doi:10.1214/20-BA1221.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesmlm.checks.finding import Finding, listed

if TYPE_CHECKING:
    import xarray as xr

R_HAT_LIMIT = 1.01
ESS_LIMIT = 400
MINIMUM_CHAINS = 2


@dataclass(frozen=True)
class Convergence:
    """The state of a sampled posterior.

    Parameters
    ----------
    r_hat, r_hat_of
        Largest rank-normalised split R-hat, and of which parameter; NaN with one chain.
    ess, ess_of
        Smallest of the bulk and tail effective sample sizes, and of which parameter.
    divergences, deepest
        Numbers of draws that diverged, and that reached the largest tree depth.
    draws
        Number of draws over all chains.
    findings
        What is wrong; empty when nothing is.
    """

    r_hat: float
    r_hat_of: str
    ess: float
    ess_of: str
    divergences: int
    deepest: int
    draws: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def __str__(self) -> str:
        figures = (
            f"largest R-hat {self.r_hat:.3f} ({self.r_hat_of}), "
            f"smallest effective sample size {self.ess:,.0f} ({self.ess_of}), "
            f"{self.divergences} divergences in {self.draws:,} draws"
        )
        if self.ok:
            return f"Converged: {figures}."
        return f"Not converged: {figures}.\n{listed(self.findings)}"

    __repr__ = __str__


def check_convergence(tree: xr.DataTree) -> Convergence:
    """Check every parameter of a posterior, random effects included.

    Parameters
    ----------
    tree
        With groups ``posterior`` and, where a sampler ran, ``sample_stats``.
    """
    import arviz_stats

    posterior = tree["posterior"].to_dataset()
    chains = posterior.sizes["chain"]
    draws = chains * posterior.sizes["draw"]
    r_hat, r_hat_of = np.nan, "not defined for one chain"
    with np.errstate(all="ignore"):  # a parameter that never moves gives NaN, which is found
        if chains >= MINIMUM_CHAINS:
            r_hat, r_hat_of = extreme(arviz_stats.rhat(posterior), largest=True)
        sizes = [
            extreme(arviz_stats.ess(posterior, method=method), largest=False)
            for method in ("bulk", "tail")
        ]
    ess, ess_of = min(sizes, key=lambda pair: pair[0])
    divergences = deepest = 0
    if "sample_stats" in tree.children:
        stats = tree["sample_stats"]
        divergences = int(stats["diverging"].sum()) if "diverging" in stats else 0
        deepest = int(stats["maxdepth_reached"].sum()) if "maxdepth_reached" in stats else 0
    findings = list_findings(chains, draws, r_hat, r_hat_of, ess, ess_of, divergences, deepest)
    return Convergence(r_hat, r_hat_of, ess, ess_of, divergences, deepest, draws, findings)


def list_findings(
    chains: int,
    draws: int,
    r_hat: float,
    r_hat_of: str,
    ess: float,
    ess_of: str,
    divergences: int,
    deepest: int,
) -> tuple[Finding, ...]:
    """Return what is wrong, worst first."""
    found = []
    if divergences:
        found.append(
            Finding(
                f"{divergences} of {draws:,} draws diverged: part of the posterior was not reached",
                "fit again with NUTS(target_accept=0.99); if they stay, an SD near zero or a "
                "prior too wide is the usual cause",
            )
        )
    if chains < MINIMUM_CHAINS:
        found.append(Finding("one chain: convergence cannot be judged", "fit with NUTS(chains=4)"))
    if chains >= MINIMUM_CHAINS and np.isnan(r_hat):
        found.append(
            Finding(
                f"{r_hat_of} is the same in every draw, or not a number in some",
                "look at model.priors() and at the scale of the data, then fit again",
            )
        )
    if r_hat > R_HAT_LIMIT:
        found.append(
            Finding(
                f"R-hat of {r_hat_of} is {r_hat:.3f}, above {R_HAT_LIMIT}: the chains disagree",
                "fit again with NUTS(tune=2000, draws=2000); if it stays, simplify the random "
                "part or set a narrower prior for its SD",
            )
        )
    if ess < ESS_LIMIT or np.isnan(ess):
        found.append(
            Finding(
                f"{ess_of} has an effective sample size of {ess:,.0f}, below {ESS_LIMIT}: "
                "its interval is uncertain",
                f"fit again with NUTS(draws={more_draws(ess, draws // chains)})",
            )
        )
    if deepest > draws // 100:
        found.append(
            Finding(
                f"{deepest} of {draws:,} draws reached the largest tree depth: slow, not wrong",
                "fit again with NUTS(max_treedepth=12)",
            )
        )
    return tuple(found)


def more_draws(ess: float, draws: int) -> int:
    """Return the draws a chain that should reach the limit, in thousands."""
    wanted = draws * 1.5 * ESS_LIMIT / ess if ess > 0 else 4 * draws
    return int(np.ceil(max(wanted, 2 * draws) / 1000) * 1000)


def extreme(values: xr.Dataset, *, largest: bool) -> tuple[float, str]:
    """Return the extreme over all parameters, NaN before any, and the parameter's label."""
    candidates = []
    for name, array in values.items():
        flat = np.atleast_1d(array.to_numpy()).ravel()
        order = np.where(np.isnan(flat), np.inf, flat if largest else -flat)
        at = int(np.argmax(order))
        candidates.append((order[at], float(flat[at]), label(str(name), array, at)))
    _, value, where = max(candidates, key=lambda item: item[0])
    return value, where


def label(name: str, array: xr.DataArray, at: int) -> str:
    """Return ``name[coordinate, …]`` of a flat index."""
    if not array.dims:
        return name
    place = np.unravel_index(at, array.shape)
    parts = [str(array[dim].to_numpy()[i]) for dim, i in zip(array.dims, place, strict=True)]
    return f"{name}[{', '.join(parts)}]"
