"""R² bars: a bar a definition, and a word where one does not apply."""

import numpy as np
import pytest

from bayesmlm.errors import StatisticError
from bayesmlm.plots.r2 import HALF, bars, r2
from bayesmlm.summaries.r2_nakagawa import r2_nakagawa


def corners(axis):
    """Return (left, right, bottom, top) of every bar, from the top row down."""
    boxes = [polygon.get_paths()[0].get_extents() for polygon in axis.collections]
    return sorted(((b.x0, b.x1, b.y0, b.y1) for b in boxes), key=lambda box: -box[2])


def test_bars_end_at_the_statistics(make):
    result = make("y ~ x + w + (1 | g)")
    axis = r2(result, 0.9).axes[0]
    names = [label.get_text() for label in axis.get_yticklabels()]
    assert names[:2] == ["Nakagawa & Schielzeth: marginal", "Nakagawa & Schielzeth: conditional"]
    frame = r2_nakagawa(result, 0.9)
    drawn = corners(axis)
    assert len(drawn) == len(names) == 7
    for row, (_, right, bottom, top) in zip(("marginal", "conditional"), drawn, strict=False):
        assert right == pytest.approx(frame.loc[row, "mean"])
        assert top - bottom == pytest.approx(2 * HALF)
    line = axis.lines[0].get_xdata()
    np.testing.assert_allclose(line, frame.loc["marginal", ["lower", "upper"]].to_numpy(float))
    assert "90 % interval" in axis.get_xlabel()


def test_a_definition_that_does_not_apply_is_named(slopes):
    names = [label.get_text() for label in r2(slopes).axes[0].get_yticklabels()]
    assert names[-1] == "Snijders & Bosker: not defined here"
    (bar,) = bars(slopes, "snijders-bosker", 0.95)
    assert not bar.is_defined


def test_a_maximum_has_bars_without_intervals(make):
    picture = r2(make("y ~ x + (1 | g)", size=1, chains=1))
    assert picture.axes[0].get_xlabel() == "R², at the maximum"


def test_no_definition_no_picture(make):
    with pytest.raises(StatisticError, match="no definition of R² applies"):
        r2(make("y ~ x + latent(x, g) + (1 | g)"))
