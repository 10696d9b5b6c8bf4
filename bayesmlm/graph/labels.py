"""Names inside the graph that step aside for the user's columns and groupings.

PyMC keeps one space of names for variables and dimensions, and a grouping is a dimension.
The variables of the posterior have the names of the design; the others give way.
"""

from __future__ import annotations

from typing import Any

from bayesmlm import names


def unused(name: str) -> str:
    """Return the name, with underscores added while the model on the context stack has it."""
    import pymc as pm

    model = pm.modelcontext(None)
    while name in model.named_vars or name in model.coords:
        name += "_"
    return name


def data(name: str, values: Any, **options: Any) -> Any:
    """Add data to the PyMC model on the context stack."""
    import pymc as pm

    return pm.Data(unused(name), values, **options)


def effect_label(group: str, effect: str) -> str:
    """Return the label of one effect of a grouping: ``school[ses]``."""
    return f"{names.safe(group)}[{names.safe(effect)}]"


def response_label(column: str) -> str:
    """Return the name of the response, which is no variable's and no dimension's."""
    name = names.safe(column.strip("`"))
    return name if name == unused(name) and name not in names.RESERVED else f"{name}_response"
