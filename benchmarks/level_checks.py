"""Power and false alarms of the checks by level, by simulation: what `make checks-table` runs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import bayesmlm as mlm
from bayesmlm.parallel import Processes, available_cores

SIZES = ((30, 10), (50, 20))
"""Numbers of groups and of rows a group."""

DRAWS, LEVEL = 499, 0.05

CHUNK = 50
"""Simulations of one task."""


@dataclass(frozen=True)
class World:
    """A way to make data, and the model they are given to.

    Parameters
    ----------
    words
        What is so of the data.
    make
        Response from (rng, codes, x, number of groups).
    statistic
        Of the check that should find it; empty where nothing is to be found.
    formula, family
        The model.
    """

    words: str
    make: Callable[[np.random.Generator, Any, Any, int], Any]
    statistic: str = ""
    formula: str = "y ~ x + w + (1 | g)"
    family: str = "gaussian"


def rows(g: Any, x: Any, u: Any, e: Any, slopes: Any = 0.5) -> Any:
    """Return responses of intercepts u and slopes by group."""
    return 1 + np.broadcast_to(slopes, len(u))[g] * x + u[g] + e


def well(rng: Any, g: Any, x: Any, J: int) -> Any:
    return rows(g, x, 0.7 * rng.normal(size=J), rng.normal(size=len(g)))


def well_slopes(rng: Any, g: Any, x: Any, J: int) -> Any:
    slopes = 0.5 + 0.4 * rng.normal(size=J)
    return rows(g, x, 0.7 * rng.normal(size=J), rng.normal(size=len(g)), slopes)


def two_clusters(rng: Any, g: Any, x: Any, J: int) -> Any:
    u = 0.7 * np.where(rng.random(J) < 0.5, -1, 1) + 0.1 * rng.normal(size=J)
    return rows(g, x, u, rng.normal(size=len(g)))


def uneven_clusters(rng: Any, g: Any, x: Any, J: int) -> Any:
    u = 0.7 * np.where(rng.random(J) < 0.2, 2.0, -0.5) + 0.1 * rng.normal(size=J)
    return rows(g, x, u, rng.normal(size=len(g)))


def missing_slope(rng: Any, g: Any, x: Any, J: int) -> Any:
    return well_slopes(rng, g, x, J)


def unequal_spread(rng: Any, g: Any, x: Any, J: int) -> Any:
    e = np.exp(0.35 * rng.normal(size=J))[g] * rng.normal(size=len(g))
    return rows(g, x, 0.7 * rng.normal(size=J), e)


def one_far(rng: Any, g: Any, x: Any, J: int) -> Any:
    u = 0.7 * rng.normal(size=J)
    u[0] = 5 * 0.7
    return rows(g, x, u, rng.normal(size=len(g)))


def heavy_tails(rng: Any, g: Any, x: Any, J: int) -> Any:
    e = rng.standard_t(4, size=len(g)) / np.sqrt(2)
    return rows(g, x, 0.7 * rng.normal(size=J), e)


def chances(rng: Any, g: Any, x: Any, J: int, slopes: Any = 0.5) -> Any:
    eta = rows(g, x, 0.7 * rng.normal(size=J), -1.0, slopes)
    return (rng.random(len(g)) < 1 / (1 + np.exp(-eta))).astype(float)


def chances_slopes(rng: Any, g: Any, x: Any, J: int) -> Any:
    return chances(rng, g, x, J, 0.5 + 0.8 * rng.normal(size=J))


def counts(rng: Any, g: Any, x: Any, J: int) -> Any:
    eta = rows(g, x, 0.5 * rng.normal(size=J), -0.5, 0.3)
    return rng.poisson(np.exp(eta)).astype(float)


SLOPES = "y ~ x + w + (x | g)"

WORLDS = {
    "well": World("as the model says", well),
    "well, slopes": World("as the model says, slopes vary", well_slopes, formula=SLOPES),
    "well, binary": World("as the model says, bernoulli", chances, family="bernoulli"),
    "well, counts": World("as the model says, poisson", counts, family="poisson"),
    "clusters": World("two clusters of groups, 50 : 50", two_clusters, "bimodality"),
    "uneven": World("two clusters of groups, 80 : 20", uneven_clusters, "bimodality"),
    "slope": World("slope varies (SD 0.4), model without", missing_slope, "slope"),
    "slope, binary": World(
        "slope varies (SD 0.8), bernoulli", chances_slopes, "slope", family="bernoulli"
    ),
    "spread": World("log residual SDs differ by SD 0.35", unequal_spread, "spread"),
    "far": World("one group 5 SDs out", one_far, "extreme"),
    "tails": World("t(4) residuals", heavy_tails, "kurtosis"),
}


def simulated(name: str, J: int, n: int, seed: int) -> pd.DataFrame:
    """Return one data set."""
    rng = np.random.default_rng([seed, J, n, *name.encode()])
    g = np.repeat(np.arange(J), n)
    x = rng.normal(size=J * n)
    y = WORLDS[name].make(rng, g, x, J) + 0.0
    if WORLDS[name].family == "gaussian":
        w = rng.normal(size=J)[g]
        return pd.DataFrame({"g": g, "x": x, "w": w, "y": y + 0.3 * w})
    return pd.DataFrame({"g": g, "x": x, "w": rng.normal(size=J)[g], "y": y})


def task(name: str, J: int, n: int, seeds: list[int], engine: str) -> list[tuple[bool, bool]]:
    """Return, data set by data set, whether anything stands out, and whether the right thing."""
    world, found = WORLDS[name], []
    for seed in seeds:
        model = mlm.Model(world.formula, simulated(name, J, n, seed), family=world.family)
        fit = model.fit(engine, seed=seed, progress=False)
        p = fit.check_levels(DRAWS, LEVEL, seed).frame["p adjusted"]
        what = p.index.get_level_values("statistic")
        found.append((bool((p <= LEVEL).any()), bool((p[what == world.statistic] <= LEVEL).any())))
    return found


def study(simulations: int, engine: str, workers: int | None = None) -> pd.DataFrame:
    """Return the shares of data sets in which something, and the right thing, stands out."""
    cells: dict[tuple[str, int, int], list[tuple[bool, bool]]] = {}
    with Processes(workers or available_cores()) as pool:
        waiting = {}
        for name in WORLDS:
            for J, n in SIZES:
                for start in range(0, simulations, CHUNK):
                    seeds = list(range(start, min(start + CHUNK, simulations)))
                    waiting[pool.submit(task, name, J, n, seeds, engine)] = (name, J, n)
        for future in as_completed(waiting):
            cells.setdefault(waiting[future], []).extend(future.result())
    records = []
    for name, world in WORLDS.items():
        for J, n in SIZES:
            anything, right = np.array(cells[name, J, n]).mean(axis=0)
            records.append(
                {
                    "data": world.words,
                    "should find": world.statistic or "nothing",
                    "groups": J,
                    "rows a group": n,
                    "found it": right if world.statistic else np.nan,
                    "anything": anything,
                }
            )
    return pd.DataFrame(records)


def markdown(frame: pd.DataFrame, simulations: int, engine: str) -> str:
    """Return the page."""
    error = np.sqrt(LEVEL * (1 - LEVEL) / simulations)
    lines = [
        "# Checks by level: power and false alarms",
        "",
        f"Written by `make checks-table`: {simulations} simulated data sets a row, each fitted by "
        f'`"{engine}"` and checked by `fit.check_levels()` with {DRAWS} replicates. '
        "*Found it*: the share of data sets in which the "
        "statistic that is meant for it stands out (adjusted p at most "
        f"{LEVEL:g}, all statistics together); *anything*: in which any does. Where the data are "
        f"as the model says, that is a false alarm, of which there should be at most {LEVEL:.0%} "
        f"(± {error:.1%}, one standard error). Gaussian data have a residual SD of 1 and an SD of "
        "the groups of 0.7, x varies within groups and w between them.",
        "",
        "| data | should find | groups | rows a group | found it | anything |",
        "|:--|:--|--:|--:|--:|--:|",
    ]
    for row in frame.itertuples(index=False):
        found = "" if np.isnan(row[4]) else f"{row[4]:.1%}"
        lines.append(f"| {row[0]} | {row[1]} | {row[2]} | {row[3]} | {found} | {row[5]:.1%} |")
    return "\n".join(lines) + "\n"


def write(path: Path, simulations: int = 200, engine: str = "ml") -> None:
    """Run the study and write the page."""
    text = markdown(study(simulations, engine), simulations, engine)
    path.write_text(text, encoding="utf-8")
