"""How the posterior depends on each block of priors, and on the likelihood, by power-scaling.

A density to the power of alpha near one is a little stronger (above) or weaker. How fast the
posterior of a parameter moves, by the cumulative Jensen-Shannon distance per doubling of alpha,
is its sensitivity. That to a prior alone tells of a strong prior or few data, that to both
prior and likelihood of a conflict between them. Only priors of hyperparameters are scaled: the
effects' distribution is part of the model, and scaling it would raise false alarms.

References
----------
Kallioinen, Paananen, Bürkner & Vehtari (2024), doi:10.1007/s11222-023-10366-5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.checks.loo import check_posterior
from bayesmlm.checks.prior_blocks import prior_blocks
from bayesmlm.checks.target import Target, outermost
from bayesmlm.result import FitResult
from bayesmlm.summaries.chain import chain_of, why_not
from bayesmlm.summaries.draws import flatten
from bayesmlm.summaries.row_likelihood import log_likelihood

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Array = NDArray[np.float64]

SENSITIVE = 0.05
"""Sensitivity from which a parameter counts as sensitive."""

LIKELIHOOD = "likelihood"
ALPHAS = (0.99, 1.01)


@dataclass(frozen=True)
class PriorSensitivity:
    """Sensitivities of the parameters to priors and likelihood.

    Parameters
    ----------
    frame
        A row a parameter, a column each block of priors and ``likelihood``; from 0.05
        sensitive.
    moves
        The same rows and columns: how many posterior SDs the mean would move if the density
        were squared, by its slope at the posterior.
    note
        Which likelihood that is.
    """

    frame: pd.DataFrame
    moves: pd.DataFrame
    note: str

    @property
    def ok(self) -> bool:
        """Whether nothing is sensitive to a prior."""
        return not (self.frame.drop(columns=LIKELIHOOD) >= SENSITIVE).any(axis=None)

    def findings(self) -> tuple[str, ...]:
        """Return what is sensitive to which prior, one line each."""
        found = []
        for row, label in enumerate(self.frame.index):
            data = float(self.frame[LIKELIHOOD].iloc[row])
            for block in self.frame.columns.drop(LIKELIHOOD):
                value = float(self.frame[block].iloc[row])
                if value < SENSITIVE:
                    continue
                way = "up" if self.moves[block].iloc[row] > 0 else "down"
                why = (
                    f"and to the likelihood ({data:.2f}): prior and data may conflict"
                    if data >= SENSITIVE
                    else f"and not to the likelihood ({data:.2f}): a strong prior, or few data"
                )
                found.append(
                    f"{label} is sensitive to the prior of {block} ({value:.2f}), which pulls it "
                    f"{way}, {why}"
                )
        return tuple(found)

    def __str__(self) -> str:
        top = "Not sensitive: no parameter depends on how strong a prior is"
        if not self.ok:
            lines = ["Sensitive to priors:", *(f"  - {each}" for each in self.findings())]
            lines.append("  next: say why the priors are what is known, or fit with weaker ones")
            top = "\n".join(lines)
        return f"{top}\n{self.frame.round(3).to_string()}\n{self.note}"

    __repr__ = __str__


def prior_sensitivity(result: FitResult) -> PriorSensitivity:
    """Return how the posterior depends on each block of priors and on the likelihood.

    Parameters
    ----------
    result
        A fit with a posterior.

    Raises
    ------
    StatisticError
        For a fit without draws.
    """
    import pandas as pd
    import xarray as xr
    from arviz_stats import psense

    check_posterior(result, "prior sensitivity")
    parameters = hyperparameters(result)
    likelihood, note = log_likelihood_of(result)
    logs = prior_blocks(result) | {LIKELIHOOD: likelihood}
    chains = result.posterior.sizes["chain"]
    groups = {
        "posterior": parameters,
        "log_prior": by_draw({k: v for k, v in logs.items() if k != LIKELIHOOD}, chains),
        "log_likelihood": by_draw({LIKELIHOOD: logs[LIKELIHOOD]}, chains),
    }
    tree = xr.DataTree.from_dict(groups)
    labels, draws = labelled(parameters)
    frame, moves = {}, {}
    for block, log_density in logs.items():
        group = LIKELIHOOD if block == LIKELIHOOD else "prior"
        found = psense(tree, group=group, group_var_names=[block], alphas=ALPHAS)
        frame[block] = np.concatenate([np.ravel(found[name]) for name in parameters])
        moves[block] = slope(draws, log_density)
    index = pd.Index(labels, name="parameter")
    columns = pd.DataFrame(frame, index=index), pd.DataFrame(moves, index=index)
    return PriorSensitivity(*columns, note)


def log_likelihood_of(result: FitResult) -> tuple[Array, str]:
    """Return log p(y | theta), shape (S,), and in words which effects theta holds.

    Effects are integrated out where all of them are, as they absorb what fixed effects and
    SDs would otherwise answer for.
    """
    design = result.design
    if not design.random:
        return log_likelihood(result), "likelihood: there are no effects"
    reason: str | None = "groupings are crossed"
    if not design.levels.crossed:
        grouping = outermost(design)
        chain = chain_of(design, grouping)
        reason = why_not(design, chain)
        if reason is None:
            blocks = Target(design, grouping, chain).blocks(result)
            total = np.sum([values.sum(axis=0) for _, values in blocks], axis=0)
            return total, "likelihood: effects integrated out"
    return log_likelihood(result), f"likelihood: given the effects, as {reason}"


def hyperparameters(result: FitResult) -> xr.Dataset:
    """Return the posterior of all that priors are of, or refer to."""
    random = result.design.random
    wanted = [names.BETA] if result.design.coef else []
    wanted += [names.sd(block.name) for block in random]
    wanted += [names.corr(block.name) for block in random if block.pairs]
    wanted += [parameter.name for parameter in result.design.parameters]
    return result.posterior[wanted].reset_coords(drop=True)


def by_draw(values: Mapping[str, Array], chains: int) -> xr.Dataset:
    """Return values by draw, shape (S,) each, as a dataset."""
    import xarray as xr

    return xr.Dataset(
        {name: (("chain", "draw"), each.reshape(chains, -1)) for name, each in values.items()}
    )


def labelled(parameters: xr.Dataset) -> tuple[list[str], Array]:
    """Return labels and draws of all parameters, shape (S, K)."""
    labels, parts = [], []
    for name, array in parameters.items():
        draws, index = flatten(array)
        parts.append(draws)
        for at in index:
            label = " ".join(at)
            plain = label if name == names.BETA else f"{name}[{label}]"
            labels.append(plain if at else str(name))
    return labels, np.hstack(parts)


def slope(draws: Array, log_density: Array) -> Any:
    """Return Cov(theta, log p) / sd(theta): the move of the mean per unit of alpha, in SDs."""
    centred = draws - draws.mean(axis=0)
    sd = centred.std(axis=0)
    covariance = centred.T @ (log_density - log_density.mean()) / len(draws)
    return np.where(sd > 0, covariance / np.where(sd > 0, sd, 1.0), 0.0)
