"""A model of the gallery: what its file says, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayesmlm import datasets
from bayesmlm.datasets.from_file import read_file
from bayesmlm.errors import DataError, SpecError, message
from bayesmlm.model import Model
from bayesmlm.priors import LKJ, Prior
from bayesmlm.spec import ModelSpec, equations, formula

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("ML", "REML", "posterior")
"""What a published figure is: an estimate, or the mean of a posterior with the same priors."""


@dataclass(frozen=True)
class Published:
    """One figure of a published table.

    Parameters
    ----------
    parameter
        The parameter as a fit names it: ``"ses"``, ``"sd_school[Intercept]"``,
        ``"corr_school[Intercept~ses]"``, ``"sigma"``.
    estimate, se
        The estimate and its standard error (of a posterior: its mean and SD).
    kind
        ``"ML"``, ``"REML"`` or ``"posterior"``.
    source
        Where it was published, or what computed it.
    generating
        The value that made the data, where they are simulated.
    """

    parameter: str
    estimate: float
    kind: str
    source: str
    se: float | None = None
    generating: float | None = None


@dataclass(frozen=True)
class Entry:
    """One model of the gallery.

    Parameters
    ----------
    name
        Its name: the stem of its file.
    path
        Its file.
    title, question, note
        What it is about.
    dataset, file, rows
        The data: a name for `bayesmlm.datasets.load`, or a file beside the model's; and
        which rows they are, in words.
    missing
        ``"error"`` or ``"drop"``, as of `Model`.
    formula, equations
        The model in one notation or in both.
    family, link
        Of the response, for the formula; equations say it themselves.
    priors
        Priors in place of the defaults, by parameter.
    engine, options
        The engine that suits the model, and its options.
    slow
        Why the gallery does not fit it unless asked by name, or None.
    published
        The published table.
    derived
        Published statistics of the model, named as `bayesmlm.gallery.derived` says.
    """

    name: str
    path: Path
    title: str = ""
    question: str = ""
    note: str = ""
    dataset: str | None = None
    file: str | None = None
    rows: str = ""
    missing: str = "error"
    formula: str | None = None
    equations: str | None = None
    family: str | None = None
    link: str | None = None
    priors: Mapping[str, Prior | LKJ] = field(default_factory=dict)
    engine: str = "nuts"
    options: Mapping[str, Any] = field(default_factory=dict)
    slow: str | None = None
    published: tuple[Published, ...] = ()
    derived: tuple[Published, ...] = ()

    def spec(self) -> ModelSpec:
        """Return the model.

        Raises
        ------
        SpecError
            If the two notations are not one model.
        """
        if self.formula is None:
            return equations(self.equations or "")
        written = formula(self.formula, family=self.family, link=self.link)
        if self.equations is None:
            return written
        spec = equations(self.equations)
        if spec != written:
            raise SpecError(
                message(
                    f"a formula and equations that are two models, in {self.path.name}",
                    "one model in both notations",
                    "correct one of them, or leave it out",
                )
            )
        return spec

    def data(self) -> pd.DataFrame:
        """Return the data.

        Raises
        ------
        DataError
            If they are not found, with what to set.
        """
        if self.dataset is not None:
            return datasets.load(self.dataset)
        if self.file is None:
            raise DataError(
                message(
                    f"the model {self.name!r} names no data",
                    "a [data] table with dataset or file, or data given",
                    "pass data, or add them to the file",
                )
            )
        return read_file(self.path.parent / self.file)

    def model(self, data: Any = None) -> Model:
        """Return the model of its data, or of those given."""
        frame = self.data() if data is None else data
        return Model(self.spec(), frame, priors=self.priors or None, missing=self.missing)

    def fit_options(self, method: str | None = None) -> dict[str, Any]:
        """Return what `Model.fit` takes: ``method``, and the options the file gives it.

        Parameters
        ----------
        method
            Another engine than the file's; then without the file's options.
        """
        if method is not None and method != self.engine:
            return {"method": method}
        return {"method": self.engine, **self.options}
