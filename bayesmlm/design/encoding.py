"""Terms to columns, by formulaic, with every learnt encoding kept as plain values."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design.centring import ONES, transforms
from bayesmlm.design.spelling import factors_of, spell
from bayesmlm.errors import BayesmlmError, DataError, message
from bayesmlm.spec.expression import is_name, variables
from bayesmlm.spec.terms import Term

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

FUNCTIONS = {
    "abs": np.abs,
    "expm1": np.expm1,
    "log1p": np.log1p,
    "log2": np.log2,
    "sqrt": np.sqrt,
}
"""Functions of the language that formulaic does not bring."""

LARGEST = 1e100
"""Size from which a number is refused: its square would come near the end of the range."""


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
        Index in `terms` of the term each column belongs to, length p.
    levels
        Categories of each categorical data column.
    coded
        Categories of each factor ``C(column)`` of a column of numbers.
    state
        Learnt values of the stateful transforms (knots, means, polynomials); JSON-able.
    hidden
        Whether the terms begin with an intercept whose column is left out.
    """

    terms: tuple[Term, ...] = ()
    columns: tuple[str, ...] = ()
    term_of: tuple[int, ...] = ()
    levels: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    coded: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    state: Mapping[str, Any] = field(default_factory=dict)
    hidden: bool = False

    def apply(self, frame: pd.DataFrame) -> Array:
        """Encode other rows as the training rows were; shape (N, p).

        Raises
        ------
        DataError
            For a category that the training data did not have, a column of another kind
            than in the training data, or a term that is not finite.
        """
        if not self.terms:
            return np.empty((len(frame), 0))
        for factor, categories in self.coded.items():
            check_seen(variables(factor)[0], frame[variables(factor)[0]], categories)
        prepared = with_levels(frame, self.levels)
        matrix, names = materialise(self.terms, prepared, self.coded, thaw(self.state))
        if self.hidden:
            matrix, names = matrix[:, 1:], names[1:]
        found = tuple(name for group in names for name in group)
        if found != self.columns:
            lost = ", ".join(name for name in self.columns if name not in found)
            raise DataError(
                message(
                    f"these data give the columns {', '.join(found)}, which lack {lost or 'none'}",
                    "columns of the same kind (numbers, text) as in the training data",
                    "convert the columns of these terms",
                )
            )
        check_range(matrix, self.columns)
        return matrix


def without_factors(encoding: Encoding, factors: frozenset[str], frame: pd.DataFrame) -> Array:
    """Return the columns of an encoding, some centring factors of its products left out.

    Parameters
    ----------
    encoding
        Of the training rows.
    factors
        Factors ``within(x, g)`` and ``latent(x, g)``.
    frame
        The rows.
    """
    spelled = spell(encoding.terms, encoding.coded)
    state = {
        key: {ONES: True} if spelled.original(key) in factors else value
        for key, value in encoding.state.items()
    }
    return replace(encoding, state=state).apply(frame)


def encode(terms: tuple[Term, ...], frame: pd.DataFrame) -> tuple[Encoding, Array]:
    """Learn an encoding of `terms` from the rows of `frame`, and apply it.

    Returns
    -------
    encoding, matrix
        The encoding, and the columns of the training rows, shape (N, p).

    Raises
    ------
    DataError
        If a factor cannot be evaluated, gives values that are not finite, or has one
        category only.
    """
    if not terms:
        return Encoding(), np.empty((len(frame), 0))
    levels = learn_levels(terms, frame)
    coded = learn_coded(terms, frame)
    for what, categories in (*levels.items(), *coded.items()):
        if len(categories) == 1:
            raise DataError(
                message(
                    f"{what!r} has one category ({categories[0]!r})",
                    "predictors that vary",
                    f"remove {what!r}; a constant is the intercept, written 1",
                )
            )
    state: dict[str, Any] = {}
    matrix, names = materialise(terms, with_levels(frame, levels), coded, state)
    columns = tuple(name for group in names for name in group)
    term_of = tuple(k for k, group in enumerate(names) for _ in group)
    check_range(matrix, columns)
    return Encoding(terms, columns, term_of, levels, coded, freeze(state)), matrix


def without_intercept(terms: tuple[Term, ...], frame: pd.DataFrame) -> tuple[Encoding, Array]:
    """Encode terms beside an intercept, stated or not, and leave its column out.

    A factor then has a contrast for each category but one; see `encode`.
    """
    own = (Term(()), *(term for term in terms if not term.is_intercept))
    encoding, matrix = encode(own, frame)
    return (
        replace(
            encoding,
            columns=encoding.columns[1:],
            term_of=encoding.term_of[1:],
            hidden=True,
        ),
        matrix[:, 1:],
    )


def check_range(matrix: Array, columns: tuple[str, ...]) -> None:
    """Raise `DataError` for a column that is not finite, or too large to be squared."""
    with np.errstate(invalid="ignore"):
        bad = ~(np.abs(matrix) < LARGEST)
    if bad.any():
        k = int(np.flatnonzero(bad.any(axis=0))[0])
        count, example = int(bad[:, k].sum()), matrix[bad[:, k], k][0]
        raise DataError(
            message(
                f"term {columns[k]!r} is not finite, or too large, in {count} of {len(matrix)} "
                f"rows ({example:g})",
                f"numbers below {LARGEST:g} in size in every row",
                "look at the values it is computed from (a logarithm of zero, a division, "
                "a unit of measurement?)",
            )
        )


def materialise(
    terms: tuple[Term, ...],
    frame: pd.DataFrame,
    coded: Mapping[str, tuple[Any, ...]],
    state: dict[str, Any],
) -> tuple[Array, list[list[str]]]:
    """Return the columns and, per term, their names; fills an empty `state`."""
    from formulaic import Formula, ModelSpec

    spelling = spell(terms, coded)
    used = frame[list(spelling.columns)].rename(columns=spelling.columns)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            spec = ModelSpec(
                formula=Formula(list(spelling.terms), _ordering="none"),
                na_action="ignore",
                output="numpy",
                transform_state=state,
            )
            matrix = spec.get_model_matrix(used, context=transforms() | FUNCTIONS)
    except Exception as error:
        for cause in causes(error):
            if isinstance(cause, BayesmlmError):
                raise cause from None
        reason = re.sub(r"\x1b\[[\d;]*m|[⧛⧚]", "", str(error))  # colours of a terminal
        raise DataError(
            message(
                f"could not compute {', '.join(map(str, terms))}: {spelling.original(reason)}",
                "terms that the types and the range of the data allow",
                "look at the columns of these terms",
            )
        ) from error
    structure = matrix.model_spec.structure
    names = [[spelling.original(name) for name in row.columns] for row in structure]
    return np.asarray(matrix, dtype=float), names


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those that it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def learn_levels(terms: tuple[Term, ...], frame: pd.DataFrame) -> dict[str, tuple[Any, ...]]:
    """Return the categories of each categorical column of the terms."""
    found: dict[str, tuple[Any, ...]] = {}
    for factor in factors_of(terms):
        if any(f"{function}(" in factor for function in ("within", "between", "latent")):
            continue  # their groups may be new in new data
        for name in variables(factor):
            if frame[name].dtype.name == "category":
                found[name] = tuple(frame[name].cat.categories.to_list())
    return found


def learn_coded(terms: tuple[Term, ...], frame: pd.DataFrame) -> dict[str, tuple[Any, ...]]:
    """Return the categories of each factor `C(column)` whose column holds numbers.

    Raises
    ------
    DataError
        For `C()` of anything but a column.
    """
    found: dict[str, tuple[Any, ...]] = {}
    for factor in factors_of(terms):
        argument = re.match(r"C\((`[^`]+`|[^,(]+?)(?:, .*)?\)$", factor)
        if argument is None or not is_name(argument[1]):
            if factor.startswith("C("):
                raise DataError(
                    message(
                        f"{factor!r}, categories of an expression",
                        "C(column), C(column, contr.sum), …",
                        "make a column of the expression",
                    )
                )
            continue
        column = frame[variables(argument[1])[0]]
        if column.dtype.name != "category" and "levels=" not in factor:
            found[factor] = tuple(np.unique(column.to_numpy()).tolist())
    return found


def with_levels(frame: pd.DataFrame, levels: Mapping[str, tuple[Any, ...]]) -> pd.DataFrame:
    """Return the frame with the categories of training."""
    import pandas as pd

    prepared = frame.copy(deep=False)
    for name, categories in levels.items():
        check_seen(name, frame[name], categories)
        prepared[name] = pd.Categorical(frame[name].astype(object), categories=list(categories))
    return prepared


def check_seen(name: str, column: pd.Series, categories: tuple[Any, ...]) -> None:
    """Raise `DataError` for values that are none of the categories."""
    known = frozenset(categories)
    unseen = sorted((value for value in column.unique().tolist() if value not in known), key=str)
    if unseen:
        alike = {str(value) for value in unseen} & {str(value) for value in categories}
        show = repr if alike else str  # the number 1 is not the text "1"
        raise DataError(
            message(
                f"column {name!r} has categories that the training data lack: "
                f"{', '.join(map(show, unseen[:5]))}",
                ", ".join(map(show, categories[:20])),
                "give values of the same type as in training"
                if alike
                else "leave these rows out, or refit with them",
            )
        )


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
