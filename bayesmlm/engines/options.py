"""Options that several engines share."""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np

from bayesmlm.errors import EngineError, message

SEED_BITS = 31


def check_numbers(engine: Any, name: str) -> None:
    """Refuse ``draws`` and ``evaluations`` but whole numbers from 100; NumPy's become Python's.

    Parameters
    ----------
    engine
        A frozen engine with both fields; evaluations may be None.
    name
        As users write it.

    Raises
    ------
    EngineError
    """
    for option in ("draws", "evaluations"):
        value = getattr(engine, option)
        if option == "evaluations" and value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 100:
            raise EngineError(
                message(f"{name}({option}={value!r})", "a whole number from 100", "leave it out")
            )
        object.__setattr__(engine, option, int(value))


def resolve_seed(seed: Any) -> int:
    """Return the seed, or a new one.

    Raises
    ------
    EngineError
        For anything but a whole number from 0.
    """
    if seed is None:
        return secrets.randbits(SEED_BITS)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**63:
        raise EngineError(
            message(
                f"seed={seed!r}",
                "a whole number from 0, below 2**63",
                "pass seed=1, or leave it out",
            )
        )
    return int(seed)
