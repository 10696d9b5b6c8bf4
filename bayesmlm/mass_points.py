"""Numbers of mass points compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bayesmlm.engines import NPML
from bayesmlm.engines.npml import NOTHING
from bayesmlm.engines.options import resolve_seed
from bayesmlm.errors import EngineError, message
from bayesmlm.fit import Fit
from bayesmlm.model import Model
from bayesmlm.reports import Table

POINTS = (1, 2, 3, 4, 5)
"""Numbers of points compared where none are given."""


def compare_points(
    model: Model, points: Sequence[int] = POINTS, *, seed: int | None = None, starts: int = 8
) -> Table:
    """Fit a model by `NPML` with several numbers of mass points, and compare them.

    Parameters
    ----------
    model
        With one grouping; see `NPML`.
    points
        Numbers of points.
    seed
        Of the random starts; None draws one.
    starts
        Random starts of each fit.

    Returns
    -------
    Table
        A row a number of points: log likelihood, parameters, AIC, BIC, how many points differ,
        and ``further``, the slope of the log likelihood towards one more point. From where that
        is zero one more point gains nothing, which the notes say.

    Raises
    ------
    EngineError
        For numbers that are not whole numbers from 1, or repeat.

    Examples
    --------
    >>> import bayesmlm as mlm
    >>> data = mlm.datasets.load("sleepstudy")
    >>> model = mlm.Model("Reaction ~ Days + (1 | Subject)", data)
    >>> print(mlm.compare_points(model, [1, 2, 3], seed=1))  # doctest: +SKIP
    """
    import pandas as pd

    chosen = check_numbers(points)
    start = resolve_seed(seed)
    fits = [model.fit(NPML(points=K, starts=starts), seed=start, progress=False) for K in chosen]
    frame = pd.DataFrame([figures(fit) for fit in fits], index=pd.Index(chosen, name="points"))
    return Table("Numbers of mass points", frame, verdict(frame))


def check_numbers(points: Any) -> list[int]:
    """Return the numbers of points, ascending."""
    listed = list(points) if isinstance(points, Sequence | np.ndarray | range) else [points]
    whole = all(
        isinstance(k, int | np.integer) and not isinstance(k, bool) and k >= 1 for k in listed
    )
    if not listed or not whole or len(set(listed)) < len(listed):
        raise EngineError(
            message(
                f"compare_points(points={points!r})",
                "different whole numbers from 1",
                f"pass points={list(POINTS)}, say",
            )
        )
    return sorted(int(k) for k in listed)


def figures(fit: Fit) -> dict[str, Any]:
    """Return the row of one fit."""
    statistics = fit.tree["sample_stats"]
    return {
        "log likelihood": fit.log_likelihood,
        "parameters": int(statistics["parameters"]),
        "AIC": fit.aic,
        "BIC": fit.bic,
        "distinct": int(statistics["points"]),
        "further": float(statistics["further"]),
    }


def verdict(frame: Any) -> tuple[str, ...]:
    """Return what the comparison says."""
    found = [
        f"least AIC: {frame['AIC'].idxmin()} points; least BIC: {frame['BIC'].idxmin()} points",
        "further: slope of the log likelihood towards one more point",
    ]
    enough = frame.index[frame["further"] < NOTHING]
    if len(enough):
        found.append(f"from {frame['distinct'][enough[0]]} points on, one more gains nothing")
    else:
        found.append("more points than these may raise the likelihood")
    return tuple(found)
