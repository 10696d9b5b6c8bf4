"""In a Jupyter kernel: one output a cell, progress without widgets, text that is text."""

import os
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

# What a kernel's own libraries warn of is no fault of ours, nor are their threads' sockets.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

CELLS = (
    """import bayesmlm as mlm
data = mlm.datasets.load("sleepstudy")
model = mlm.Model("Reaction ~ Days + (1 | Subject)", data)""",
    "fit = model.fit('laplace', seed=1)",
    "fit.icc()",
    "text = str(fit.summary())\nassert 'Intercept' in text and 'residual' in text",
    "print(fit.icc())",
    "model.levels()",
)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Return the outputs of every cell."""
    root = str(Path(__file__).parent.parent)
    before = os.environ.get("PYTHONPATH", "")
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    where = {"metadata": {"path": str(tmp_path_factory.mktemp("notebook"))}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(part for part in (root, before) if part))
        patch.delenv("CI", raising=False)
        client = nbclient.NotebookClient(
            notebook, timeout=600, kernel_name="python3", resources=where
        )
        return [cell.outputs for cell in client.execute().cells]


def test_progress_is_drawn_in_place_and_needs_no_widgets(outputs):
    shown = outputs[1]
    assert 1 <= len(shown) <= 3
    assert {output.output_type for output in shown} == {"display_data"}
    assert all("text/html" not in output.data for output in shown)
    assert "✓" in "".join(output.data["text/plain"] for output in shown)


def test_a_table_is_shown_once(outputs):
    (shown,) = outputs[2]
    assert shown.output_type == "execute_result"
    assert "Intraclass correlation" in shown.data["text/html"]
    assert "Intraclass correlation" in shown.data["text/plain"]


def test_text_goes_where_it_was_sent(outputs):
    assert outputs[3] == []
    (printed,) = outputs[4]
    assert printed.output_type == "stream"
    assert printed.text.startswith("Intraclass correlation")


def test_levels_are_shown_in_words(outputs):
    (shown,) = outputs[5]
    assert shown.data["text/plain"].startswith("level 1: 180 rows")
