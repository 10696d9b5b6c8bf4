"""This project: ``python -m benchmarks.peers.own TASK``."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import columns
from benchmarks.events import tell, timed


def main(path: str) -> None:
    """Fit what a task says, and tell."""
    task = json.loads(Path(path).read_text(encoding="utf-8"))
    started = time.perf_counter()
    import bayesmlm as mlm

    wanted = [mlm.Model, mlm.formula, mlm.equations]  # imported when first asked for
    tell(
        "imported",
        seconds=time.perf_counter() - started,
        imports=f"bayesmlm ({', '.join(kind.__name__ for kind in wanted)})",
    )
    from bayesmlm.reports.toml import read_prior

    data = columns.read(Path(task["data"]))
    priors = {name: read_prior(text) for name, text in task["priors"].items()}

    def fit() -> Any:
        model = mlm.Model(task["formula"], data, task["family"] or None, priors or None)
        return model.fit(task["engine"], seed=task["seed"], **task["options"])

    found = timed(fit, task)
    tell("result", **figures(found, task))


def figures(fit: Any, task: dict[str, Any]) -> dict[str, Any]:
    """Return what the fit says of itself, or the draws' file where ESS is found from them."""
    result, statistics = fit.result, fit.tree["sample_stats"]
    told: dict[str, Any] = {
        "settings": str(result.engine),
        "notes": list(result.notes),
        "stages": {stage: round(value, 3) for stage, value in result.seconds.items()},
        "converged": bool(fit.check().ok),
    }
    posterior = fit.tree["posterior"].to_dataset()
    if task["engine"] == "ml":
        return told | {"deviance": fit.deviance}
    if "k_hat" in statistics:  # importance draws: their weights give the ESS
        ess = {name: float(posterior[name].attrs["ess"]) for name in posterior.data_vars}
        least = min(ess, key=lambda name: ess[name])
        return told | {
            "min_ess": ess[least],
            "min_ess_of": least,
            "ess_rule": "weights",
            "k_hat": float(np.maximum(statistics["k_hat"], -1.0)),
            "evaluations": int(statistics["evaluations"]),
            "draws": posterior.sizes["draw"],
            "chains": 1,
        }
    return told | save(posterior, Path(task["draws"]))


def save(posterior: Any, path: Path) -> dict[str, Any]:
    """Write the draws of every parameter, shape (chain, draw, parameter)."""
    shape = (posterior.sizes["chain"], posterior.sizes["draw"], -1)
    parts, names = [], []
    for name in posterior.data_vars:
        values = posterior[name].transpose("chain", "draw", ...).to_numpy().reshape(shape)
        parts.append(values)
        names += [f"{name}[{k}]" if values.shape[2] > 1 else name for k in range(values.shape[2])]
    draws = np.concatenate(parts, axis=2)
    draws.astype("<f8").tofile(path)
    return {"shape": list(draws.shape), "names": names}


if __name__ == "__main__":
    main(sys.argv[1])
