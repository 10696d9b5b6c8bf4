"""The main job, end to end, on High School and Beyond: ``python -m bayesmlm.demo``."""

from __future__ import annotations

import sys
from pathlib import Path

import bayesmlm as mlm

EQUATIONS = """
level 1:          mathach = b0 + b1*within(ses, school) + r
level 2 (school): b0 = g00 + g01*meanses + g02*sector + u0
                  b1 = g10 + g11*meanses + g12*sector + u1
"""

PICTURE = Path("school_effects.png")
SEED = 1982

WIDTH = 100
"""Columns of output that goes to a file or a pipe."""


def main() -> int:
    """Fit intercepts and slopes as outcomes to 7,185 pupils in 160 schools."""
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDTH)
    data = mlm.datasets.load("high_school_beyond")
    model = mlm.Model(mlm.equations(EQUATIONS), data)
    console.rule("The model, as written in the textbook")
    equations = model.equations()
    console.print(f"{equations.text}\n\ncombined: {equations.combined}", markup=False)
    console.rule("What the data say about the levels")
    console.print(str(model.levels()), markup=False)
    console.rule("What is assumed before seeing the outcome")
    console.print(model.priors())
    console.rule("Sampling")
    console.print("The first fit on a machine compiles kernels, for about half a minute.")
    fit = model.fit("nuts", seed=SEED)
    console.rule("The fitted model")
    console.print(fit.summary())
    console.print(fit.icc())
    fit.plot.caterpillar("school").savefig(PICTURE, dpi=130)
    console.print(f"The effects of the 160 schools: {PICTURE.resolve()}", markup=False)
    return 0 if fit.check().ok else 1


if __name__ == "__main__":
    sys.exit(main())
