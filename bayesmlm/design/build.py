"""A specification is met with data, and refused where the data cannot tell its parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design.categories import check_seen
from bayesmlm.design.design import Design
from bayesmlm.design.factor_levels import factor_levels, further_levels
from bayesmlm.design.frame import Rows, narwhalify, read_columns
from bayesmlm.design.further import ParameterDesign, check_parameter_names, check_parameters
from bayesmlm.design.latent_means import latent_means
from bayesmlm.design.levels import detect_levels
from bayesmlm.design.linear_predictor import LinearPredictor, groupings_of, linear_predictor
from bayesmlm.design.refuse import (
    check_bare_names,
    check_declared_levels,
    check_groupings,
    check_residual,
    check_sides,
)
from bayesmlm.design.response import Outcome, read_outcome, unlikely
from bayesmlm.design.screen import far_from_zero, near_collinear
from bayesmlm.design.used_columns import outcome_columns, right_columns, used_columns
from bayesmlm.errors import SpecError, message
from bayesmlm.families import Family
from bayesmlm.families.link import LINKS
from bayesmlm.spec.expression import is_name, variables
from bayesmlm.spec.terms import ModelSpec, Predictor, Response

Array = NDArray[np.float64]


def build_design(spec: ModelSpec, data: Any, family: Family, missing: str = "error") -> Design:
    """Meet a specification with data.

    Parameters
    ----------
    spec
        The model as written.
    data
        A pandas or polars DataFrame.
    family
        The response's family.
    missing
        ``"error"``, ``"drop"``, or ``"keep"``: rows without a response take part in encodings
        (in group means, say) and not in the likelihood.

    Raises
    ------
    DataError
        If the model cannot be fitted to the data; the message says why.
    """
    response = spec.response
    rows = read_rows(spec, data, family, missing)
    outcome = read_outcome(response, family, rows.frame)
    family = family.of(outcome.categories)
    check_parameters(response, family, outcome.rows)
    location = location_of(spec, family, outcome, rows)
    formulas = further_formulas(response, family, outcome.rows)
    further = further_designs(formulas, family, outcome.rows, rows)
    check_parameter_names(location.random, further)
    everywhere = groupings_of([response.mu, *formulas.values()], rows.frame)
    groupings = tuple(block.grouping for block in location.random)
    own = everywhere if family.unordered else groupings
    cautions = cautions_of(location, response, family, outcome, rows)
    return Design(
        spec=spec,
        family=family,
        outcome=outcome,
        X=location.X,
        fixed=location.fixed,
        offset=location.offset,
        offsets=location.offsets,
        random=location.random,
        levels=detect_levels(everywhere, rows.frame),
        factor_levels=further_levels(response, rows.frame)
        | factor_levels(response.mu, own, rows.frame),
        positions=rows.positions,
        notes=tuple(note for note in (outcome.note, rows.kept, *cautions) if note),
        cautions=cautions,
        latent=latent_means(response.mu, groupings, location.fixed, rows.frame),
        further=further,
    )


def read_rows(spec: ModelSpec, data: Any, family: Family, missing: str) -> Rows:
    """Return the rows and columns that a model uses."""
    response, source = spec.response, narwhalify(data)
    rows = read_columns(source, used_columns(spec), missing, outcome=outcome_columns(spec))
    check_sides(response, right_columns(response))
    check_bare_names(spec, tuple(source.columns))
    if (family.ordered or family.unordered) and is_name(response.column):
        check_seen(response.column, source[variables(response.column)[0]], rows.frame)
    return rows


def location_of(spec: ModelSpec, family: Family, outcome: Outcome, rows: Rows) -> LinearPredictor:
    """Return the location's linear predictor, refusing what leaves no residual."""
    # the first category has the linear predictor 0, and the others have the formula
    mu = Predictor(fixed=()) if family.unordered else spec.response.mu
    groupings = groupings_of([mu], rows.frame)
    scale = family.estimates_scale(outcome.rows)
    check_groupings(groupings, scale, len(rows.frame))
    check_declared_levels(spec, groupings, rows.frame)
    found = linear_predictor(mu, groupings, rows, ordered=family.ordered)
    if scale:
        check_residual(found.X, family.on_link_scale(outcome.y), groupings)
    return found


def further_formulas(
    response: Response, family: Family, rows: Mapping[str, Array]
) -> dict[str, Predictor]:
    """Return the formulas of further parameters by name.

    Categories without one have the location's.
    """
    if not family.unordered:
        return dict(response.further)
    if any(term.points is not None for term in response.mu.random):
        raise SpecError(
            message(
                "mass points with the categorical family",
                "normal and Student-t effects",
                "leave out dist=, or write dist='student'",
            )
        )
    own = dict(response.further)
    return {p.name: own.get(p.name, response.mu) for p in family.parameters(rows)}


def further_designs(
    formulas: Mapping[str, Predictor], family: Family, known: Mapping[str, Array], rows: Rows
) -> tuple[ParameterDesign, ...]:
    """Meet the formulas of further parameters with data."""
    parameters = {parameter.name: parameter for parameter in family.parameters(known)}
    found = []
    for name, predictor in formulas.items():
        groupings = groupings_of([predictor], rows.frame)
        check_groupings(groupings, False, len(rows.frame))
        own = linear_predictor(predictor, groupings, rows, name)
        link = LINKS[predictor.link or parameters[name].links[0]]
        made = (own.X, own.fixed, own.offset, own.offsets, own.random)
        found.append(ParameterDesign(parameters[name], link, *made))
    return tuple(found)


def cautions_of(
    location: LinearPredictor, response: Response, family: Family, outcome: Outcome, rows: Rows
) -> tuple[str, ...]:
    """Return what the user should look at."""
    found = [rows.note, near_collinear(location.X, location.fixed.columns)]
    found += [unlikely(response, family, outcome)]
    found += [
        far_from_zero(effect, block.name, column)
        for block in location.random
        for effect, column in zip(block.effects, block.Z.T, strict=True)
        if names.INTERCEPT in block.effects
    ]
    return tuple(note for note in found if note)
