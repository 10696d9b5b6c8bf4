"""The published table beside ours, and whether the two agree.

The rule: a coefficient's posterior mean lies within 0.25 posterior SD of the published
estimate; the ML or REML estimate of an SD or a correlation lies inside the central 90 %
interval. Where the reference is itself a posterior with the same priors, the mean of every
parameter lies within 0.25 posterior SD of its mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import Design
from bayesmlm.errors import StatisticError, message, suggestion
from bayesmlm.fit import Fit
from bayesmlm.gallery.entry import Entry, Published

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

DISTANCE = 0.25
"""Posterior SDs that a mean may lie from a published estimate."""

TAIL = 0.05
"""Probability on either side of the interval that holds an SD or a correlation."""


COLUMNS = (
    "parameter",
    *("published", "se", "kind", "generating"),
    *("mean", "sd", "q05", "q95", "distance", "ok"),
)


def parameter_names(design: Design) -> tuple[str, ...]:
    """Return the names of a model's parameters as a published table has them.

    Parameters
    ----------
    design
        Of the model.
    """
    parts = design.parts
    found = [names.parameter_coef(part.target, name) for part in parts for name in part.coef]
    for block in design.blocks:
        found += [f"{names.sd(block.name)}[{effect}]" for effect in block.effects]
        found += [f"{names.corr(block.name)}[{pair}]" for pair in block.pair_labels]
    for parameter in design.parameters:
        name = parameter.name
        found += [f"{name}[{label}]" for label in parameter.labels] or [name]
    return tuple(found)


def parameter_draws(design: Design, posterior: xr.Dataset) -> dict[str, NDArray[np.float64]]:
    """Return the draws of every parameter, all chains in a row, shape (S,)."""
    parts = [part.target for part in design.parts if part.coef]
    columns = [posterior[names.of_parameter(names.BETA, target)] for target in parts]
    for block in design.blocks:
        columns.append(posterior[names.sd(block.name)])
        if block.pairs:
            columns.append(posterior[names.corr(block.name)])
    for parameter in design.parameters:
        own = posterior[parameter.name]
        columns.append(own if parameter.labels else own.expand_dims("one", axis=-1))
    draws = np.concatenate(
        [c.transpose("chain", "draw", ...).to_numpy().reshape(-1, c.shape[-1]) for c in columns],
        axis=1,
    )
    return dict(zip(parameter_names(design), draws.T, strict=True))


def compare(entry: Entry, fit: Fit) -> pd.DataFrame:
    """Return the published table beside ours.

    Parameters
    ----------
    entry
        With the published table.
    fit
        A fit of the same model.

    Returns
    -------
    DataFrame
        One row a published parameter: ``published``, ``se``, ``kind``, ``generating``; our
        ``mean``, ``sd``, ``q05``, ``q95``; ``distance``, the difference of the mean from the
        published value in posterior SDs; ``ok``, whether the two agree by the rule.

    Raises
    ------
    StatisticError
        If the fit lacks a published parameter.
    """
    import pandas as pd

    draws = parameter_draws(fit.result.design, fit.result.posterior)
    records = []
    for figure in entry.published:
        if figure.parameter not in draws:
            raise StatisticError(
                message(
                    f"the published parameter {figure.parameter!r}"
                    f"{suggestion(figure.parameter, draws)}, which the fit lacks",
                    ", ".join(draws),
                    f"correct {entry.path.name}, or compare a fit of its model",
                )
            )
        records.append(row(figure, draws[figure.parameter], fit.result.design))
    return pd.DataFrame(records, columns=list(COLUMNS)).set_index("parameter")


def row(figure: Published, draws: NDArray[np.float64], design: Design) -> dict[str, object]:
    """Return one row of the comparison."""
    mean, sd = float(draws.mean()), float(draws.std(ddof=1))
    low, high = (float(bound) for bound in np.quantile(draws, [TAIL, 1 - TAIL]))
    distance = (mean - figure.estimate) / sd if sd > 0 else float("inf")
    by_mean = figure.parameter in design.coef or figure.kind == "posterior"
    ok = abs(distance) <= DISTANCE if by_mean else low <= figure.estimate <= high
    return {
        "parameter": figure.parameter,
        "published": figure.estimate,
        "se": np.nan if figure.se is None else figure.se,
        "kind": figure.kind,
        "generating": np.nan if figure.generating is None else figure.generating,
        "mean": mean,
        "sd": sd,
        "q05": low,
        "q95": high,
        "distance": distance,
        "ok": bool(ok),
    }
