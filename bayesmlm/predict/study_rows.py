"""Rows of a study that is only planned: groups, predictors, and a response to be simulated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design import Design, build_design
from bayesmlm.design.response import read_again
from bayesmlm.errors import SpecError, message, suggestion
from bayesmlm.families import Family
from bayesmlm.predict.given_parameters import given_parameters
from bayesmlm.predict.parameters import Parameters
from bayesmlm.predict.simulation import draw_responses, new_effects
from bayesmlm.predict.simulation_rows import same_rows
from bayesmlm.spec.expression import is_name, variables
from bayesmlm.spec.terms import ModelSpec

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

Covariates = Mapping[str, "str | float"] | Callable[[int, int, np.random.Generator], Any]
"""How predictors are made: kinds or numbers by column, or a function that gives the rows."""

Maker = Callable[[NDArray[np.int64], int, np.random.Generator], Array]


def within(rows: NDArray[np.int64], groups: int, rng: np.random.Generator) -> Array:
    """Return the place of each row in its group, from 0."""
    size = len(rows) // groups
    return np.tile(np.arange(size, dtype=float), groups)


def halves(count: int, rng: np.random.Generator) -> Array:
    """Return zeros and ones, half of each (an odd one by chance), in random order."""
    ones = (count + int(rng.integers(2))) // 2
    return rng.permutation(np.arange(count) < ones).astype(float)


KINDS: dict[str, Maker] = {
    "normal": lambda rows, groups, rng: rng.standard_normal(len(rows)),
    "binary": lambda rows, groups, rng: np.concatenate(
        [halves(len(rows) // groups, rng) for _ in range(groups)]
    ),
    "time": within,
    "group normal": lambda rows, groups, rng: rng.standard_normal(groups)[rows],
    "group binary": lambda rows, groups, rng: halves(groups, rng)[rows],
}
"""Kinds of predictors: normal or half ones by row or by group, or the place in the group."""


def study_frame(
    spec: ModelSpec, covariates: Covariates, groups: int, size: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the rows of a study, without its response.

    Raises
    ------
    SpecError
        For models of other than one grouping column, and unknown kinds.
    """
    import pandas as pd

    if callable(covariates):
        return pd.DataFrame(covariates(groups, size, rng))
    groupings = spec.response.mu.groupings
    if len(groupings) != 1 or len(groupings[0]) != 1:
        raise SpecError(
            message(
                f"covariates by kind for {len(groupings)} groupings",
                "one grouping of one column",
                "pass a function of (groups, size, rng) that gives all columns but the response",
            )
        )
    codes = np.repeat(np.arange(groups), size)
    columns: dict[str, Any] = {groupings[0][0]: codes}
    for name, kind in covariates.items():
        if isinstance(kind, int | float | np.number) and not isinstance(kind, bool):
            columns[name] = np.full(len(codes), kind)
        elif isinstance(kind, str) and kind in KINDS:
            columns[name] = KINDS[kind](codes, groups, rng)
        else:
            near = suggestion(str(kind), KINDS)
            raise SpecError(
                message(
                    f"a covariate {name}={kind!r}{near}",
                    ", ".join(map(repr, KINDS)) + ", or a number",
                    "choose one of these, or pass a function",
                )
            )
    return pd.DataFrame(columns)


def study_design(
    spec: ModelSpec, family: Family, frame: pd.DataFrame, values: Mapping[str, Any]
) -> Design:
    """Return the design of a study whose response is not known yet, a stand-in in its place."""
    column = spec.response.column
    if not is_name(column):
        raise SpecError(
            message(
                f"a study of the response {column!r}",
                "a response that is a column",
                "plan it on the scale of the model, with a name of its own",
            )
        )
    name = variables(column)[0]
    return build_design(spec, frame.assign(**{name: stand_in(family, len(frame), values)}), family)


def stand_in(family: Family, count: int, values: Mapping[str, Any]) -> Array:
    """Return values that the family allows and that no predictor explains."""
    if family.ordered:
        cuts = sum(str(name).startswith("thresholds") for name in values)
        return np.asarray(np.arange(count) % (cuts + 1), dtype=np.float64)
    if family.counts:
        return np.asarray(np.arange(count) % 2, dtype=np.float64)
    uniform = np.random.default_rng(0).uniform(0.1, 0.9, count)
    return np.asarray(uniform, dtype=np.float64)


def simulated_study(
    design: Design, values: Mapping[str, Any], rng: np.random.Generator
) -> tuple[Design, Parameters]:
    """Return the design with a simulated response, and the parameters behind it."""
    parameters = given_parameters(design, values, 1, rng)
    effects = {
        block.name: new_effects(block, parameters, block.grouping.size, rng)
        for block in design.blocks
    }
    y = draw_responses(design, parameters, effects, same_rows(design), rng)[0]
    column, categories = design.spec.response.column, design.outcome.categories
    if categories:
        y = np.asarray(categories)[y.astype(int)]
    outcome = read_again(design.outcome, design.family, column, y)
    return replace(design, outcome=outcome), parameters
