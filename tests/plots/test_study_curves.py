"""The curves of planned studies."""

import numpy as np
import pandas as pd
import pytest

from bayesmlm.plots.study_curves import study_curves


@pytest.fixture
def frame():
    index = pd.MultiIndex.from_product(
        [[10, 20, 40], [5, 10], ["Intercept", "x", "sigma"]], names=["groups", "size", "parameter"]
    )
    rng = np.random.default_rng(1)
    found = pd.DataFrame({"power": rng.uniform(size=18), "mcse": 0.02}, index=index)
    found["width"] = rng.uniform(1, 2, 18)
    found.loc[found.index.get_level_values("parameter") == "sigma", "power"] = np.nan
    return found


def test_two_panels_a_coefficient_and_a_line_a_size(frame):
    picture = study_curves(frame)
    above, below = picture.axes
    assert above.get_title() == "x" and "width" in below.get_ylabel()
    for axis, column in ((above, "power"), (below, "width")):
        drawn = [line.get_ydata() for line in axis.get_lines() if len(line.get_xdata()) == 3]
        for size in (5, 10):
            expected = frame.xs(("x", size), level=("parameter", "size"))[column].to_numpy()
            assert any(np.allclose(each, expected) for each in drawn)


def test_an_assurance_is_called_one(frame):
    picture = study_curves(frame.rename(columns={"power": "assurance"}))
    assert "assurance" in picture.axes[0].get_ylabel()
