"""The estimates of quasi-likelihood as a posterior of one draw."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from bayesmlm import names
from bayesmlm.density.fixed_prior import flat
from bayesmlm.design import Design
from bayesmlm.engines.layout import data_groups, posterior_dataset
from bayesmlm.engines.quasi_step import Step
from bayesmlm.engines.working import Working


def point_tree(
    design: Design, step: Step, last: Working, count: int, change: float, ahead: Step | None
) -> Any:
    """Return the estimates as a posterior of one draw, with the covariance of beta."""
    import xarray as xr

    profile = step.profile
    marginal = replace(profile.marginal, design=design)
    p = len(design.coef)
    G = profile.scales(step.theta[None])
    _, _, _, covariance = marginal.structure.kernel.moments(
        *marginal.structure.arguments, G[0], 1.0, flat(p).matrix
    )
    to_user = np.linalg.inv(marginal.data.to_X) if p else np.empty((0, 0))
    beta_covariance = to_user @ covariance @ to_user.T
    other = f"{names.COEF}_other"
    errors = xr.Dataset(
        {"beta_covariance": ((names.COEF, other), beta_covariance)},
        coords={names.COEF: list(design.coef), other: list(design.coef)},
    )
    statistics: dict[str, Any] = {
        "iterations": count,
        "change": change,
        "singular": profile.is_singular(step.theta),
        "information": smallest_information(design, step),
    }
    if ahead is not None:
        moved = (ahead.beta - step.beta) / np.sqrt(np.diag(beta_covariance))
        statistics["order_step"] = xr.DataArray(
            moved, {names.COEF: list(design.coef)}, (names.COEF,)
        )
    effects = {group: values[None] for group, values in step.effects.items()}
    psi = profile.hyperparameters(step.theta)
    groups = {
        "posterior": posterior_dataset(marginal, psi, step.beta[None], effects),
        "sample_stats": xr.Dataset(statistics),
        "standard_errors": errors,
        "working_data": xr.Dataset(
            {"response": ((names.OBS,), last.z), "precision": ((names.OBS,), last.weight)},
            {names.OBS: design.positions},
        ),
    }
    return xr.DataTree.from_dict(groups | data_groups(marginal))


def smallest_information(design: Design, step: Step) -> float:
    """Return the mean number of trials, or expected count, of a group of the smallest groups."""
    if not design.random:
        return np.inf
    if design.family.name == "poisson":
        eta = step.fixed_part(design) + step.random_part(design)
        rows = design.family.link.inverse(eta)
    else:
        rows = design.outcome.rows.get("trials", np.ones(len(design.y)))
    return float(rows.sum() / max(block.grouping.size for block in design.random))
