"""The further parameters of the family in PyMC: sigma, shape, thresholds, or one by row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayesmlm import names
from bayesmlm.design import Design
from bayesmlm.families import Parameter, tensors
from bayesmlm.families.link import Link
from bayesmlm.families.parameter import ORDERED
from bayesmlm.graph.fixed import Fixed
from bayesmlm.graph.labels import unused
from bayesmlm.priors import Prior, Priors, pymc_vector


def add_further(
    design: Design, priors: Priors, fixed: Fixed, predictors: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Add the further parameters and return what the response is given, by name.

    Parameters
    ----------
    design, priors
        The model.
    fixed
        The fixed part of the location.
    predictors
        The linear predictors of those with a formula, each of shape (N,).
    """
    by_row = {
        part.target: inverse(part.link, (predictors or {})[part.target]) for part in design.further
    }
    return by_row | {
        parameter.name: (
            add_thresholds(parameter, priors, fixed)
            if parameter.support == ORDERED
            else priors.further[parameter.name].pymc(parameter.name)
        )
        for parameter in design.parameters
    }


def inverse(link: Link, eta: Any) -> Any:
    """Return a parameter from its linear predictor, as a tensor."""
    import pytensor.tensor as pt

    if link.name == "identity":
        return eta
    if link.name == "log":
        return pt.exp(eta)
    return pt.sigmoid(tensors.log_odds(eta, link))


def add_thresholds(parameter: Parameter, priors: Priors, fixed: Fixed) -> Any:
    """Add thresholds where their prior holds, and as displayed, at x = 0.

    Returns
    -------
    tensor
        The thresholds that the rows meet, their columns being centred as the prior says.
    """
    import pymc as pm
    import pytensor.tensor as pt
    from pymc.distributions.transforms import ordered

    place = "means" if priors.intercept_at_means else "zero"
    own: tuple[Prior, ...] = (priors.further[parameter.name],) * parameter.size
    cuts = pymc_vector(
        unused(f"thresholds_at_{place}"),
        own,
        dims=names.THRESHOLD,
        default_transform=ordered,
        initval=np.arange(parameter.size) - (parameter.size - 1) / 2,
    )
    # draws from the prior come in no order
    displayed = pt.sort(cuts) + fixed.shift
    pm.Deterministic(parameter.name, displayed, dims=names.THRESHOLD)
    return cuts
