import numpy as np
import pandas as pd
import pytest

from bayesmlm.plots import engine_intervals


@pytest.fixture
def frame():
    keys = [("fixed effects", f"b{k}", e) for k in range(4) for e in ("nuts", "ml")]
    index = pd.MultiIndex.from_tuples(keys, names=["part", "parameter", "engine"])
    middle = np.arange(8.0)
    columns = {"estimate": middle, "lower": middle - 1, "upper": middle + 1}
    found = pd.DataFrame(columns, index=index)
    found.loc[("fixed effects", "b3", "ml"), ["lower", "upper"]] = np.nan
    return found


def written(picture):
    """What the key says."""
    return [text.get_text() for text in picture.figure.legends[0].get_texts()]


def test_one_panel_a_parameter_and_one_line_an_engine(frame):
    picture = engine_intervals(frame, "nuts", 0.9)
    assert [axis.get_title() for axis in picture.axes] == ["b0", "b1", "b2", "b3"]
    labels = picture.axes[0].get_yticklabels()
    by_height = sorted(labels, key=lambda label: -label.get_position()[1])
    assert [label.get_text() for label in by_height] == ["nuts", "ml"]
    intervals = [
        [line.get_xdata().tolist() for line in axis.lines if len(set(line.get_xdata())) == 2]
        for axis in picture.axes
    ]
    assert intervals == [[[-1, 1], [0, 2]], [[1, 3], [2, 4]], [[3, 5], [4, 6]], [[5, 7]]]
    assert written(picture) == ["estimate and 90 % interval", "nuts, and its band"]


def test_without_a_reference(frame):
    picture = engine_intervals(frame, None, 0.95)
    assert written(picture) == ["estimate and 95 % interval"]
    assert not any(axis.patches or axis.collections[2:] for axis in picture.axes)


@pytest.mark.parametrize("backend", ["plotly", "bokeh"])
def test_other_backends(frame, backend, tmp_path):
    pytest.importorskip(backend)
    picture = engine_intervals(frame, "nuts", 0.9, backend=backend)
    picture.savefig(tmp_path / "x.html")
    assert picture.backend == backend
    assert "nuts, and its band" in (tmp_path / "x.html").read_text()
