"""Bambi with nutpie: ``python -m benchmarks.peers.bambi TASK``, in an environment of its own."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import columns
from benchmarks.events import tell, timed
from benchmarks.peers.own import save

DISTRIBUTIONS = {"Normal": ("mu", "sigma"), "HalfCauchy": ("beta",), "HalfNormal": ("sigma",)}


def main(path: str) -> None:
    """Fit what a task says, and tell."""
    task = json.loads(Path(path).read_text(encoding="utf-8"))
    started = time.perf_counter()
    import bambi as bmb
    import nutpie
    import pymc

    tell(
        "imported",
        seconds=time.perf_counter() - started,
        imports=", ".join(library.__name__ for library in (bmb, nutpie, pymc)),
    )
    data = columns.read(Path(task["data"]))
    main_formula, *others = task["formula"].split("; ")

    def fit() -> Any:
        model = bmb.Model(
            bmb.Formula(main_formula, *others),
            data,
            family=task["family"] or "gaussian",
            priors=priors(bmb, task) or None,
        )
        return model.fit(
            inference_method="nutpie", chains=4, random_seed=task["seed"], progressbar=False
        )

    found = timed(fit, task)
    posterior = found["posterior"].to_dataset()
    statistics = found["sample_stats"].to_dataset()
    tell(
        "result",
        settings="nutpie, 4 chains of 1,000 draws after 1,000 of warm-up",
        notes=[],
        divergences=int(np.asarray(statistics["diverging"]).sum()),
        **save(posterior, Path(task["draws"])),
    )


def priors(bmb: Any, task: dict[str, Any]) -> dict[str, Any]:
    """Return the stated priors; that of an SD belongs to a zero-mean Normal of the effects."""
    found = {}
    for name, (kind, *values) in task["priors"].items():
        prior = bmb.Prior(kind, **dict(zip(DISTRIBUTIONS[kind], values, strict=True)))
        found[name] = bmb.Prior("Normal", mu=0, sigma=prior) if "|" in name else prior
    return found


if __name__ == "__main__":
    main(sys.argv[1])
