"""The picture of checks by level."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(20), 8)
    x = rng.normal(size=160)
    y = (1 + rng.normal(size=20))[g] * x + rng.normal(size=160)
    model = mlm.Model("y ~ x + (1 | g)", pd.DataFrame({"g": g, "x": x, "y": y}))
    return model.fit("ml").check_levels(99)


def test_a_panel_a_statistic_and_a_grouping(found, tmp_path):
    picture = found.plot()
    titles = [axis.get_title() for axis in picture.axes if axis.axison]
    assert "level 2: slope of x by g" in titles and len(titles) == 8
    assert any(title.startswith("Intercept by g:") for title in titles)
    picture.savefig(tmp_path / "levels.png")
    assert (tmp_path / "levels.png").stat().st_size > 5000


def test_the_line_stands_where_the_data_are(found):
    k = [s.what for s in found.found.statistics].index("slope")
    lines = found.plot().axes[k].get_lines()
    assert any(np.allclose(line.get_xdata(), found.found.observed[k]) for line in lines)
