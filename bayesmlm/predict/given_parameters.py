"""Parameters of a model as given: numbers, or distributions that they are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import Design, ParameterDesign, RandomBlock
from bayesmlm.errors import StatisticError, message, suggestion
from bayesmlm.families.parameter import ORDERED, POSITIVE
from bayesmlm.predict.parameters import Parameters, covariances
from bayesmlm.priors import Prior

Array = NDArray[np.float64]


def parameter_names(design: Design) -> tuple[str, ...]:
    """Return the names by which `given_parameters` takes each parameter."""
    found: list[str] = []
    for part in design.parts:
        found += coefficient_names(part)
        for block in part.random:
            found += [*sd_names(block), *correlation_names(block)]
            if block.distribution == "student":
                found.append(names.nu(block.name))
    for parameter in design.parameters:
        labels = [f"{parameter.name}[{label}]" for label in parameter.labels]
        found += labels if parameter.support == ORDERED else [parameter.name]
    return tuple(found)


def coefficient_names(part: Design | ParameterDesign) -> list[str]:
    """Return the names of the coefficients of one linear predictor: ``x``, ``sigma_x``."""
    return [names.parameter_coef(part.target, coef) for coef in part.coef]


def sd_names(block: RandomBlock) -> list[str]:
    """Return the names of the SDs of a grouping's effects."""
    return [f"{names.sd(block.name)}[{effect}]" for effect in block.effects]


def correlation_names(block: RandomBlock) -> list[str]:
    """Return the names of the correlations of a grouping's effects."""
    return [f"{names.corr(block.name)}[{pair}]" for pair in block.pair_labels]


def by_name(design: Design, parameters: Parameters) -> dict[str, Array]:
    """Return the draws of each parameter, shape (S,), by the names of `parameter_names`."""
    columns: list[Array] = []
    for part in design.parts:
        columns += list(parameters.betas[part.target].T)
        for block in part.random:
            columns += [*parameters.sds[block.name].T, *parameters.correlations[block.name].T]
            if block.distribution == "student":
                columns.append(parameters.freedom[block.name])
    for parameter in design.parameters:
        columns += list(parameters.others[parameter.name].reshape(parameters.size, -1).T)
    return dict(zip(parameter_names(design), columns, strict=True))


def given_parameters(
    design: Design, values: Mapping[str, Any], draws: int, rng: np.random.Generator
) -> Parameters:
    """Return parameters as given: numbers, or distributions that they are drawn from.

    Parameters
    ----------
    design
        The model.
    values
        A number or a `Prior` for every name of `parameter_names`; ``sd_g`` and ``corr_g`` will
        do for a single effect or pair.
    draws
        How many.
    rng
        Of the draws.

    Raises
    ------
    StatisticError
        For unknown names, missing ones, and values outside their range.
    """
    known = parameter_names(design)
    own = complete(values, known)
    drawn = {
        name: own[name].draw(draws, rng)
        if isinstance(own[name], Prior)
        else np.full(draws, number(name, own[name]))
        for name in known
    }

    def columns(wanted: list[str]) -> Array:
        return np.stack([drawn[name] for name in wanted], 1) if wanted else np.empty((draws, 0))

    found = Parameters(
        betas={part.target: columns(coefficient_names(part)) for part in design.parts},
        sds={block.name: columns(sd_names(block)) for block in design.blocks},
        correlations={block.name: columns(correlation_names(block)) for block in design.blocks},
        others={
            p.name: columns([f"{p.name}[{label}]" for label in p.labels])
            if p.support == ORDERED
            else drawn[p.name]
            for p in design.parameters
        },
        freedom={
            block.name: drawn[names.nu(block.name)]
            for block in design.blocks
            if block.distribution == "student"
        },
    )
    check_ranges(design, found)
    return found


def complete(values: Any, known: tuple[str, ...]) -> dict[str, Any]:
    """Return the values by their full names, none missing and none unknown."""
    if not isinstance(values, Mapping):
        raise StatisticError(
            message(
                f"parameters of type {type(values).__name__}",
                "a dictionary of numbers by parameter name",
                f"names: {', '.join(known)}",
            )
        )
    short: dict[str, list[str]] = {}
    for name in known:
        short.setdefault(name.partition("[")[0], []).append(name)
    own = {}
    for name, value in values.items():
        full = name
        if name not in known and len(short.get(name, ())) == 1:
            (full,) = short[name]
        if full not in known or full in own:
            raise StatisticError(
                message(
                    f"a parameter {name!r}{suggestion(str(name), known)}",
                    ", ".join(known),
                    "name each of these once",
                )
            )
        own[full] = value
    missing = [name for name in known if name not in own]
    if missing:
        raise StatisticError(
            message(
                f"no value of {', '.join(missing)}",
                f"a value of each of {', '.join(known)}",
                "add them; a correlation or SD of 0 is a value",
            )
        )
    return own


def number(name: str, value: Any) -> float:
    """Return a finite number, or refuse."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        value = np.nan
    if not np.isfinite(value):
        raise StatisticError(
            message(
                f"{name} is no finite number",
                "a number, or a distribution such as bayesmlm.Normal(0.3, 0.1)",
                f"give {name} a number",
            )
        )
    return float(value)


def check_ranges(design: Design, found: Parameters) -> None:
    """Refuse negative SDs, correlations that no matrix has, and further values out of range."""
    wrong = [f"an SD by {name} below 0" for name, sds in found.sds.items() if (sds < 0).any()]
    for block in design.blocks:
        if block.pairs:
            ones = np.ones_like(found.sds[block.name])
            unit = covariances(block, ones, found.correlations[block.name])
            if np.linalg.eigvalsh(unit).min() < -1e-9:
                wrong.append(f"correlations by {block.name} that no matrix has")
    wrong += [f"nu by {name} not above 2" for name, nu in found.freedom.items() if (nu <= 2).any()]
    for parameter in design.parameters:
        values = found.others[parameter.name]
        if parameter.support == ORDERED:
            bad = bool((np.diff(values, axis=-1) <= 0).any())
        else:
            bad = bool((values <= 0).any() or (parameter.support != POSITIVE and values.max() >= 1))
        if bad:
            wrong.append(f"{parameter.name} that is not {parameter.support}")
    if wrong:
        raise StatisticError(
            message(
                "; ".join(wrong),
                "SDs from 0, correlations of a matrix, positive scales, increasing thresholds",
                "correct these values",
            )
        )
