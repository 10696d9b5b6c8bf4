"""Groupings each of which lies in the next, whose effects integrate out together."""

from __future__ import annotations

from itertools import pairwise

from bayesmlm.density.quadrature import WIDEST
from bayesmlm.design import Design, RandomBlock
from bayesmlm.design.grouping import Grouping, is_nested
from bayesmlm.errors import StatisticError, message
from bayesmlm.families.rows import code


def why_not(design: Design, chain: tuple[RandomBlock, ...]) -> str | None:
    """Return why the effects of a chain of groupings do not integrate out, or None."""
    if design.further:
        return f"{' and '.join(part.target for part in design.further)} with a formula of its own"
    other = next((block for block in chain if not block.is_normal), None)
    if other is not None:
        return f"the effects by {other.name} are not normal ({other.distribution})"
    if design.family.name == "gaussian" or not chain:
        return None
    if code(design.family) is None:
        return f"the {design.family.name} family has no compiled density"
    if len(chain) > 2 or (len(chain) == 2 and len(chain[1].effects) > 1):
        return f"quadrature is over two groupings, one effect of the outer, here {chain[-1].name}"
    if len(chain[0].effects) > WIDEST:
        return f"{len(chain[0].effects)} effects of a group are too many for quadrature"
    return None


def chain_of(design: Design, grouping: Grouping) -> tuple[RandomBlock, ...]:
    """Return the groupings that lie within one, the innermost first, each in the next.

    Raises
    ------
    StatisticError
        If two of them cross.
    """
    inside = [block for block in design.random if is_nested(block.grouping, grouping)]
    inside.sort(key=lambda block: -block.grouping.size)
    for inner, outer in pairwise(inside):
        if not is_nested(inner.grouping, outer.grouping):
            raise StatisticError(
                message(
                    f"{inner.name} and {outer.name}, which cross within {grouping.name}",
                    "groupings each of which lies in the next",
                    'leave rows out instead: predict="new row"',
                )
            )
    return tuple(inside)
