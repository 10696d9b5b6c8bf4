"""Data frames from files: CSV and Parquet."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayesmlm.errors import DataError, message

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")


def read_file(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a data file; its suffix says what it is.

    Parameters
    ----------
    path
        A file that ends in one of `SUFFIXES`, of a header line and UTF-8 text, or Parquet.

    Raises
    ------
    DataError
        If there is no such file, its suffix is another, or it cannot be read as what the
        suffix says.
    """
    file = Path(path)
    suffix = next((s for s in SUFFIXES if file.name.lower().endswith(s)), None)
    if suffix is None:
        raise refuse(path, f"has no suffix that says what it is ({file.suffix or 'none'})")
    if file.is_dir():
        raise refuse(path, "is a folder")
    if not file.exists():
        raise DataError(
            message(
                f"there is no data file {os.fspath(path)!r}",
                "a file that exists",
                f"look for the name; the current folder is {os.getcwd()!r}",
            )
        )
    try:
        frame = reader(suffix)(file)
    except OSError as error:
        raise refuse(path, f"cannot be opened: {error.strerror or error}") from error
    except Exception as error:  # each reader has errors of its own
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise refuse(path, f"cannot be read as {suffix}: {reason}") from error
    return frame


def reader(suffix: str) -> Callable[[Path], Any]:
    """Return the function that reads files of a suffix."""
    import pandas as pd

    if suffix == ".parquet":
        return pd.read_parquet
    separator = "\t" if suffix.startswith(".tsv") else ","
    return lambda file: pd.read_csv(file, sep=separator)


def refuse(path: str | os.PathLike[str], what: str) -> DataError:
    """Return the error for a file that cannot be read."""
    return DataError(
        message(
            f"the data file {os.fspath(path)!r} {what}",
            f"a table with a header line, in a file that ends in {', '.join(SUFFIXES)}",
            "convert it, or read it in Python and pass the data frame to bayesmlm.Model",
        )
    )
