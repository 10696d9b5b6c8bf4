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


def test_one_panel_a_parameter_and_one_line_an_engine(frame):
    figure = engine_intervals(frame, "nuts", 0.9)
    shown = [axis for axis in figure.axes if axis.axison]
    assert [axis.get_title(loc="left") for axis in shown] == ["b0", "b1", "b2", "b3"]
    assert [label.get_text() for label in shown[0].get_yticklabels()] == ["nuts", "ml"]
    assert "90 % intervals; the band is that of nuts" in figure.get_suptitle()
    bars = [len(axis.lines) for axis in shown]
    assert bars == [5, 5, 5, 4]  # two intervals, two points and the reference's line


def test_without_a_reference(frame):
    assert "band" not in engine_intervals(frame, None, 0.95).get_suptitle()
