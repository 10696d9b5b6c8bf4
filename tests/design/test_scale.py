"""100,000 rows in 5,000 groups: codes and effect columns, never an indicator matrix."""

import json
import subprocess
import sys

import pytest

CODE = """
import dataclasses, json, os, resource, sys, time
import numpy as np, pandas as pd
import formulaic, narwhals.stable.v2
import bayesmlm as mlm
from bayesmlm.design import build_design
from bayesmlm.families import family

rng = np.random.default_rng(0)
n, groups = 100_000, 5_000
school = rng.integers(0, groups, n)
data = pd.DataFrame({
    "y": rng.normal(size=n), "x": rng.normal(size=n), "w": rng.normal(size=groups)[school],
    "school": school if sys.argv[1] == "integer" else [f"school {k}" for k in school],
})
few = data.iloc[:100].assign(school=np.arange(100) % 10)  # imports, and what they cost
build_design(mlm.formula("y ~ x + (x | school)"), few, family("gaussian"))

def peak():
    # of this process: after a fork, getrusage begins with the peak of the parent
    if os.path.exists("/proc/self/status"):
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20

before, started = peak(), time.perf_counter()
design = build_design(mlm.formula(sys.argv[2]), data, family("gaussian"))
seconds, grown = time.perf_counter() - started, peak() - before

sizes = []
def walk(value):
    if isinstance(value, np.ndarray):
        sizes.append(value.size)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            walk(getattr(value, field.name))
    elif isinstance(value, dict):
        for inner in value.values():
            walk(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            walk(inner)
walk(design)
(block,) = design.random
print(json.dumps({
    "seconds": seconds, "MB": grown, "largest": max(sizes), "Z": block.Z.size,
    "groups": block.grouping.size, "text": str(design.levels),
}))
"""


@pytest.mark.parametrize("labels", ["integer", "text"])
@pytest.mark.parametrize(
    "text",
    [
        "y ~ x + w + (x | school)",
        "y ~ within(x, school) + between(x, school) + (within(x, school) | school)",
    ],
)
def test_a_hundred_thousand_rows(labels, text):
    command = [sys.executable, "-c", CODE, labels, text]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    print(f"{labels}: {found['seconds']:.2f} s, {found['MB']:.0f} MB")
    assert found["groups"] == 5_000
    assert found["MB"] < 300
    assert found["largest"] <= max(found["Z"], 100_000 * 3)
