import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import SpecError
from bayesmlm.plots import caterpillar


@pytest.fixture
def result(make_result):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": np.repeat(np.arange(8), 6), "x": rng.normal(size=48)})
    frame["y"] = rng.normal(size=48)
    model = mlm.Model("y ~ x + (x | g)", frame)
    centres = np.linspace(3, -3, 8)[:, None] * [1, 0.1]
    return make_result(model, u_g=centres + 0.3 * rng.normal(size=(2, 400, 8, 2)))


def test_groups_are_in_order_and_intervals_off_zero_are_counted(result):
    figure = caterpillar(result, "g", "Intercept")
    (axis,) = figure.axes
    assert axis.get_title() == "Intercept by g: 6 of 8 intervals exclude 0"
    assert [label.get_text() for label in axis.get_yticklabels()] == list("76543210")
    assert "95 % intervals" in axis.get_xlabel()


def test_all_effects_side_by_side(result, tmp_path):
    figure = caterpillar(result, "g")
    assert len(figure.axes) == 2
    figure.savefig(tmp_path / "effects.png")
    assert (tmp_path / "effects.png").stat().st_size > 5000


def test_unknown_group_or_effect_is_refused(result):
    with pytest.raises(SpecError, match="no effects vary over 'h'"):
        caterpillar(result, "h")
    with pytest.raises(SpecError, match="'z' does not vary over 'g'"):
        caterpillar(result, "g", "z")
