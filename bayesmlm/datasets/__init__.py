"""Classic data sets that come with the package.

`high_school_beyond`
    7,185 pupils in 160 schools, High School and Beyond survey of 1982. Columns: school,
    minority, sex, ses, mathach (pupil); size, sector, pracad, disclim, himinty, meanses
    (school). Source: Raudenbush & Bryk (2002), Hierarchical Linear Models, chapter 4, as
    `MathAchieve` and `MathAchSchool` in Pinheiro & Bates (2000).
"""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from bayesmlm.errors import DataError, message, suggestion

if TYPE_CHECKING:
    import pandas as pd

SUFFIX = ".csv.gz"

ORDERED = {"sector": ["Public", "Catholic"]}
"""Categories whose order is not alphabetical; the first is the reference."""


def available() -> tuple[str, ...]:
    """Return the names of the data sets."""
    found = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(SUFFIX) for name in found if name.endswith(SUFFIX)))


def load(name: str) -> pd.DataFrame:
    """Return a data set.

    Raises
    ------
    DataError
        If there is no data set of this name.
    """
    import pandas as pd

    if name not in available():
        raise DataError(
            message(
                f"unknown data set {name!r}{suggestion(str(name), available())}",
                ", ".join(available()),
                "pass one of these names",
            )
        )
    with as_file(files(__name__) / f"{name}{SUFFIX}") as path:
        frame = pd.read_csv(path, dtype={"school": str})
    for column, categories in ORDERED.items():
        if column in frame:
            frame[column] = pd.Categorical(frame[column], categories=categories)
    return frame
