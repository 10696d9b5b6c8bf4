"""The wheel holds the models, the data sets and the command."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import bayesmlm as mlm

ROOT = Path(__file__).resolve().parents[1]
BUILD = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    pytest.importorskip("hatchling", reason="builds a wheel: needs hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-c", BUILD, str(folder)], cwd=ROOT, check=True)
    (path,) = folder.glob("*.whl")
    return path


def within(folder, pattern):
    return {path.name for path in (ROOT / folder).glob(pattern)}


@pytest.mark.slow
def test_the_wheel_holds_models_and_data(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for inside, files in (
        ("bayesmlm/models/", within("models", "*.toml")),
        ("bayesmlm/datasets/", within("bayesmlm/datasets", "*.csv.gz")),
        ("bayesmlm/", {"py.typed", "cli.py", "__main__.py"}),
    ):
        assert files and files <= {name.removeprefix(inside) for name in names}
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests")]


@pytest.mark.slow
def test_the_command_runs_from_the_wheel_alone(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
        entry = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "bayesmlm = bayesmlm.cli:main" in archive.read(entry).decode()
    code = (
        "import sys, bayesmlm; from pathlib import Path; from bayesmlm.cli import main;"
        "assert Path(bayesmlm.__file__).parent == Path.cwd() / 'bayesmlm';"
        "sys.exit(main(sys.argv[1:]))"
    )
    for words, piece in ((["models"], "radon-slope"), (["show", "radon-slope"], "85 groups")):
        call = [sys.executable, "-c", code, *words]
        done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0 and piece in done.stdout, done.stderr


def test_the_version_is_stated_once_in_the_code_and_once_in_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == mlm.__version__
