"""Every tutorial runs from its first cell to its last."""

from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

TUTORIALS = sorted((Path(__file__).parent.parent / "tutorials").glob("*.ipynb"))

# What a kernel's own libraries warn of is no fault of a tutorial, nor are their threads' sockets.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def execute(notebook, folder):
    """Run a notebook in a folder of its own; a cell that fails raises `CellExecutionError`."""
    client = nbclient.NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    return client.execute()


@pytest.fixture(autouse=True)
def found(monkeypatch):
    """Let the kernel find the package as this process does."""
    import os

    root = str(Path(__file__).parent.parent)
    before = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(part for part in (root, before) if part))


def test_there_are_tutorials():
    names = [path.name for path in TUTORIALS]
    wanted = ["01_schools.ipynb", "02_approximations.ipynb", "03_predictions.ipynb"]
    assert names[:3] == wanted


@pytest.mark.slow
@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_runs(path, tmp_path):
    done = execute(nbformat.read(path, as_version=4), tmp_path)
    shown = [cell for cell in done.cells if cell.cell_type == "code" and cell.outputs]
    assert len(shown) >= 8
    written = nbformat.writes(done)
    assert len(written) < 4_000_000
    assert "BayesmlmWarning" not in written


@pytest.mark.slow
def test_a_broken_cell_fails(tmp_path):
    cells = [nbformat.v4.new_code_cell("x = 1"), nbformat.v4.new_code_cell("assert x == 2")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="AssertionError"):
        execute(notebook, tmp_path)


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_is_kept_without_outputs(path):
    """What it prints is made anew by whoever runs it, and the file stays readable."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    assert path.stat().st_size < 100_000
