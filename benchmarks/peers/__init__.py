"""The fitters: this project's engines and the peers, each in an environment of its own.

A peer's file here reads a task, times its calls and writes its draws; `FITTERS` says how it is
run. Where a peer is not installed, the harness says so and why.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BAMBI = ROOT / ".bambi-venv" / "bin" / "python"
"""Made by `make benchmark-peers`; the environment variable BAMBI_PYTHON names another."""


class Absent(Exception):
    """A fitter that cannot be run here; the text says why."""


@dataclass(frozen=True)
class Fitter:
    """One way to fit a model.

    Parameters
    ----------
    name, title
        Short name, and the name in tables.
    language
        ``"own"``, ``"bambi"`` or ``"R"``: which interpreter.
    packages
        Whose versions are reported, the first of which is the fitter.
    priors
        Which priors it has where a workload states none.
    engine, options
        Of this project, and the engine's options.
    generalized
        Whether it is asked for responses alone that are not gaussian.
    caches
        Whether a second call finds what the first one compiled, in memory or on disk.
    cold
        Environment variables that give it empty caches; ``{}`` in one stands for a new folder.
    """

    name: str
    title: str
    language: str
    packages: tuple[str, ...]
    priors: str
    engine: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    generalized: bool = False
    caches: bool = True
    cold: Mapping[str, str] = field(default_factory=dict)

    @property
    def disk_cache(self) -> bool:
        """Whether a first process warms caches on disk for the next."""
        return self.caches and self.language != "R"

    def interpreter(self) -> str:
        """Return the program that runs it.

        Raises
        ------
        Absent
            If there is none.
        """
        if self.language == "own":
            return sys.executable
        if self.language == "bambi":
            python = Path(os.environ.get("BAMBI_PYTHON") or BAMBI)
            if not python.is_file():
                raise Absent("no environment of its own here; make benchmark-peers makes it")
            return str(python)
        found = shutil.which("Rscript")
        if found is None:
            raise Absent("no Rscript on PATH")
        return found

    def command(self, task: Path) -> list[str]:
        """Return the command that fits a task."""
        if self.language == "R":
            return [self.interpreter(), f"benchmarks/peers/{self.name}.R", str(task)]
        return [self.interpreter(), "-m", f"benchmarks.peers.{self.language}", str(task)]

    def versions(self) -> dict[str, str]:
        """Return the versions of its packages and of its language.

        Raises
        ------
        Absent
            If one of them is not installed.
        """
        python = (
            "import importlib.metadata as m, json, platform, sys\n"
            "found = {'Python': platform.python_version()}\n"
            "found |= {name: m.version(name) for name in sys.argv[1:]}\n"
            "print(json.dumps(found))"
        )
        r = (
            "found <- lapply(commandArgs(TRUE), function(p) as.character(packageVersion(p)));"
            "names(found) <- commandArgs(TRUE);"
            "found <- c(list(R = as.character(getRversion())), found);"
            "cat(jsonlite::toJSON(found, auto_unbox = TRUE))"
        )
        program = self.interpreter()
        flags = ["-e", r] if self.language == "R" else ["-c", python]
        ran = subprocess.run(
            [program, *flags, *self.packages], capture_output=True, text=True, cwd=ROOT
        )
        if ran.returncode:
            raise Absent(f"{', '.join(self.packages)} not installed, or one of them")
        return dict(json.loads(ran.stdout))


OWN_PACKAGES = ("numpy", "scipy", "numba", "nutpie", "arviz-stats", "pymc", "pandas")
OWN_CACHE = {"NUMBA_CACHE_DIR": "{}"}

FITTERS = {
    fitter.name: fitter
    for fitter in (
        Fitter(
            "laplace", "bayesmlm laplace", "own", OWN_PACKAGES, "its defaults", "laplace",
            cold=OWN_CACHE,
        ),
        Fitter(
            "quadrature", "bayesmlm quadrature", "own", OWN_PACKAGES, "its defaults", "quadrature",
            generalized=True, cold=OWN_CACHE,
        ),
        Fitter(
            "nuts", "bayesmlm nuts", "own", OWN_PACKAGES, "its defaults", "nuts", cold=OWN_CACHE
        ),
        Fitter(
            "graph", "bayesmlm nuts through the graph", "own", (*OWN_PACKAGES, "pytensor"),
            "its defaults", "nuts", {"backend": "graph"}, generalized=True, cold=OWN_CACHE,
        ),
        Fitter("ml", "bayesmlm ml", "own", OWN_PACKAGES, "none", "ml", cold=OWN_CACHE),
        Fitter(
            "bambi", "Bambi", "bambi", ("bambi", "nutpie", "pymc", "pytensor", "numba"),
            "its defaults; intercepts and slopes of a group independent, as it has them",
            cold=OWN_CACHE | {"PYTENSOR_FLAGS": "blas__ldflags=,base_compiledir={}"},
        ),
        Fitter("lme4", "lme4 ML", "R", ("lme4", "Matrix", "jsonlite"), "none"),
        Fitter(
            "rstanarm", "rstanarm", "R", ("rstanarm", "rstan", "jsonlite"), "its defaults",
            caches=False,
        ),
        Fitter(
            "brms", "brms", "R", ("brms", "rstan", "jsonlite"),
            "its defaults; each call compiles the model", caches=False,
        ),
    )
}  # fmt: skip
