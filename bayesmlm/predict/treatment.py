"""What becomes of the groups of each grouping in a prediction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bayesmlm.design import Design, RandomBlock
from bayesmlm.errors import SpecError, StatisticError, message, suggestion

EXISTING, NEW, AVERAGE, MARGINAL = TREATMENTS = ("existing", "new", "average", "marginal")

Groups = str | Mapping[str, str]
"""One treatment for all groupings, or one by grouping."""


def treatments(design: Design, groups: Groups) -> dict[str, str]:
    """Return the treatment of each grouping; those not named are ``"existing"``.

    A grouping's effects on all parameters are treated alike.

    Raises
    ------
    StatisticError
        For a treatment that does not exist.
    SpecError
        For a grouping that the model does not have.
    """
    names = [block.name for block in design.blocks]
    if not isinstance(groups, Mapping):
        check_choice("groups", groups, TREATMENTS)
        return dict.fromkeys(names, groups)
    found = dict.fromkeys(names, EXISTING)
    for group, treatment in groups.items():
        check_choice(f"groups={{{group!r}: …}}", treatment, TREATMENTS)
        found |= dict.fromkeys((block.name for block in blocks_over(design, group)), treatment)
    return found


def blocks_over(design: Design, group: str) -> tuple[RandomBlock, ...]:
    """Return the effects of one grouping on all parameters.

    Raises
    ------
    SpecError
        For a grouping that the model does not have.
    """
    known = {block.grouping.name: block.grouping for block in design.blocks}
    inner = [name for name, grouping in known.items() if grouping.columns[-1] == group]
    if group not in known and len(inner) != 1:
        raise SpecError(
            message(
                f"no effects vary over {group!r}",
                ", ".join(known) or "none: the model has no groups",
                "name one of these groupings",
            )
        )
    chosen = group if group in known else inner[0]
    return tuple(block for block in design.blocks if block.grouping.name == chosen)


def check_choice(what: str, value: Any, allowed: Iterable[str]) -> None:
    """Raise `StatisticError` for a value that is none of the names allowed."""
    if not isinstance(value, str) or value not in allowed:
        raise StatisticError(
            message(
                f"{what}: {value!r}{suggestion(value, allowed)}",
                ", ".join(map(repr, allowed)),
                "choose one of these",
            )
        )
