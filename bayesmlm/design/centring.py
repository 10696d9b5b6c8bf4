"""Centring as language: `within(x, g)`, `between(x, g)`, `latent(x, g)`, `grand(x)`.

The column of `latent(x, g)` holds the observed means, in whose place the graph puts the latent.

Each remembers what it learnt from the training data in a plain dictionary: on new data a
known group keeps its training mean, and a new group uses the mean of its own rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design.grouping import check_whole
from bayesmlm.errors import DataError, message

Array = NDArray[np.float64]

ONES = "ones"
"""In the state of a transform: one in every row, which leaves the other factors of a product."""


def group_means(x: Any, g: Any, state: dict[str, Any]) -> Array:
    """Return, per row, the mean of x in the row's group; shape (N,).

    Parameters
    ----------
    x, g
        Values and group labels, shape (N,).
    state
        Filled with the group labels and means when empty, used otherwise.
    """
    import pandas as pd

    labels = pd.Series(label_text(g))
    own = pd.Series(numbers(x)).groupby(labels).mean()
    if "groups" not in state:
        state["groups"] = own.index.to_list()
        state["means"] = own.to_list()
    known = pd.Series(state["means"], index=state["groups"], dtype=float)
    means = known.combine_first(own)
    return np.asarray(labels.map(means), dtype=float)


def numbers(x: Any) -> Array:
    """Return the values to be centred; text is no number, even where it reads as one.

    Raises
    ------
    DataError
        For text and categories.
    """
    values = np.asarray(x)
    if values.dtype.kind not in "fiub":
        raise DataError(
            message(
                f"{getattr(x, 'name', 'a column')!r} to be centred is text",
                "numbers: within(x, group), between(x, group), latent(x, group), grand(x)",
                "convert it to numbers, or leave it as categories without centring",
            )
        )
    return values.astype(float)


def label_text(g: Any) -> list[str]:
    """Return group labels as text; whole floats are written as integers.

    Raises
    ------
    DataError
        For floats that are not whole numbers.
    """
    values = np.asarray(g)
    if values.dtype.kind == "f":
        check_whole(values, getattr(g, "name", "group"))
        values = values.astype(np.int64)
    return [str(value) for value in values.tolist()]


def transforms() -> dict[str, Any]:
    """Return formulaic's stateful transforms `within`, `between` and `grand`."""
    from formulaic.utils.stateful_transforms import stateful_transform

    @stateful_transform
    def within(x: Any, g: Any, _state: Any = None) -> Array:
        """Return x minus its group mean."""
        return np.ones(len(x)) if ONES in _state else numbers(x) - group_means(x, g, _state)

    @stateful_transform
    def between(x: Any, g: Any, _state: Any = None) -> Array:
        """Return the group mean of x."""
        return group_means(x, g, _state)

    @stateful_transform
    def latent(x: Any, g: Any, _state: Any = None) -> Array:
        """Return the observed group mean of x, in the place of the latent one."""
        return np.ones(len(x)) if ONES in _state else group_means(x, g, _state)

    @stateful_transform
    def grand(x: Any, _state: Any = None) -> Array:
        """Return x minus its mean over all training rows."""
        values = numbers(x)
        _state.setdefault("mean", float(values.mean()))
        return values - _state["mean"]

    return {"within": within, "between": between, "latent": latent, "grand": grand}
