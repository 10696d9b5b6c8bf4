"""The columns of the data that the parts of a model use."""

from __future__ import annotations

from collections.abc import Iterable

from bayesmlm.design.random_block import RandomBlock
from bayesmlm.spec.expression import variables
from bayesmlm.spec.terms import ModelSpec, Predictor, Response


def right_columns(response: Response) -> tuple[str, ...]:
    """Return the data columns that the predictors of all parameters use."""
    columns = [name for _, own in response.predictors for name in predictor_columns(own)]
    return tuple(dict.fromkeys(columns))


def predictor_columns(predictor: Predictor) -> tuple[str, ...]:
    """Return the data columns a predictor uses."""
    groups = [name for columns in predictor.groupings for name in columns]
    return tuple(dict.fromkeys([*effect_columns(predictor), *groups]))


def effect_columns(predictor: Predictor) -> tuple[str, ...]:
    """Return the data columns that a predictor's effects and offset are computed from."""
    effects = [term for random in predictor.random for term in random.effects]
    factors = [factor for term in (*predictor.fixed, *effects) for factor in term.factors]
    found = [name for text in (*factors, *predictor.offset) for name in variables(text)]
    return tuple(dict.fromkeys(found))


def group_columns(blocks: Iterable[RandomBlock]) -> tuple[str, ...]:
    """Return the data columns that make some groupings."""
    return tuple(dict.fromkeys(name for b in blocks for name in b.grouping.columns))


def used_columns(spec: ModelSpec) -> tuple[str, ...]:
    """Return the data columns a specification uses, groups of its equations included."""
    response = spec.response
    left = (response.column, *(text for _, text in response.additions))
    found = [name for text in left for name in variables(text)]
    levels = spec.declared.levels if spec.declared else ()
    declared = [name for _, columns in levels for name in columns]
    return tuple(dict.fromkeys([*found, *right_columns(response), *declared]))


def outcome_columns(spec: ModelSpec) -> tuple[str, ...]:
    """Return the data columns of the response that nothing else is computed from."""
    response = spec.response
    additions = [name for _, text in response.additions for name in variables(text)]
    taken = {*right_columns(response), *additions}
    return tuple(name for name in variables(response.column) if name not in taken)
