"""Reading the container: every member is checked, and every failure is one error."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from bayesmlm.errors import SavedFitError, message
from bayesmlm.saving.archive import FORMAT, MANIFEST, READS, Hashed
from bayesmlm.saving.atomic import path_text
from bayesmlm.saving.codec import from_text

CHUNK = 1 << 20


class Reader:
    """Reads a saved fit, each member checked against the manifest.

    Parameters
    ----------
    archive
        The open zip.
    path
        Its path, for messages.
    """

    def __init__(self, archive: ZipFile, path: str) -> None:
        self.zip = archive
        self.path = path
        self.members = self.manifest()
        self.arrays: dict[str, NDArray[Any]] = {}

    def manifest(self) -> dict[str, dict[str, Any]]:
        """Return the manifest's members, if format and version are ours and none is amiss."""
        names = self.zip.namelist()
        if MANIFEST not in names:
            raise not_a_fit(self.path, "a zip file without a manifest")
        found = from_text(self.zip.read(MANIFEST))
        if found["format"] != FORMAT:
            raise not_a_fit(self.path, f"a file of format {found['format']!r}")
        if found["version"] not in READS:
            raise SavedFitError(
                message(
                    f"{self.path!r} is of format version {found['version']!r}, "
                    f"written by {found.get('written_by')}",
                    f"format versions {', '.join(map(str, READS))}",
                    "load it with that release of bayesmlm, or fit the model again with this one",
                )
            )
        members: dict[str, dict[str, Any]] = found["members"]
        count = Counter(names)
        twice = [name for name, times in count.items() if times > 1]
        missing = sorted(set(members) - set(names))
        strange = sorted(set(names) - set(members) - {MANIFEST})
        for what, listed in (("lacks", missing), ("has an unlisted", strange), ("repeats", twice)):
            if listed:
                raise damaged(self.path, f"it {what} member {listed[0]!r}")
        return members

    def read(self, name: str, read: Callable[[Any], Any]) -> Any:
        """Read a member by a function, and check its size and hash."""
        if name not in self.members:
            raise damaged(self.path, f"it refers to {name!r}, which is not in its manifest")
        info, listed = self.zip.getinfo(name), self.members[name]
        changed = damaged(self.path, f"the content of {name!r} is not what the manifest says")
        if info.file_size != listed["bytes"]:
            raise changed
        with self.zip.open(info) as stream:
            hashed = Hashed(stream)
            value = read(hashed)
            while hashed.read(CHUNK):
                pass
        if hashed.entry() != listed:
            raise changed
        return value

    def json(self, name: str) -> Any:
        """Return a member of JSON."""
        return from_text(self.read(name, lambda stream: stream.read()))

    def array(self, name: str) -> NDArray[Any]:
        """Return an array."""
        if name not in self.arrays:
            self.arrays[name] = self.read(
                name, lambda stream: np.lib.format.read_array(stream, allow_pickle=False)
            )
        return self.arrays[name]


@contextmanager
def reading(path: str | os.PathLike[str]) -> Iterator[Reader]:
    """Open a saved fit.

    Raises
    ------
    SavedFitError
        If there is no such file, or it is not a saved fit, or any part of it cannot be read
        or is not as it was written.
    """
    shown = path_text(path, "fit.zip")
    if os.path.isdir(path):
        raise SavedFitError(
            message(
                f"{shown!r} is a folder",
                "a file that fit.save wrote",
                "name the file in it; `bayesmlm fit --out` calls it fit.zip",
            )
        )
    try:
        with ZipFile(path) as archive:
            yield Reader(archive, shown)
    except SavedFitError:
        raise
    except FileNotFoundError:
        raise SavedFitError(
            message(
                f"there is no file {shown!r}",
                "a file that fit.save wrote",
                f"look for the name; the current folder is {os.getcwd()!r}",
            )
        ) from None
    except OSError as error:
        raise SavedFitError(
            message(
                f"{shown!r} cannot be read: {error.strerror or error}",
                "a file that fit.save wrote",
                "look at its permissions and at the disk",
            )
        ) from error
    except Exception as error:  # a damaged zip, array or text fails in more ways than can be listed
        if not starts_as_zip(path):
            raise not_a_fit(shown, "not a zip file") from error
        raise damaged(shown, f"{type(error).__name__}: {error}") from error


def starts_as_zip(path: str | os.PathLike[str]) -> bool:
    """Return whether a file begins as a zip with a member does."""
    with open(path, "rb") as file:
        return file.read(4) == b"PK\x03\x04"


def not_a_fit(path: str, what: str) -> SavedFitError:
    """Return the error for a file that is something else."""
    return SavedFitError(
        message(
            f"{path!r} is not a saved fit: {what}",
            "a file that fit.save wrote",
            "name such a file; fit.save('fit.zip') makes one",
        )
    )


def damaged(path: str, what: str) -> SavedFitError:
    """Return the error for a saved fit that is not as it was written."""
    return SavedFitError(
        message(
            f"{path!r} is damaged or was changed: {what}",
            "a file exactly as fit.save wrote it",
            "copy it again from where it was saved, or fit the model again",
        )
    )
