"""The bars of Rights & Sterba are the shares of the table."""

import numpy as np
import pandas as pd
import pytest

from bayesmlm.errors import StatisticError
from bayesmlm.plots.rights_sterba import LEFT_OVER, colours_of, rights_sterba
from bayesmlm.summaries.r2_rights_sterba import r2_rights_sterba


def heights(axis):
    """Return the heights of the parts of every bar, from the bottom, by the bar's place."""
    found = {}
    for polygon in axis.collections:
        box = polygon.get_paths()[0].get_extents()
        found.setdefault(round((box.x0 + box.x1) / 2), []).append(box.y1 - box.y0)
    return found


def test_every_bar_is_divided_by_the_shares(make, frame):
    centred = frame.assign(x=frame["x"] - frame.groupby("g")["x"].transform("mean"))
    result = make("y ~ x + w + (x | g)", centred)
    axis = rights_sterba(result).axes[0]
    table = r2_rights_sterba(result)["mean"]
    drawn = heights(axis)
    order = ["total", "level 1", "level 2 (g)"]
    assert [label.get_text() for label in axis.get_xticklabels()] == order
    for at, of in enumerate(order):
        np.testing.assert_allclose(sorted(drawn[at]), sorted(table.loc[of]), atol=1e-12)
        assert sum(drawn[at]) == pytest.approx(1)


def test_without_centring_the_total_alone_and_why(slopes):
    picture = rights_sterba(slopes)
    (label,) = picture.axes[0].get_xticklabels()
    assert label.get_text() == "total"
    assert "varies on levels 1, 2" in picture.axes[0].get_title()
    assert "\n" not in rights_sterba(slopes, by_level=False).axes[0].get_title()
    with pytest.raises(StatisticError, match="shares by level"):
        rights_sterba(slopes, by_level=True)


@pytest.mark.parametrize("by_level", [True, False])
def test_the_key_has_room(make, frame, by_level):
    x = frame["x"] - frame.groupby("g")["x"].transform("mean")
    name = "a_predictor_of_a_long_name"
    data = frame.assign(**{name: x}).rename(columns={"g": "a_long_grouping"})
    result = make(f"y ~ {name} + w + ({name} | a_long_grouping)", data)
    figure = rights_sterba(result, by_level).figure
    figure.canvas.draw()
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width


def test_slopes_of_two_levels_are_told_apart(make, frame):
    """Of three levels, slopes by the highest of predictors of levels 1 and 2."""
    top = frame["g"] // 4
    x = frame["x"] - frame.groupby("g")["x"].transform("mean")
    w = frame["w"] - frame["w"].groupby(top).transform("mean")
    data = frame.assign(x=x, w=w, top=top)
    result = make("y ~ x + w + (1 | g) + (1 + x + w | top)", data)
    table = r2_rights_sterba(result)["mean"]
    assert table.index.is_unique
    assert isinstance(table, pd.Series)
    drawn = heights(rights_sterba(result).axes[0])
    assert [sum(parts) for parts in drawn.values()] == pytest.approx([1, 1, 1, 1])
    np.testing.assert_allclose(sorted(drawn[0]), sorted(table.loc["total"]), atol=1e-12)


def test_every_source_has_a_colour_of_its_own():
    sources = ["fixed, level 1", "fixed, level 2 (g)", "slopes by g", "intercepts by g"]
    colours = colours_of([*sources, "residual"])
    assert list(colours) == [*sources, "residual"]
    assert len(set(colours.values())) == 5
    assert colours["residual"] == LEFT_OVER
