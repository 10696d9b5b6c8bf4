"""Terms to columns, by formulaic, with every learnt encoding kept as plain values."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design.centring import transforms
from bayesmlm.errors import DataError, message
from bayesmlm.spec.expression import variables
from bayesmlm.spec.terms import Term

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Encoding:
    """How terms become columns, learnt once from the training data.

    Parameters
    ----------
    terms
        The terms encoded.
    columns
        Names of the p columns.
    term_of
        Index of the term each column belongs to, length p.
    levels
        Categories of each categorical data column.
    state
        Learnt values of the stateful transforms (knots, means, polynomials); JSON-able.
    """

    terms: tuple[Term, ...]
    columns: tuple[str, ...]
    term_of: tuple[int, ...]
    levels: Mapping[str, tuple[Any, ...]]
    state: Mapping[str, Any]

    def apply(self, frame: pd.DataFrame) -> Array:
        """Encode other rows as the training rows were; shape (N, p).

        Raises
        ------
        DataError
            For a category that the training data did not have.
        """
        if not self.terms:
            return np.empty((len(frame), 0))
        prepared = with_levels(frame, self.levels)
        matrix, _ = materialise(self.terms, prepared, thaw(self.state))
        return matrix


def encode(terms: tuple[Term, ...], frame: pd.DataFrame) -> tuple[Encoding, Array]:
    """Learn an encoding of `terms` from the rows of `frame`, and apply it.

    Returns
    -------
    encoding, matrix
        The encoding, and the columns of the training rows, shape (N, p).

    Raises
    ------
    DataError
        If a factor cannot be evaluated, or gives values that are not finite.
    """
    if not terms:
        return Encoding((), (), (), {}, {}), np.empty((len(frame), 0))
    levels = learn_levels(terms, frame)
    state: dict[str, Any] = {}
    matrix, names = materialise(terms, with_levels(frame, levels), state)
    columns = tuple(name for group in names for name in group)
    term_of = tuple(k for k, group in enumerate(names) for _ in group)
    bad = ~np.isfinite(matrix)
    if bad.any():
        column = columns[int(np.flatnonzero(bad.any(axis=0))[0])]
        raise DataError(
            message(
                f"term {column!r} is not finite in {int(bad.any(axis=1).sum())} rows",
                "terms that are finite in every row",
                "look at the values it is computed from (a logarithm of zero, a division?)",
            )
        )
    return Encoding(terms, columns, term_of, levels, freeze(state)), matrix


def materialise(
    terms: tuple[Term, ...], frame: pd.DataFrame, state: dict[str, Any]
) -> tuple[Array, list[list[str]]]:
    """Return the columns and, per term, their names; fills an empty `state`."""
    from formulaic import Formula, ModelSpec

    written = [":".join(term.factors) if term.factors else "1" for term in terms]
    formula = Formula(written, _ordering="none")
    spec = ModelSpec(
        formula=formula,
        na_action="ignore",
        output="numpy",
        transform_state=state,
    )
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            matrix = spec.get_model_matrix(frame, context=transforms())
    except Exception as error:
        raise DataError(
            message(
                f"could not compute {', '.join(written)}: {error}",
                "terms that the types and the range of the data allow",
                "look at the columns of these terms",
            )
        ) from error
    structure = matrix.model_spec.structure
    return np.asarray(matrix, dtype=float), [list(row.columns) for row in structure]


def learn_levels(terms: tuple[Term, ...], frame: pd.DataFrame) -> dict[str, tuple[Any, ...]]:
    """Return the categories of each categorical column of the terms, C(number) included."""
    found: dict[str, tuple[Any, ...]] = {}
    for factor in dict.fromkeys(factor for term in terms for factor in term.factors):
        if "within(" in factor or "between(" in factor:
            continue  # their groups may be new in new data
        for name in variables(factor):
            column = frame[name]
            if column.dtype.name == "category":
                found[name] = tuple(column.cat.categories)
            elif factor.startswith("C("):
                found[name] = tuple(np.unique(column.to_numpy()).tolist())
    return found


def with_levels(frame: pd.DataFrame, levels: Mapping[str, tuple[Any, ...]]) -> pd.DataFrame:
    """Return the frame with the categories of training."""
    import pandas as pd

    prepared = frame.copy(deep=False)
    for name, categories in levels.items():
        values = frame[name].astype(object)
        unseen = sorted({str(v) for v in values.unique() if v not in categories})
        if unseen:
            raise DataError(
                message(
                    f"column {name!r} has categories that the training data lack: "
                    f"{', '.join(unseen[:5])}",
                    ", ".join(map(str, categories[:20])),
                    "leave these rows out, or refit with them",
                )
            )
        prepared[name] = pd.Categorical(values, categories=list(categories))
    return prepared


def freeze(state: Any) -> Any:
    """Return transform state as JSON-able values; integer keys are written ``"#k"``."""
    if isinstance(state, dict):
        return {f"#{k}" if isinstance(k, int) else k: freeze(v) for k, v in state.items()}
    if isinstance(state, list | tuple):
        return [freeze(value) for value in state]
    if isinstance(state, np.ndarray):
        return {"#array": state.tolist()}
    return state.item() if isinstance(state, np.generic) else state


def thaw(state: Any) -> Any:
    """Return what `freeze` wrote as formulaic had it."""
    if isinstance(state, Mapping):
        if "#array" in state:
            return np.asarray(state["#array"])
        return {int(k[1:]) if k.startswith("#") else k: thaw(v) for k, v in state.items()}
    return [thaw(value) for value in state] if isinstance(state, list) else state
