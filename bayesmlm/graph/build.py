"""Design and priors to a readable `pymc.Model`, the definition of the model."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesmlm import names
from bayesmlm.design import Design
from bayesmlm.families.parameter import ORDERED
from bayesmlm.graph.effects import add_effects
from bayesmlm.graph.fixed import add_fixed
from bayesmlm.graph.further import add_further
from bayesmlm.graph.labels import data, response_label, unused
from bayesmlm.graph.means import group_means, tensors
from bayesmlm.graph.parametrisation import EffectCoordinates
from bayesmlm.priors import Priors


def build_model(design: Design, priors: Priors, coordinates: tuple[EffectCoordinates, ...]) -> Any:
    """Return the `pymc.Model` of a design.

    Parameters
    ----------
    design, priors
        The model.
    coordinates
        Centred or non-centred, per random effect.

    Returns
    -------
    pymc.Model
        With coordinates and dimensions; its variables ``beta``, ``sigma`` (``nu``, ``shape``,
        ``phi``, ``zi``, ``hu``, ``thresholds`` of other families), and per grouping
        ``sd_<group>``, ``corr_<group>`` and ``u_<group>`` are those of the posterior.
    """
    import pymc as pm

    with pm.Model(coords=coords(design)) as model:
        fixed = add_fixed(design, priors)
        means = tensors(group_means(design, coordinates, fixed))
        parts = [part for block in design.random for part in add_effects(block, priors, means)]
        eta = fixed.linear_predictor()
        for part in parts:
            eta = eta + part
        if design.offset.any():
            eta = eta + data("offset", design.offset, dims=names.OBS)
        add_response(design, eta, add_further(design, priors, fixed))
    return model


def coords(design: Design) -> dict[str, Any]:
    """Return the coordinates of every dimension of the model."""
    found: dict[str, Any] = {
        names.OBS: design.positions,
        names.COEF: list(design.coef),
    }
    for parameter in design.parameters:
        if parameter.support == ORDERED:
            found[names.THRESHOLD] = list(parameter.labels)
    for block in design.random:
        found[names.safe(block.name)] = list(block.grouping.labels)
        found[names.effect_dim(block.name)] = list(block.effects)
        if block.pairs:
            found[names.pair_dim(block.name)] = list(block.pair_labels)
    return found


def add_response(design: Design, eta: Any, others: dict[str, Any]) -> None:
    """Add the observed response; weights raise its likelihood to a power."""
    import pymc as pm

    rows = {
        name: data(name, values.astype(np.int64) if name == "trials" else values, dims=names.OBS)
        for name, values in design.outcome.rows.items()
    }
    weights = rows.pop("weights", None)
    name = response_label(design.spec.response.column)
    observed = design.y.astype(np.int64) if design.family.counts else design.y
    y = design.family.observe(name, eta, others, rows, observed, names.OBS)
    if weights is not None:
        pm.Potential(unused("weighted_likelihood"), ((weights - 1) * pm.logp(y, observed)).sum())
