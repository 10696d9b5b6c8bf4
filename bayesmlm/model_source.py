"""Where the command line takes a model from: the gallery, a model file, or text."""

from __future__ import annotations

import argparse
import ast
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bayesmlm.datasets.from_file import read_file
from bayesmlm.errors import BayesmlmError, EngineError, message
from bayesmlm.fit import Fit
from bayesmlm.gallery import Entry, compare, read
from bayesmlm.model import Model
from bayesmlm.model_inputs import resolve_spec
from bayesmlm.reports import Table
from bayesmlm.reports.equations import Equations
from bayesmlm.spec import ModelSpec, equations, formula

if TYPE_CHECKING:
    import pandas as pd

EQUATIONS = re.compile(r"\s*level\s*\d", re.IGNORECASE)
"""How a text of equations begins."""


@dataclass(frozen=True)
class Source(ABC):
    """A model as named on the command line.

    Parameters
    ----------
    data
        The file of its data, None for the model's own.
    """

    data: str | None

    @property
    @abstractmethod
    def has_data(self) -> bool:
        """Whether there are data."""

    @abstractmethod
    def spec(self) -> ModelSpec:
        """Return the specification."""

    @abstractmethod
    def model(self) -> Model:
        """Return the model of its data."""

    @abstractmethod
    def fit_options(self, engine: str | None, options: Iterable[str]) -> dict[str, Any]:
        """Return what `Model.fit` takes: the engine, and ``key=value`` read."""

    def equations(self) -> Equations:
        """Return the equations as written, without data."""
        return Equations(self.spec(), {})

    def headings(self) -> tuple[str, ...]:
        """Return what is said of the model."""
        return ()

    def published(self) -> Table | None:
        """Return the published table, or None."""
        return None

    def comparison(self, fit: Fit) -> dict[str, Table]:
        """Return the published table beside ours, by the name of its files; empty without."""
        return {}


@dataclass(frozen=True)
class Written(Source):
    """A formula or equations, given as text."""

    text: str
    family: str | None
    link: str | None
    missing: str | None

    @property
    def has_data(self) -> bool:
        """Whether a file was named."""
        return self.data is not None

    def spec(self) -> ModelSpec:
        """Read the text."""
        read = equations if EQUATIONS.match(self.text) else formula
        return resolve_spec(read(self.text), self.family, self.link)

    def model(self) -> Model:
        """Return the model of the data named."""
        spec = self.spec()
        if self.data is None:
            raise BayesmlmError(
                message(
                    f"no data for {self.text!r}",
                    "a file of data beside a formula or equations",
                    "add --data FILE",
                )
            )
        return Model(spec, read_data(self.data), missing=self.missing or "error")

    def fit_options(self, engine: str | None, options: Iterable[str]) -> dict[str, Any]:
        """Return the engine named, or NUTS, and the options given."""
        return {"method": engine or "nuts", **read_options(options)}


@dataclass(frozen=True)
class Gallery(Source):
    """A model file, of the gallery or the user's own."""

    entry: Entry

    @property
    def has_data(self) -> bool:
        """Whether a file was named, or the model names its data."""
        return self.data is not None or bool(self.entry.dataset or self.entry.file)

    def spec(self) -> ModelSpec:
        """Return the file's model."""
        return self.entry.spec()

    def model(self) -> Model:
        """Return the model of the file's data, or of those named."""
        return self.entry.model(None if self.data is None else read_data(self.data))

    def fit_options(self, engine: str | None, options: Iterable[str]) -> dict[str, Any]:
        """Return the file's engine and options with those given in their place."""
        return {**self.entry.fit_options(engine), **read_options(options)}

    def headings(self) -> tuple[str, ...]:
        """Return title, question and note."""
        entry = self.entry
        found = (entry.title or entry.name, entry.question, entry.note)
        return tuple(text.strip() for text in found if text.strip())

    def published(self) -> Table | None:
        """Return the published table."""
        import pandas as pd

        figures = self.entry.published
        if not figures:
            return None
        records = [(f.parameter, f.estimate, f.se, f.kind) for f in figures]
        frame = pd.DataFrame(records, columns=["parameter", "estimate", "se", "kind"])
        frame["se"] = frame["se"].astype(float)
        return Table("Published", tidy(frame.set_index("parameter")), self.published_in())

    def comparison(self, fit: Fit) -> dict[str, Table]:
        """Return the published table beside ours."""
        if not self.entry.published:
            return {}
        frame = tidy(compare(self.entry, fit))
        return {"published": Table("Published beside ours", frame, self.published_in())}

    def published_in(self) -> tuple[str, ...]:
        """Return the sources of the published figures."""
        return tuple(dict.fromkeys(figure.source for figure in self.entry.published))


def source(options: argparse.Namespace) -> Source:
    """Return the model that the arguments name.

    Raises
    ------
    BayesmlmError
        For an unknown name, a file that is not there, or what only a formula takes beside
        a model file.
    """
    text: str = options.model
    if EQUATIONS.match(text) or ("~" in text and not text.endswith(".toml")):
        return Written(options.data, text, options.family, options.link, options.missing)
    for name in ("family", "link", "missing"):
        if getattr(options, name) is not None:
            raise BayesmlmError(
                message(
                    f"--{name} beside the model file {text!r}",
                    f"--{name} beside a formula or equations",
                    f"leave it out, or change {name} in a copy of the file",
                )
            )
    return Gallery(options.data, read(os.path.expanduser(text)))


def saved(text: str) -> bool:
    """Return whether the text names a saved fit."""
    return text.endswith(".zip") and "\n" not in text


def read_data(path: str) -> pd.DataFrame:
    """Read a data file."""
    return read_file(os.path.expanduser(path))


def read_options(pairs: Iterable[str]) -> dict[str, Any]:
    """Return ``key=value`` texts as a mapping; a value that is no literal is text.

    Raises
    ------
    EngineError
        For a text without ``=``, or a key given twice.
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key or key in found:
            raise EngineError(
                message(
                    f"the option {pair!r}" + (" given twice" if key in found else ""),
                    "-o key=value, each key once",
                    "for example: -o draws=4000",
                )
            )
        try:
            found[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            found[key] = value
    return found


def tidy(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame without empty columns, and with yes and no for true and false."""
    kept = frame.dropna(axis="columns", how="all").copy()
    for name in kept.select_dtypes(bool):
        kept[name] = kept[name].map({True: "yes", False: "no"})
    return kept


def compact(table: Table) -> Table:
    """Return a comparison as wide as a page: without bounds, and without a kind that all share."""
    frame = table.frame.drop(columns=["q05", "q95"], errors="ignore")
    if "kind" not in frame or frame["kind"].nunique() > 1:
        return replace(table, frame=frame)
    kind = frame["kind"].iloc[0]
    return Table(f"{table.title} ({kind})", frame.drop(columns="kind"), table.notes)
