"""Design and priors to a readable `pymc.Model`, the definition of the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayesmlm import names
from bayesmlm.design import Design
from bayesmlm.families.parameter import ORDERED
from bayesmlm.graph.effects import add_effects
from bayesmlm.graph.fixed import add_fixed
from bayesmlm.graph.further import add_further
from bayesmlm.graph.labels import data, response_label, unused
from bayesmlm.graph.latent_means import add_latent_columns
from bayesmlm.graph.mass_points import Points, add_points, group_likelihood
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
        ``sd_<group>``, ``corr_<group>`` and ``u_<group>`` are those of the posterior. Mass
        points have ``points_<group>``, ``mass_<group>`` and ``membership_<group>``, each group's
        probabilities of the points, in place of ``u_<group>``; the response is then data, in
        the potential ``mixed_likelihood``. A predictor x with latent group means has ``mu_x``,
        ``tau_x``, ``sigma_x`` (SDs) and the means ``latent_x``, and is observed itself.
    """
    import pymc as pm

    with pm.Model(coords=coords(design)) as model:
        fixed = add_fixed(design, priors, add_latent_columns(design, priors))
        means = tensors(group_means(design, coordinates, fixed))
        sampled = [block for block in design.random if block.distribution != "points"]
        parts = [part for block in sampled for part in add_effects(block, priors, means)]
        mixed = [add_points(block, priors) for block in design.random if block not in sampled]
        eta = fixed.linear_predictor()
        for part in parts:
            eta = eta + part
        if design.offset.any():
            eta = eta + data("offset", design.offset, dims=names.OBS)
        others = add_further(design, priors, fixed)
        if mixed:
            add_mixed_response(design, mixed[0], eta, others)
        else:
            add_response(design, eta, others)
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
        if block.points is not None:
            found[names.point_dim(block.name)] = np.arange(1, block.points + 1)
        if block.pairs:
            found[names.pair_dim(block.name)] = list(block.pair_labels)
    return found


def add_response(design: Design, eta: Any, others: dict[str, Any]) -> None:
    """Add the observed response; weights raise its likelihood to a power."""
    import pymc as pm

    rows = add_rows(design)
    weights = rows.pop("weights", None)
    name = response_label(design.spec.response.column)
    observed = whole_response(design)
    y = design.family.observe(name, eta, others, rows, observed, names.OBS)
    if weights is not None:
        pm.Potential(unused("weighted_likelihood"), ((weights - 1) * pm.logp(y, observed)).sum())


def add_rows(design: Design) -> dict[str, Any]:
    """Add the additions of the response as data."""
    return {
        name: data(name, values.astype(np.int64) if name == "trials" else values, dims=names.OBS)
        for name, values in design.outcome.rows.items()
    }


def whole_response(design: Design) -> Any:
    """Return the response, counts as whole numbers."""
    return design.y.astype(np.int64) if design.family.counts else design.y


def add_mixed_response(design: Design, points: Points, eta: Any, others: Mapping[str, Any]) -> None:
    """Add the likelihood of the response, a group's point summed out."""
    import pymc as pm

    rows = add_rows(design)
    weights = rows.pop("weights", None)
    y = data(response_label(design.spec.response.column), whole_response(design), dims=names.OBS)

    def log_density(linear_predictor: Any) -> Any:
        # in a model apart: only its log density is wanted
        with pm.Model(coords={names.OBS: design.positions}, model=None):
            variable = design.family.observe("y", linear_predictor, others, rows, y, names.OBS)
        found = pm.logp(variable, y)
        return found if weights is None else weights * found

    by_group = group_likelihood(points, [log_density(eta + part) for part in points.parts])
    pm.Potential(unused("mixed_likelihood"), by_group.sum())
