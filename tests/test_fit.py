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


def with_gaps(frame):
    """Return a model of rows some of which have no response, and where those are."""
    rng = np.random.default_rng(3)
    y = rng.normal(size=len(frame))
    at = np.array([0, 5, *range(18, 24)])  # all of school d, one of b
    y[at] = np.nan
    return mlm.Model("y ~ within(x, school) + (1 | school)", frame.assign(y=y), missing="keep"), at


def test_missing_responses_are_predicted(make_result):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"school": np.repeat(["a", "b", "c", "d"], 6), "x": rng.normal(size=24)})
    model, at = with_gaps(frame)
    assert any("8 of 24 rows have no response" in note for note in model.design.notes)
    given = {"beta": np.ones((1, 900, 2)), "sigma": np.full((1, 900), 0.5)}
    u = np.broadcast_to(np.array([[1.0], [2.0], [3.0]]), (1, 900, 3, 1))
    result = make_result(model, u_school=u, sd_school=np.full((1, 900, 1), 2.0), **given)
    fit = mlm.Fit(result, model._data)
    found = fit.predict("missing", seed=1)
    assert found.draws()["obs"].to_numpy().tolist() == at.tolist()
    centred = frame["x"] - frame.groupby("school")["x"].transform("mean")
    mean = 1 + centred.to_numpy() + np.repeat([1.0, 2, 3, 0], 6)
    assert found.frame["mean"].to_numpy()[:2] == pytest.approx(mean[at][:2])
    assert found.frame["sd"].to_numpy()[:2] == pytest.approx(0)
    assert found.frame["sd"].to_numpy()[2:] == pytest.approx(2, rel=0.1)  # no row of school d
    assert "school: 1 new groups; 1 known ones keep theirs." in found.table.notes
    drawn = fit.predict("missing", kind="response", seed=1)
    assert drawn.frame["sd"].to_numpy()[:2] == pytest.approx(0.5, rel=0.1)
    assert fit.predict().draws()["obs"].to_numpy().tolist() == model.design.positions.tolist()


def test_a_fit_without_missing_responses_has_none_to_predict(fit):
    frame = pd.DataFrame({"g": [1, 1, 2, 2], "y": [1.0, 2, 4, 3]})
    model = mlm.Model("y ~ 1 + (1 | g)", frame)
    with pytest.raises(mlm.StatisticError, match=r"(?s)every row has its response.*\"keep\""):
        mlm.Fit(fit.result, model._data[:, :]).predict("missing")


def test_a_fit_with_missing_responses_is_that_of_the_other_rows():
    frame = pd.DataFrame({"school": np.repeat(["a", "b", "c", "d"], 6), "x": np.arange(24.0)})
    model, at = with_gaps(frame)
    others = mlm.Model(
        "y ~ x_within + (1 | school)",
        model._data.to_native()
        .assign(x_within=frame["x"] - frame.groupby("school")["x"].transform("mean"))
        .drop(index=at)
        .reset_index(drop=True),
    )
    one, two = model.fit("ml"), others.fit("ml")
    assert one.log_likelihood == pytest.approx(two.log_likelihood)
    assert one.fixef().frame["estimate"].tolist() == pytest.approx(
        two.fixef().frame["estimate"].tolist()
    )
    assert np.isfinite(one.predict("missing", "average").frame["mean"]).all()


def test_what_a_prompt_shows_is_short(fit):
    assert repr(fit.check()) == str(fit.check())
    assert repr(fit.plot).startswith("<pictures of a fit: caterpillar, ")
    assert repr(fit.result) == (
        "<bayesmlm.FitResult y ~ 1 + x + (1 + x | school) + (1 | item) by nuts>"
    )
    assert repr(fit.result.design).startswith("<bayesmlm.Design of 24 rows, 2 fixed columns; ")
    assert repr(fit.result.design.levels).startswith("level 1: 24 rows")
