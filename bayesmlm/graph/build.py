"""Design and priors to a readable `pymc.Model`, the definition of the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayesmlm import names
from bayesmlm.design import Design, ParameterDesign
from bayesmlm.families.parameter import ORDERED
from bayesmlm.graph.effects import add_effects
from bayesmlm.graph.fixed import Fixed, add_fixed
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
        ``sd_<group>``, ``corr_<group>`` and ``u_<group>`` are those of the posterior. A formula
        of sigma has ``beta_sigma``, ``sd_sigma_<group>`` and so on in place of ``sigma``. Mass
        points have ``points_<group>``, ``mass_<group>`` and ``membership_<group>``, each group's
        probabilities of the points, in place of ``u_<group>``; the response is then data, in
        the potential ``mixed_likelihood``. A predictor x with latent group means has ``mu_x``,
        ``tau_x``, ``sigma_x`` (SDs) and the means ``latent_x``, and is observed itself.
    """
    import pymc as pm

    with pm.Model(coords=coords(design)) as model:
        latent = add_latent_columns(design, priors)
        fixed, eta = add_predictor(design, priors, coordinates, latent)
        mixed = [add_points(b, priors) for b in design.random if b.distribution == "points"]
        predictors = {
            part.target: add_predictor(part, priors.of(part.target), coordinates)[1]
            for part in design.further
        }
        others = add_further(design, priors, fixed, predictors)
        if mixed:
            add_mixed_response(design, mixed[0], eta, others)
        else:
            add_response(design, eta, others)
    return model


def add_predictor(
    part: Design | ParameterDesign,
    priors: Priors,
    coordinates: tuple[EffectCoordinates, ...],
    latent: Mapping[str, Any] | None = None,
) -> tuple[Fixed, Any]:
    """Add a parameter's fixed part and effects; return the former and the linear predictor.

    Mass points are not among the effects.

    Parameters
    ----------
    part
        The location, or a further parameter.
    priors
        With those of its fixed part.
    coordinates
        Centred or non-centred, per random effect.
    latent
        Tensors of columns that are not observed, by coefficient.
    """
    fixed = add_fixed(part, priors, latent or {})
    means = tensors(group_means(part, coordinates, fixed))
    sampled = [block for block in part.random if block.distribution != "points"]
    effects = [own for block in sampled for own in add_effects(block, priors, means)]
    eta = fixed.linear_predictor()
    for own in effects:
        eta = eta + own
    if part.offset.any():
        eta = eta + data(names.of_parameter("offset", part.target), part.offset, dims=names.OBS)
    return fixed, eta


def coords(design: Design) -> dict[str, Any]:
    """Return the coordinates of every dimension of the model."""
    found: dict[str, Any] = {
        names.OBS: design.positions,
        names.COEF: list(design.coef),
    }
    for parameter in design.parameters:
        if parameter.support == ORDERED:
            found[names.THRESHOLD] = list(parameter.labels)
    for part in design.further:
        found[names.of_parameter(names.COEF, part.target)] = list(part.coef)
    for block in design.blocks:
        found[block.dim] = list(block.grouping.labels)
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
