"""The container: a zip whose manifest holds the SHA-256 of every member."""

from __future__ import annotations

import hashlib
from typing import IO, Any

FORMAT = "bayesmlm fit"
VERSION = 1
READS = (1,)
"""Versions of the format that this release reads."""

MANIFEST = "manifest.json"


class Hashed:
    """A stream that hashes what passes through it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: Any) -> int:
        """Write and hash."""
        self.digest.update(data)
        self.size += memoryview(data).nbytes
        return self.stream.write(data)

    def read(self, size: int = -1) -> bytes:
        """Read and hash."""
        data = self.stream.read(size)
        self.digest.update(data)
        self.size += len(data)
        return data

    def entry(self) -> dict[str, Any]:
        """Return what the manifest says of the member."""
        return {"sha256": self.digest.hexdigest(), "bytes": self.size}
