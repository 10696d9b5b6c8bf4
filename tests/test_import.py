"""`import bayesmlm` is cheap: what is heavy is imported when it is first needed."""

import subprocess
import sys

import pytest

import bayesmlm as mlm

HEAVY = (
    "arviz",
    "formulaic",
    "matplotlib",
    "numba",
    "nutpie",
    "pandas",
    "pymc",
    "pytensor",
    "scipy",
    "xarray",
)

TIMER = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


def run(code):
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    "use",
    [
        "pass",
        "dir(bayesmlm)",
        "bayesmlm.BayesmlmError, bayesmlm.__version__",
        "bayesmlm.equations('level 1: y = b0 + r\\nlevel 2 (g): b0 = g00 + u0')",
    ],
)
def test_importing_loads_nothing_heavy(use):
    code = f"import sys, bayesmlm; {use}; print(*sorted(sys.modules))"
    loaded = {name.partition(".")[0] for name in run(code).split()}
    if use.startswith("bayesmlm.equations"):
        loaded -= {"pandas", "scipy", "formulaic"}  # formulaic's algebra of terms
    assert not loaded & set(HEAVY)


@pytest.mark.slow
def test_importing_takes_less_than_a_tenth_of_pymc():
    ours = min(float(run(TIMER.format("bayesmlm"))) for _ in range(3))
    theirs = min(float(run(TIMER.format("pymc"))) for _ in range(3))
    assert ours < 0.1 * theirs


def test_the_public_names_are_the_lazy_table():
    assert sorted(mlm.__all__) == sorted({*mlm._WHERE, *mlm._MODULES, "__version__"})
    assert list(dir(mlm)) == sorted(mlm.__all__)


@pytest.mark.parametrize("name", mlm.__all__)
def test_every_public_name_resolves(name):
    assert getattr(mlm, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Modle'"):
        _ = mlm.Modle
