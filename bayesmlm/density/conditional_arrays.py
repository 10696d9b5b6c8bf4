"""A model as the flat arrays that `conditional_kernel` reads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.fixed_coordinates import FixedCoordinates
from bayesmlm.density.hyperparameters import Hyperparameters
from bayesmlm.density.linear_parts import n_coefficients
from bayesmlm.density.log_prior import STANDARD_NORMAL, STANDARD_STUDENT
from bayesmlm.design import Design
from bayesmlm.families.on_line import line_code
from bayesmlm.families.parameter import ORDERED
from bayesmlm.graph.means import GroupMean
from bayesmlm.graph.parametrisation import CENTRED, EffectCoordinates
from bayesmlm.priors import Prior

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


def coefficient_priors(fixed: FixedCoordinates) -> tuple[Ints, Array, Array, Array, Array]:
    """Return kinds, parameters, forms and shifts of the standardised coefficients."""
    coded = [standardised(prior) for prior in fixed.priors]
    kinds = np.array([kind for kind, *_ in coded], dtype=np.int64)
    freedom, centre, scale = (np.array([c[k] for c in coded], dtype=float) for k in (1, 2, 3))
    forms = np.ascontiguousarray(fixed.with_priors / scale[:, None])
    return kinds, freedom, np.zeros(len(coded)), forms, -centre / scale


def standardised(prior: Prior) -> tuple[int, float, float, float]:
    """Return the kernel's code of a prior on the line, degrees of freedom, centre and scale."""
    values = prior.parameters()
    name = type(prior).__name__
    if name == "Normal":
        return STANDARD_NORMAL, 0.0, values["mu"], values["sigma"]
    if name == "Cauchy":
        return STANDARD_STUDENT, 1.0, values["alpha"], values["beta"]
    return STANDARD_STUDENT, values["nu"], values["mu"], values["sigma"]


def positions(design: Design, layout: Hyperparameters) -> tuple[Ints, Ints, Ints]:
    """Return the positions in psi of further parameters, SDs and partial correlations, flat.

    Of a further parameter with a formula it is -1.
    """
    whole = np.empty(0, dtype=np.int64)
    known = {slots.parameter.name: slots.at for slots in layout.further}
    further = [
        known.get(parameter.name, np.array([-1]))
        for parameter in design.family.parameters(design.outcome.rows)
    ]
    return (
        np.concatenate([*further, whole]).astype(np.int64),
        np.concatenate([*(slots.sds for slots in layout.groups), whole]).astype(np.int64),
        np.concatenate([*(slots.pair_positions.ravel() for slots in layout.groups), whole]),
    )


def effect_arrays(
    design: Design,
    coordinates: tuple[EffectCoordinates, ...],
    means: dict[tuple[str, str], GroupMean],
) -> tuple[Any, ...]:
    """Return what the kernel needs of the groupings; see `conditional_kernel`."""
    p = n_coefficients(design)
    forms: list[Array] = []
    predictors: list[Array] = []
    form_start, W_start = [0], [0]
    for choice in coordinates:
        mean = means.get((choice.group, choice.effect))
        if mean is not None:
            own = [*mean.slopes, *([] if mean.intercept is None else [mean.intercept])]
            ones = np.ones((len(mean.W), len(own) - len(mean.slopes)))
            forms += own
            predictors.append(np.hstack([mean.W, ones]).ravel())
        form_start.append(len(forms))
        W_start.append(sum(len(w) for w in predictors))
    centred = [choice.choice == CENTRED for choice in coordinates]
    return (
        np.array([block.grouping.size for block in design.blocks], dtype=np.int64),
        np.array([len(block.effects) for block in design.blocks], dtype=np.int64),
        np.array(centred, dtype=np.int64),
        np.array(forms, dtype=float).reshape(len(forms), p),
        np.array(form_start, dtype=np.int64),
        np.concatenate([*predictors, np.empty(0)]),
        np.array(W_start, dtype=np.int64),
    )


def outcome_arrays(design: Design, kernel: int, columns: list[Array]) -> tuple[Any, ...]:
    """Return what the kernel needs of the rows; see `conditional_kernel`.

    Parameters
    ----------
    design, kernel
        The model, and the code of its family.
    columns
        The columns of each linear predictor that stay with the rows.
    """
    rows, n = design.outcome.rows, len(design.y)
    Z = np.hstack([np.empty((n, 0)), *(block.Z for block in design.blocks)])
    codes = [block.grouping.codes for block in design.blocks]
    return (
        np.array([kernel], dtype=np.int64),
        np.array(design.y, dtype=float),
        np.array([part.offset for part in design.parts], dtype=float),
        np.ascontiguousarray(np.hstack(columns)),
        np.ascontiguousarray(Z),
        np.array(codes, dtype=np.int64).reshape(len(codes), n).T.copy(),
        np.array(design.family.known(rows), dtype=float),
        np.array(rows.get("weights", np.ones(1)), dtype=float),
        spans(design, columns),
        *formula_codes(design),
    )


def spans(design: Design, columns: list[Array]) -> Ints:
    """Return where each linear predictor's columns and groupings begin, shape (P, 7)."""
    found = []
    x = b = z = g = value = 0
    for part, own in zip(design.parts, columns, strict=True):
        width, groups = own.shape[1], len(part.random)
        found.append((x, x + width, b, z, g, g + groups, value))
        x, b, g = x + width, b + 1 + width, g + groups
        z += sum(len(block.effects) for block in part.random)
        value += sum(block.grouping.size * len(block.effects) for block in part.random)
    return np.array(found, dtype=np.int64)


def formula_codes(design: Design) -> tuple[Ints, Ints]:
    """Return which linear predictor each further parameter has, 0 for none, and its link."""
    numbers = {part.target: k for k, part in enumerate(design.further, start=1)}
    of, links = [], []
    for parameter in design.family.parameters(design.outcome.rows):
        number = numbers.get(parameter.name, 0)
        link = line_code(parameter, design.further[number - 1].link) if number else 0
        entries = 1 if number else parameter.size
        if parameter.support == ORDERED:
            entries = len(design.outcome.threshold_labels)
        of += [number] * entries
        links += [link] * entries
    return np.array(of, dtype=np.int64), np.array(links, dtype=np.int64)
