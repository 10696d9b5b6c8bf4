import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import SpecError


@pytest.fixture
def fit(make_result):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "school": np.repeat(["a", "b", "c", "d"], 6),
            "item": np.tile([1, 2, 3], 8),
            "x": rng.normal(size=24),
            "y": rng.normal(size=24),
        }
    )
    model = mlm.Model("y ~ x + (x | school) + (1 | item)", frame)

    def positive(*shape):
        return rng.uniform(1, 2, size=(4, 500, *shape))

    return mlm.Fit(
        make_result(
            model,
            beta=rng.normal(size=(4, 500, 2)),
            sd_school=positive(2),
            corr_school=rng.uniform(-0.5, 0.5, size=(4, 500, 1)),
            u_school=rng.normal(size=(4, 500, 4, 2)),
            sd_item=positive(1),
            u_item=rng.normal(size=(4, 500, 3, 1)),
            sigma=positive(),
        )
    )


def test_summary_holds_the_tables_the_levels_and_the_check(fit):
    text = str(fit.summary())
    for piece in (
        "Fixed effects (95 % intervals)",
        "Variance components (95 % intervals)",
        "level 2: school, 4 groups of 6",
        "school and item are crossed",
        "Converged",
        "seed 1",
    ):
        assert piece in text
    assert str(fit) == text


def test_html_of_the_summary_has_every_table(fit):
    html = fit._repr_html_()
    assert html.count("<table>") == 2
    assert "sd_school" not in html


def test_tables_hold_unrounded_frames(fit):
    assert fit.fixef().frame.loc["x", "mean"] == pytest.approx(
        float(fit.tree["posterior"]["beta"].sel(coef="x").mean())
    )
    assert fit.ranef("school").frame.shape[0] == 8
    assert fit.coef("item").frame.index.names == ["item", "effect"]
    assert list(fit.icc().frame.index) == ["school", "item"]
    assert fit.corr("school").frame.shape == (2, 2)


def test_intervals_follow_the_probability_asked(fit):
    wide, narrow = fit.fixef(0.95).frame, fit.fixef(0.5).frame
    assert (narrow["upper"] < wide["upper"]).all()
    assert "50 % intervals" in str(fit.fixef(0.5))


def test_the_group_must_be_named_where_there_are_several(fit):
    with pytest.raises(SpecError, match="no group named, in a model with 2 groupings"):
        fit.ranef()
    with pytest.raises(SpecError, match="no effects vary over 'class'"):
        fit.ranef("class")


def test_pictures_hang_on_the_fit(fit):
    figure = fit.plot.caterpillar("school", "x")
    assert figure.axes[0].get_title().startswith("x by school")


def test_repr_is_one_line(fit):
    assert repr(fit) == (
        "<bayesmlm.Fit y ~ 1 + x + (1 + x | school) + (1 | item) by nuts, converged>"
    )


def test_arviz_takes_the_tree(fit):
    import arviz_stats

    table = arviz_stats.summary(fit.tree, var_names=["beta", "sigma"])
    assert len(table) == 3
