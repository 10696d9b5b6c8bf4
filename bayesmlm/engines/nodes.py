"""The option ``nodes`` of engines that integrate effects numerically."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesmlm.density.node_choice import STILL
from bayesmlm.errors import EngineError, message

AUTO = "auto"

MOST = 100
"""Nodes in each dimension that may be asked for."""


def check_nodes(engine: str, value: Any) -> int | str:
    """Return the number of nodes, or "auto".

    Raises
    ------
    EngineError
    """
    if isinstance(value, str) and value == AUTO:
        return AUTO
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or not 1 <= value <= MOST:
        raise EngineError(
            message(
                f"{engine}(nodes={value!r})",
                f"a whole number from 1 to {MOST}, or 'auto'",
                "leave it out",
            )
        )
    return int(value)


def integration(nodes: int, move: float) -> str:
    """Return the note on how the effects were integrated out."""
    if nodes == 1:
        return "Random effects integrated out by Laplace's approximation."
    text = f"Random effects integrated out by adaptive quadrature, {nodes} nodes in each dimension"
    if move < STILL:
        return f"{text}."
    return f"{text}; twice as many still move the log likelihood by {move:.2g}."
