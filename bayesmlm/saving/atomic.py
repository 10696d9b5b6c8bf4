"""Atomic files: after a crash at any moment a path holds the old content or the new, whole."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from bayesmlm.errors import SavedFitError, message

SUFFIX = ".part"
"""Suffix of a file that is being written; one left by a killed process means nothing."""


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `path` when the block ends without an error.

    Parameters
    ----------
    path
        The file to make or to replace; a link is followed.

    Raises
    ------
    OSError
        If the folder cannot be written to. `path` is then as it was.
    """
    target = Path(os.path.realpath(path))
    part = target.with_name(f".{target.name}.{secrets.token_hex(6)}{SUFFIX}")
    mode = permissions(target)
    try:
        with open(part, "xb") as file:
            yield file
            file.flush()
            if mode is not None:
                os.chmod(part, mode)
            os.fsync(file.fileno())
        os.replace(part, target)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    sync_folder(target.parent)


def path_text(path: str | os.PathLike[str], example: str) -> str:
    """Return a path as text, or raise `SavedFitError` for what is none."""
    if isinstance(path, str | os.PathLike):
        return os.fspath(path)
    raise SavedFitError(
        message(
            f"a path of type {type(path).__name__}",
            "text, or a pathlib.Path",
            f"for example {example!r}",
        )
    )


@contextmanager
def writing_to(path: str | os.PathLike[str], example: str) -> Iterator[BinaryIO]:
    """Open a file as `replacing`, with errors in words.

    Parameters
    ----------
    path
        The file to make or to replace.
    example
        A name of such a file.

    Raises
    ------
    SavedFitError
        If `path` is none, or names a folder, or the file cannot be written.
    """
    shown = path_text(path, example)
    if os.path.isdir(shown):
        raise SavedFitError(
            message(f"{shown!r} is a folder", "the path of a file", f"save to {shown}/{example}")
        )
    try:
        with replacing(shown) as file:
            yield file
    except OSError as error:
        raise SavedFitError(
            message(
                f"{shown!r} cannot be written: {error.strerror or error}",
                "a file in a folder that exists and can be written to",
                "make the folder, or choose another path",
            )
        ) from error


def permissions(path: Path) -> int | None:
    """Return the permission bits of a file, None where there is none."""
    try:
        return path.stat().st_mode & 0o777
    except OSError:
        return None


def sync_folder(folder: Path) -> None:
    """Ask the system to keep a folder's entries through a power cut, where it can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def replacing_files(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Give an empty folder; what is in it at the end moves into `folder`.

    Parameters
    ----------
    folder
        The folder to make, in one step, or to put the files into, one after the other, each
        in one step; other files in it stay. A link is followed.

    Raises
    ------
    OSError
        If the folder cannot be written to: before the block, where that can be known then.
    """
    target = Path(os.path.realpath(folder))
    target.parent.mkdir(parents=True, exist_ok=True)
    home = target if target.is_dir() else target.parent
    part = home / f".{target.name}.{secrets.token_hex(6)}{SUFFIX}"
    part.mkdir()
    try:
        yield part
        for file in part.iterdir():
            sync_file(file)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    move(part, target)


def move(part: Path, target: Path) -> None:
    """Move a folder to its place, or its files into the folder that is there."""
    if not target.exists():
        os.rename(part, target)
    else:
        for file in sorted(part.iterdir()):
            os.replace(file, target / file.name)
        part.rmdir()
    sync_folder(target)
    sync_folder(target.parent)


def sync_file(path: Path) -> None:
    """Ask the system to write a file's content to the disk."""
    with open(path, "r+b") as file:
        os.fsync(file.fileno())
