"""The files of a fit: the fit itself, its tables and its pictures, in one folder."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bayesmlm.errors import BayesmlmError, StatisticError, message
from bayesmlm.fit import Fit
from bayesmlm.model_source import compact
from bayesmlm.reports import Table
from bayesmlm.saving import replacing_files

DOTS = 130
"""Dots an inch of the pictures."""


@contextmanager
def output_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give an empty folder whose files move into `path` when the block ends without an error.

    What is in `path` stays as it is until then: a run that is killed changes nothing.

    Raises
    ------
    BayesmlmError
        If `path` is a file, or its folder cannot be written to; before the block is run.
    """
    shown = os.fspath(path)
    if os.path.exists(path) and not os.path.isdir(path):
        raise BayesmlmError(
            message(f"{shown!r} is a file", "a folder, there or not", "name another with --out")
        )
    part = None
    try:
        with replacing_files(path) as part:
            yield part
    except OSError as error:
        kept = f"; what was made is in {part}" if part is not None and part.exists() else ""
        raise BayesmlmError(
            message(
                f"the folder {shown!r} cannot be written to: {error.strerror or error}{kept}",
                "a folder, there or not, in one that can be written to",
                "name another with --out, or look at the permissions and at the disk",
            )
        ) from error


def write_files(fit: Fit, folder: Path, extra: Mapping[str, Table]) -> None:
    """Write a fit, its tables and its pictures.

    Parameters
    ----------
    fit
        The fit.
    folder
        Where to: ``fit.zip``, ``summary.txt``, a ``.csv`` and a ``.txt`` a table, and
        ``caterpillar_<group>.png``.
    extra
        More tables, by the name of their files.
    """
    fit.save(folder / "fit.zip")
    (folder / "summary.txt").write_text(f"{fit.summary()}\n", encoding="utf-8")
    for name, table in (tables(fit) | dict(extra)).items():
        table.frame.to_csv(folder / f"{name}.csv")
        (folder / f"{name}.txt").write_text(f"{compact(table)}\n", encoding="utf-8")
    for group, slug in slugs(fit).items():
        fit.plot.caterpillar(group).savefig(folder / f"caterpillar_{slug}.png", dpi=DOTS)


def tables(fit: Fit) -> dict[str, Table]:
    """Return every table that this fit has, by the name of its files."""
    wanted: dict[str, Callable[[], Table]] = {
        "fixed_effects": fit.fixef,
        "variance_components": fit.variance_components,
        "icc": fit.icc,
    }
    for group, slug in slugs(fit).items():
        wanted[f"random_effects_{slug}"] = partial(fit.ranef, group)
        wanted[f"coefficients_{slug}"] = partial(fit.coef, group)
    found = {}
    for name, make in wanted.items():
        try:
            found[name] = make()
        except StatisticError:
            continue  # not defined for this model
    return found


def slugs(fit: Fit) -> dict[str, str]:
    """Return, for every grouping, its name as a file's name may have it."""
    found: dict[str, str] = {}
    for block in fit.result.design.random:
        slug = re.sub(r"[^\w.-]+", "_", block.name).strip("._") or "group"
        while slug.lower() in (other.lower() for other in found.values()):
            slug += "_"
        found[block.name] = slug
    return found
