"""What becomes of the groups of each grouping in a prediction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bayesmlm.design import Design
from bayesmlm.errors import StatisticError, message, suggestion

EXISTING, NEW, AVERAGE, MARGINAL = TREATMENTS = ("existing", "new", "average", "marginal")

Groups = str | Mapping[str, str]
"""One treatment for all groupings, or one by grouping."""


def treatments(design: Design, groups: Groups) -> dict[str, str]:
    """Return the treatment of each grouping; those not named are ``"existing"``.

    Raises
    ------
    StatisticError
        For a treatment that does not exist.
    SpecError
        For a grouping that the model does not have.
    """
    names = [block.name for block in design.random]
    if not isinstance(groups, Mapping):
        check_choice("groups", groups, TREATMENTS)
        return dict.fromkeys(names, groups)
    found = dict.fromkeys(names, EXISTING)
    for group, treatment in groups.items():
        check_choice(f"groups={{{group!r}: …}}", treatment, TREATMENTS)
        found[design.block(group).name] = treatment
    return found


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
