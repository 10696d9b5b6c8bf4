"""Values to JSON and back, exactly: type for type, every bit of a float.

JSON has no tuple, set, NaN, array or class. A JSON list is a tuple (what frozen values
hold); all else is an object with one key that begins with ``$``:

``{"$list": [...]}``, ``{"$set": [...]}``, ``{"$float": "nan"}``, ``{"$array": member}``,
``{"$objects": [...], "shape": [...]}``, ``{"$scalar": [dtype, value]}``,
``{"$dict": [[key, value], ...]}`` (keys that are not plain text), ``{"$ref": name}`` (a
value stored elsewhere), and ``{"$": class, field: value, ...}``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.errors import SavedFitError, message
from bayesmlm.names import SIGMA
from bayesmlm.priors import Priors
from bayesmlm.saving.kinds import kinds
from bayesmlm.spec.expression import normalise
from bayesmlm.spec.terms import Predictor, Response, Term

CLASS = "$"
PLAIN = (str, bool, int, type(None))
STORED = "biufcSUmM"
"""Kinds of NumPy types that the NPY format holds without pickle."""


@dataclass(frozen=True)
class Encoder:
    """Writes values as JSON.

    Parameters
    ----------
    keep
        Stores an array under a place and returns the name of its member.
    shared
        Values stored elsewhere, by name; they become references.
    """

    keep: Callable[[str, NDArray[Any]], str]
    shared: Mapping[str, Any] = field(default_factory=dict)

    def encode(self, value: Any, place: str) -> Any:
        """Return a value as JSON has it.

        Parameters
        ----------
        value
            Any value of `kinds`, and what these hold.
        place
            Where the value stands, for the names of arrays and for messages.

        Raises
        ------
        SavedFitError
            For a value of a class that is not stored.
        """
        if type(value) in PLAIN:
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"$float": repr(value)}
        if isinstance(value, tuple):
            return self.sequence(value, place)
        if isinstance(value, list):
            return {"$list": self.sequence(value, place)}
        if isinstance(value, frozenset | set):
            return {"$set": self.sequence(sorted(value, key=repr), place)}
        if isinstance(value, np.ndarray):
            return self.array(value, place)
        if isinstance(value, np.generic) and value.dtype.kind in "biufU":
            return {"$scalar": [value.dtype.str, self.encode(value.item(), place)]}
        if isinstance(value, Mapping):
            return self.mapping(value, place)
        if kinds().get(type(value).__name__) is type(value):
            return self.instance(value, place)
        raise SavedFitError(
            message(
                f"{place} holds a {type(value).__name__} ({value!r:.60})",
                "numbers, text, arrays, and the values that bayesmlm's own models are made of",
                "convert or remove it, then save again",
            )
        )

    def sequence(self, values: Any, place: str) -> list[Any]:
        """Return the values of a sequence."""
        return [self.encode(item, f"{place}/{k}") for k, item in enumerate(values)]

    def array(self, value: NDArray[Any], place: str) -> dict[str, Any]:
        """Return a reference to an array, or the objects of an array of objects."""
        if value.dtype.kind in STORED:
            return {"$array": self.keep(place, value)}
        objects = {"$objects": self.sequence(value.ravel().tolist(), place)}
        kind = {} if value.dtype.kind == "O" else {"dtype": value.dtype.char}
        return {**objects, "shape": list(value.shape), **kind}

    def mapping(self, value: Mapping[Any, Any], place: str) -> dict[str, Any]:
        """Return a mapping as an object where its keys allow."""
        if all(type(key) is str and not key.startswith(CLASS) for key in value):
            return {key: self.encode(item, f"{place}/{key}") for key, item in value.items()}
        pairs = [
            [self.encode(key, place), self.encode(item, f"{place}/{key}")]
            for key, item in value.items()
        ]
        return {"$dict": pairs}

    def instance(self, value: Any, place: str) -> dict[str, Any]:
        """Return a dataclass as its name and the fields it is made from."""
        for name, known in self.shared.items():
            if value is known:
                return {"$ref": name}
        found = {
            each.name: self.encode(getattr(value, each.name), f"{place}/{each.name}")
            for each in fields(value)
            if each.init
        }
        return {CLASS: type(value).__name__, **found}


@dataclass(frozen=True)
class Decoder:
    """Reads what `Encoder` wrote.

    Parameters
    ----------
    fetch
        Returns the array of a member.
    shared
        Values that references may name.
    """

    fetch: Callable[[str], NDArray[Any]]
    shared: Mapping[str, Any] = field(default_factory=dict)

    def decode(self, value: Any) -> Any:
        """Return the value that was encoded.

        Raises
        ------
        SavedFitError
            For a class or a form that this release does not know.
        """
        if type(value) in PLAIN or type(value) is float:
            return value
        if isinstance(value, list):
            return tuple(self.decode(item) for item in value)
        form = next((key for key in value if key.startswith(CLASS)), None)
        if form is None:
            return {key: self.decode(item) for key, item in value.items()}
        if form == CLASS:
            return self.instance(value)
        if form not in FORMS:
            raise unknown(f"the form {form!r}")
        return FORMS[form](self, value[form], value)

    def instance(self, value: dict[str, Any]) -> Any:
        """Return an instance of a known class."""
        name = value[CLASS]
        kind = kinds().get(name)
        if kind is None:
            raise unknown(f"the class {name!r}")
        known = {each.name for each in fields(kind) if each.init}
        given = {key: self.decode(item) for key, item in value.items() if key != CLASS}
        if kind in EARLIER:
            given = EARLIER[kind](given)
        if strange := sorted(set(given) - known):
            raise unknown(f"the field {strange[0]!r} of {name}")
        made = kind(**given)
        for text in EXPRESSIONS.get(kind, lambda _: ())(made):
            normalise(text)
        return made


EXPRESSIONS: dict[type, Callable[[Any], tuple[str, ...]]] = {
    Term: lambda term: term.factors,
    Predictor: lambda predictor: predictor.offset,
    Response: lambda response: (response.column, *(text for _, text in response.additions)),
}
"""What will be evaluated on new data: held against the language, as in a formula."""


def with_further(given: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of `Priors` from those of fits that knew no parameter but sigma."""
    if "sigma" not in given or "further" in given:
        return given
    rest = {key: value for key, value in given.items() if key != "sigma"}
    return rest | {"further": {} if given["sigma"] is None else {SIGMA: given["sigma"]}}


EARLIER: dict[type, Callable[[dict[str, Any]], dict[str, Any]]] = {Priors: with_further}
"""How the fields of classes that have changed since were called."""


def objects(decoder: Decoder, items: list[Any], value: dict[str, Any]) -> NDArray[Any]:
    """Return an array of objects."""
    found = np.empty(len(items), dtype=object)
    found[:] = [decoder.decode(item) for item in items]
    shaped = found.reshape(value["shape"])
    return shaped.astype(value["dtype"]) if "dtype" in value else shaped


FORMS: dict[str, Callable[[Decoder, Any, dict[str, Any]], Any]] = {
    "$list": lambda d, items, _: [d.decode(item) for item in items],
    "$set": lambda d, items, _: frozenset(d.decode(item) for item in items),
    "$float": lambda d, text, _: float(text),
    "$array": lambda d, member, _: d.fetch(member),
    "$objects": objects,
    "$scalar": lambda d, pair, _: np.dtype(pair[0]).type(d.decode(pair[1])),
    "$dict": lambda d, pairs, _: {d.decode(key): d.decode(item) for key, item in pairs},
    "$ref": lambda d, name, _: d.shared[name],
}
"""How each form is read."""


def unknown(what: str) -> SavedFitError:
    """Return the error for something that this release cannot read."""
    return SavedFitError(
        message(
            f"{what} in a saved fit, which this release of bayesmlm does not have",
            "fits saved by this release or an earlier one",
            "load it with the release that meta.json in the file names",
        )
    )


def to_text(value: Any) -> bytes:
    """Return JSON as text; floats in their shortest exact form."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1)
    return text.encode("utf-8", "surrogatepass")


def from_text(text: bytes) -> Any:
    """Return what `to_text` wrote."""
    return json.loads(text.decode("utf-8", "surrogatepass"))
