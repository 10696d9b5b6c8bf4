"""Writing the container; the same content gives the same bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from bayesmlm.saving.archive import FORMAT, MANIFEST, VERSION, Hashed
from bayesmlm.saving.codec import to_text

LONGEST = 60
"""Characters of a member's name that come from the name of what it holds."""


class Writer:
    """Writes the members of a saved fit; see `writing`.

    Parameters
    ----------
    archive
        The open zip.
    """

    def __init__(self, archive: ZipFile) -> None:
        self.zip = archive
        self.members: dict[str, dict[str, Any]] = {}
        self.taken: set[str] = set()
        self.kept: dict[int, tuple[NDArray[Any], str]] = {}

    def json(self, name: str, value: Any) -> None:
        """Add a member of JSON."""
        text = to_text(value)
        self.add(name, ZIP_DEFLATED, lambda stream: stream.write(text))

    def array(self, place: str, value: NDArray[Any]) -> str:
        """Add an array in the NPY format and return the member's name.

        Floats are stored as they are: draws hardly compress. The same array is added once.
        """
        if id(value) in self.kept:
            return self.kept[id(value)][1]
        name = self.fresh(place)
        self.kept[id(value)] = value, name
        method = ZIP_STORED if value.dtype.kind in "fc" else ZIP_DEFLATED
        self.add(
            name,
            method,
            lambda stream: np.lib.format.write_array(cast(Any, stream), value, allow_pickle=False),
        )
        return name

    def add(self, name: str, method: int, write: Callable[[Hashed], Any]) -> None:
        """Add a member by a function that writes it; same content, same bytes."""
        info = ZipInfo(name)
        info.compress_type = method
        info.external_attr = 0o644 << 16
        with self.zip.open(info, "w", force_zip64=True) as stream:
            hashed = Hashed(stream)
            write(hashed)
        self.members[name] = hashed.entry()

    def fresh(self, place: str) -> str:
        """Return a name for an array that every file system takes, unlike all before it."""
        parts = re.sub(r"[^A-Za-z0-9_/]+", "_", place).split("/")
        stem = "/".join(part[:LONGEST] or "_" for part in parts)
        name, k = stem, 1
        while name.lower() in self.taken:
            k += 1
            name = f"{stem}-{k}"
        self.taken.add(name.lower())
        return f"{name}.npy"


@contextmanager
def writing(file: BinaryIO, written_by: str) -> Iterator[Writer]:
    """Write a saved fit; the manifest is added at the end.

    Parameters
    ----------
    file
        Where to.
    written_by
        The release that writes, for the manifest.
    """
    with ZipFile(file, "w", allowZip64=True) as archive:
        writer = Writer(archive)
        yield writer
        manifest = {
            "format": FORMAT,
            "version": VERSION,
            "written_by": written_by,
            "members": writer.members,
        }
        writer.json(MANIFEST, manifest)
