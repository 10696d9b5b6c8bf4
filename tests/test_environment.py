"""The dependency lists agree: pyproject.toml, environment.yml, requirements/ and the imports."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUN = PYPROJECT["project"]["dependencies"]
EXTRAS = [text for own in PYPROJECT["project"]["optional-dependencies"].values() for text in own]
BUILD = PYPROJECT["dependency-groups"]["build"]
DEV = PYPROJECT["dependency-groups"]["dev"]

# PyPI name -> conda-forge name, where they differ.
CONDA_NAME = {"matplotlib": "matplotlib-base"}  # conda's `matplotlib` brings Qt as well
CONDA_ONLY = {"python", "pip"}


def by_name(requirements: list[str]) -> dict[str, Requirement]:
    parsed = [Requirement(text) for text in requirements]
    return {canonicalize_name(r.name): r for r in parsed}


def locked(name: str) -> dict[str, tuple[str, int]]:
    """Read a requirements file: name -> (version, number of hashes)."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    pins = {}
    for entry in entries:
        pin = re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", entry)
        assert pin, f"not pinned with ==: {entry.splitlines()[0]}"
        key = canonicalize_name(pin[1])
        assert key not in pins, f"{key} is pinned twice in {name}"
        pins[key] = (pin[2], len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry)))
    return pins


def test_conda_lists_the_same_dependencies_with_the_same_ranges():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    conda = {name: r.specifier for name, r in by_name(environment["dependencies"]).items()}
    expected = {
        CONDA_NAME.get(name, name): r.specifier for name, r in by_name(RUN + BUILD + DEV).items()
    }
    assert {n: s for n, s in conda.items() if n not in CONDA_ONLY} == expected
    assert str(conda["python"]) == PYPROJECT["project"]["requires-python"]
    assert environment["channels"] == ["conda-forge", "nodefaults"]


@pytest.mark.parametrize(
    ("file", "requirements"), [("run.txt", RUN + BUILD), ("dev.txt", RUN + BUILD + DEV)]
)
def test_every_dependency_is_pinned_inside_its_range(file, requirements):
    pins = locked(file)
    for name, requirement in by_name(requirements).items():
        assert name in pins, f"{name} is missing from requirements/{file}: run `make lock`"
        assert pins[name][0] in requirement.specifier, f"{name}: run `make lock`"


@pytest.mark.parametrize("file", ["run.txt", "dev.txt"])
def test_every_pin_has_a_hash(file):
    assert [name for name, (_, hashes) in locked(file).items() if not hashes] == []


def test_dev_holds_all_of_run_in_the_same_versions():
    run, dev = locked("run.txt"), locked("dev.txt")
    assert {name: dev.get(name) for name in run} == run


def test_constraints_hold():
    lines = (ROOT / "requirements/constraints.in").read_text(encoding="utf-8").splitlines()
    bounds = by_name([line for line in lines if line and not line.startswith("#")])
    for name, (version, _) in locked("dev.txt").items():
        if name in bounds:
            assert version in bounds[name].specifier


@pytest.mark.parametrize(
    "path",
    ["pyproject.toml", "environment.yml", "Makefile", ".ci/run"]
    + [str(p.relative_to(ROOT)) for p in sorted(ROOT.glob("requirements/*"))]
    + [str(p.relative_to(ROOT)) for p in sorted(ROOT.glob("scripts/*.sh"))],
)
def test_no_registry_address_and_no_path_of_a_machine(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    assert not re.search(r"https?:|--(extra-)?index-url|--find-links|file:/|/home/|/root/", text)


def test_every_import_is_declared():
    # by the names that Python imports, which for all of ours are the names on PyPI
    declared = {name.replace("-", "_") for name in by_name(RUN + EXTRAS)}
    undeclared = {}
    for path in sorted(ROOT.glob("bayesmlm/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = [node.module or ""]
            else:
                continue
            for module in modules:
                top = module.partition(".")[0]
                if top not in declared | {"bayesmlm"} and top not in sys.stdlib_module_names:
                    undeclared.setdefault(top, path.relative_to(ROOT).as_posix())
    assert undeclared == {}
