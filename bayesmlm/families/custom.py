"""Responses that PyMC has no distribution for, or none that is stable in the tails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def observe(
    name: str,
    log_density: Callable[..., Any],
    simulate: Callable[..., Any],
    parts: Mapping[str, Any],
    observed: Any,
    dims: str,
    signature: str | None = None,
) -> Any:
    """Add a response with a log density of its own to the PyMC model on the context stack.

    Parameters
    ----------
    log_density
        A function of y and the parts by name, tensors.
    simulate
        A function of the parts by name, arrays, and of a generator ``rng``.
    parts
        The tensors that both take: the linear predictor first, then scalars or vectors.
    signature
        Which of the parts are no values of rows, as NumPy writes it; None: all are.
    """
    import pymc as pm
    import pytensor.tensor as pt

    keys = tuple(parts)
    first, *rest = parts.values()
    rows = pt.zeros(observed.shape) + first  # a linear predictor may be one number

    def logp(value: Any, *given: Any) -> Any:
        return log_density(value, **dict(zip(keys, given, strict=True)))

    def random(*given: Any, rng: np.random.Generator, size: Any = None) -> Any:
        drawn = simulate(**dict(zip(keys, map(np.asarray, given), strict=True)), rng=rng)
        return drawn.astype(observed.dtype)

    each = ",".join("()" for _ in keys)
    return pm.CustomDist(
        name,
        rows,
        *rest,
        logp=logp,
        random=random,
        signature=f"{each}->()" if signature is None else signature,
        dtype=observed.dtype.name,
        observed=observed,
        dims=dims,
    )
