"""Classic data sets: those that come with the package, and those read from a folder.

`available` lists the names, `about` says what a data set is and where it was published.
Data that may not be distributed are read as ``<file>.csv`` from the folder that the
environment variable ``BAYESMLM_DATA`` names.
"""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from bayesmlm.datasets.simulate import simulate_four_classrooms, simulate_patents
from bayesmlm.datasets.sources import SOURCES, Source
from bayesmlm.errors import DataError, message, suggestion

if TYPE_CHECKING:
    import pandas as pd

SUFFIX = ".csv.gz"
FOLDER = "BAYESMLM_DATA"
"""The environment variable that names the folder of the data that are not included."""

STATES = "election88_states"

__all__ = [
    "SOURCES",
    "Source",
    "about",
    "available",
    "load",
    "simulate_four_classrooms",
    "simulate_patents",
]


def available() -> tuple[str, ...]:
    """Return the names of the data sets that `load` finds here."""
    return tuple(
        sorted(name for name, source in SOURCES.items() if source.included or is_found(name))
    )


def about(name: str) -> Source:
    """Return what a data set is and where it comes from.

    Parameters
    ----------
    name
        One of ``SOURCES``, whether or not it is found here.

    Raises
    ------
    DataError
        If there is no data set of this name.
    """
    if name not in SOURCES:
        raise DataError(
            message(
                f"unknown data set {name!r}{suggestion(str(name), SOURCES)}",
                ", ".join(SOURCES),
                "pass one of these names",
            )
        )
    return SOURCES[name]


def load(name: str) -> pd.DataFrame:
    """Return a data set.

    Parameters
    ----------
    name
        One of `available`.

    Returns
    -------
    DataFrame
        One row a level-1 unit; `about` says what its columns are and where they come from.

    Raises
    ------
    DataError
        If there is no data set of this name, or it is not included and not found.
    """
    source = about(name)
    if source.included:
        with resources.as_file(resources.files(__name__) / f"{name}{SUFFIX}") as path:
            return read_csv(path, source)
    frame = read_csv(outside(name, source.file), source)
    return join_states(frame) if name == "election88" else frame


def read_csv(path: Path, source: Source) -> pd.DataFrame:
    """Read a file of a data set, its labels as text and its categories in order."""
    import pandas as pd

    # "NA" is a label in some files; an empty cell is a missing value.
    frame = pd.read_csv(
        path, dtype=dict.fromkeys(source.text, str), keep_default_na=False, na_values=[""]
    )
    for column, categories in source.categories.items():
        frame[column] = pd.Categorical(frame[column], categories=list(categories))
    return frame


def is_found(name: str) -> bool:
    """Whether the files of a data set that is not included are found."""
    try:
        outside(name, SOURCES[name].file)
    except DataError:
        return False
    return True


def outside(name: str, file: str) -> Path:
    """Return the path of a file that is not part of the package."""
    folder = os.environ.get(FOLDER)
    path = Path(folder or ".") / f"{file}.csv"
    if folder and path.is_file():
        return path
    where = f"not in {folder}" if folder else f"{FOLDER} is not set"
    raise DataError(
        message(
            f"the data set {name!r} may not be part of the package, and {file}.csv is not found: "
            f"{where}",
            f"a folder with {file}.csv ({SOURCES[name].source})",
            f"put the file in a folder and set {FOLDER} to it, or pass your own data",
        )
    )


def join_states(polls: pd.DataFrame) -> pd.DataFrame:
    """Keep who named a candidate; add the state's region and vote, and the cell of age × edu."""
    import pandas as pd

    states = pd.read_csv(outside("election88", STATES))[["state", "region", "v_prev_adj"]]
    kept = polls.dropna(subset=["bush"]).merge(states, on="state", how="left", validate="m:1")
    return kept.assign(bush=kept["bush"].astype(int), age_edu=4 * (kept["age"] - 1) + kept["edu"])
