import numpy as np
import pandas as pd
import pytest

from bayesmlm.errors import SpecError
from bayesmlm.plots import caterpillar


def test_groups_are_in_order_and_intervals_off_zero_are_counted(slopes):
    (axis,) = caterpillar(slopes, "g", "Intercept").axes
    assert axis.get_title() == "Intercept by g: 6 of 8 intervals exclude 0"
    assert [label.get_text() for label in axis.get_yticklabels()] == list("76543210")
    assert "95 % intervals" in axis.get_xlabel()
    assert axis.get_xlabel().endswith("(y)")


def test_slopes_have_units(slopes):
    (axis,) = caterpillar(slopes, "g", "x").axes
    assert axis.get_xlabel().endswith("(y per unit of x)")


def test_intervals_for_pairs_are_139_sd(slopes):
    from bayesmlm.summaries import ranef

    (axis,) = caterpillar(slopes, "g", "x", pairwise=True).axes
    rows = ranef(slopes, "g").xs("x", level="effect").sort_values("mean")
    drawn = axis.lines[1].get_xdata().reshape(8, 3)
    assert drawn[:, 1] - drawn[:, 0] == pytest.approx(2 * 1.39 * rows["sd"].to_numpy())
    assert "do not overlap differ" in axis.get_title()


def test_labels_of_200_groups_are_thinned_and_not_missing(make):
    data = pd.DataFrame({"g": np.repeat(np.arange(200), 2), "y": np.arange(400.0) % 7})
    (axis,) = caterpillar(make("y ~ 1 + (1 | g)", data), "g").axes
    labels = [label.get_text() for label in axis.get_yticklabels()]
    assert len(set(labels)) == 40
    assert np.all(np.diff(axis.get_yticks()) == 5)


def test_a_maximum_has_points_and_no_intervals(make):
    (axis,) = caterpillar(make("y ~ x + (1 | g)", size=1, chains=1), "g").axes
    assert "estimates at the maximum" in axis.get_xlabel()
    assert len(axis.lines) == 1  # the line at zero


def test_unknown_group_or_effect_is_refused(slopes):
    with pytest.raises(SpecError, match="no effects vary over 'h'"):
        caterpillar(slopes, "h")
    with pytest.raises(SpecError, match="'z' does not vary over 'g'"):
        caterpillar(slopes, "g", "z")
