"""A FitResult to a file and back."""

from __future__ import annotations

import os
import platform
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from bayesmlm import __version__
from bayesmlm.result import FitResult
from bayesmlm.saving.atomic import writing_to
from bayesmlm.saving.codec import Decoder, Encoder
from bayesmlm.saving.reader import reading
from bayesmlm.saving.tree import read_tree, write_tree
from bayesmlm.saving.writer import Writer, writing

LIBRARIES = ("numpy", "pandas", "xarray", "formulaic", "arviz", "pymc", "pytensor", "nutpie")
"""Libraries whose versions are recorded."""

APART = ("spec", "design", "priors", "tree")
"""Fields of a FitResult that have a member of their own; the rest is in meta.json."""


def save_result(result: FitResult, path: str | os.PathLike[str]) -> None:
    """Save a result; `path` is replaced when the new file is whole, and not before.

    Raises
    ------
    SavedFitError
        If the file cannot be written, or the result holds what has no place in it.
    """
    with (
        writing_to(path, "fit.zip") as file,
        writing(file, f"bayesmlm {__version__}") as writer,
    ):
        write_members(result, writer)


def write_members(result: FitResult, writer: Writer) -> None:
    """Write every member but the manifest."""
    plain = Encoder(writer.array)
    encoder = Encoder(writer.array, {"spec": result.spec})
    rest = {each.name: getattr(result, each.name) for each in fields(result)}
    for name in APART:
        rest.pop(name)
    writer.json("meta.json", {"versions": versions(), "result": plain.encode(rest, "meta")})
    writer.json("spec.json", plain.encode(result.spec, "spec"))
    writer.json("design.json", encoder.encode(result.design, "design"))
    writer.json("priors.json", encoder.encode(result.priors, "priors"))
    writer.json("tree.json", write_tree(result.tree, plain))


def load_result(path: str | os.PathLike[str]) -> FitResult:
    """Load a saved result.

    Raises
    ------
    SavedFitError
        If the file is not a saved fit, or not as it was written, or of a version that this
        release does not read.
    """
    with reading(path) as reader:
        plain = Decoder(reader.array)
        spec = plain.decode(reader.json("spec.json"))
        decoder = Decoder(reader.array, {"spec": spec})
        return FitResult(
            spec=spec,
            design=decoder.decode(reader.json("design.json")),
            priors=decoder.decode(reader.json("priors.json")),
            tree=read_tree(reader.json("tree.json"), plain),
            **plain.decode(reader.json("meta.json")["result"]),
        )


def versions() -> dict[str, Any]:
    """Return the versions of bayesmlm, Python and the libraries."""
    found: dict[str, Any] = {"bayesmlm": __version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found
