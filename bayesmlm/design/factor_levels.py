"""The level that each factor of a model lives on, as the data have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesmlm.design.encoding import encode
from bayesmlm.design.grouping import Grouping, group_rows
from bayesmlm.design.levels import column_level
from bayesmlm.spec.terms import Predictor, Response, Term

if TYPE_CHECKING:
    import pandas as pd


def factor_levels(
    predictor: Predictor, groupings: tuple[Grouping, ...], frame: pd.DataFrame
) -> dict[str, tuple[str, ...]]:
    """Return the grouping on whose level each factor lives; level-1 factors are absent."""
    effects = [term for random in predictor.random for term in random.effects]
    factors = [factor for term in (*predictor.fixed, *effects) for factor in term.factors]
    found: dict[str, tuple[str, ...]] = {}
    for factor in dict.fromkeys(factors):
        place = factor_level(factor, groupings, frame)
        if place:
            found[factor] = place
    return found


def further_levels(response: Response, frame: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Return the levels of factors that only further parameters' formulas have."""
    mu = response.mu
    effects = [term for random in mu.random for term in random.effects]
    own = {factor for term in (*mu.fixed, *effects) for factor in term.factors}
    found: dict[str, tuple[str, ...]] = {}
    for _, predictor in response.further:
        groupings = tuple(group_rows(columns, frame) for columns in predictor.groupings)
        found |= factor_levels(predictor, groupings, frame)
    return {factor: place for factor, place in found.items() if factor not in own}


def factor_level(
    factor: str, groupings: tuple[Grouping, ...], frame: pd.DataFrame
) -> tuple[str, ...] | None:
    """Return the grouping on whose level one factor lives, None for level 1."""
    import pandas as pd

    values = encode((Term((factor,)),), frame)[1]
    places = [column_level(groupings, pd.Series(column)) for column in values.T]
    homes = [place for place in places if place]
    if len(homes) < len(places) or len(set(homes)) != 1:
        return None
    return homes[0]
