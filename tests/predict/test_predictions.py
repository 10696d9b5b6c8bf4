"""Predictions: groups, additions, transforms, draws and tables."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.stats

import bayesmlm as mlm
from bayesmlm.errors import DataError, SpecError, StatisticError
from bayesmlm.predict import predict, predictions, predictor

RNG = np.random.default_rng(2)
FRAME = pd.DataFrame(
    {
        "school": np.repeat(["A", "B", "C", "D"], 12),
        "room": np.tile(np.repeat([1, 2, 3], 4), 4),
        "x": RNG.normal(size=48),
        "f": np.tile(["p", "q", "r"], 16),
        "y": RNG.normal(size=48),
        "b": np.tile([0, 1], 24),
        "s": RNG.uniform(0.5, 2, 48),
    }
)
S = 50


def nested(make_result, formula="y ~ x + (x | school) + (1 | school:room)", **more):
    """Return a result of two chains with stated draws."""
    model = mlm.Model(formula, FRAME, **more)
    rng = np.random.default_rng(5)
    design = model.design
    shape = (2, S // 2)
    draws = {
        "beta": rng.normal(size=(*shape, len(design.coef))),
        "sd_school": rng.uniform(0.5, 1.5, (*shape, 2)),
        "corr_school": rng.uniform(-0.5, 0.5, (*shape, 1)),
        "u_school": rng.normal(size=(*shape, 4, 2)),
        "sd_school:room": rng.uniform(0.5, 1, (*shape, 1)),
        "u_school:room": rng.normal(size=(*shape, 12, 1)),
    }
    if design.estimates_scale:
        draws["sigma"] = rng.uniform(1, 2, shape)
    return make_result(model, **draws)


def flat(result, name):
    values = result.posterior[name].to_numpy()
    return values.reshape(S, *values.shape[2:])


def test_a_new_room_in_a_known_school_keeps_the_school(make_result):
    result = nested(make_result)
    new = pd.DataFrame({"school": ["B", "B", "B"], "room": [9, 9, 8], "x": [0.0, 2.0, 0.0]})
    eta = predict(result, new, "new", "linear", replicates=100).array().reshape(3, S, 100)
    school = flat(result, "beta") + flat(result, "u_school")[:, 1]
    slope = school[:, 1:]
    assert eta[1] - eta[0] == pytest.approx(0 * eta[0] + 2 * slope)  # rows of one room share it
    room9, room8 = (eta[[0, 2]] - school[:, :1]) / flat(result, "sd_school:room")
    for drawn in (room9, room8):
        assert scipy.stats.kstest(drawn.ravel(), "norm").pvalue > 0.01
    assert abs(np.corrcoef(room9.ravel(), room8.ravel())[0, 1]) < 3 / np.sqrt(100 * S)


def test_new_effects_have_the_covariance_of_the_draw(make_result):
    result = nested(make_result)
    size = 4000
    new = pd.DataFrame({"school": ["new"] * 2, "x": [0.0, 1.0]})
    groups = {"school": "new", "school:room": "average"}
    eta = predict(result, new, groups, "linear", replicates=size).array().reshape(2, S, size)
    eta -= np.stack([flat(result, "beta")[:, 0], flat(result, "beta").sum(axis=1)])[:, :, None]
    u = np.stack([eta[0], eta[1] - eta[0]])
    for s in range(S):
        found = np.cov(u[:, s])
        sd, corr = flat(result, "sd_school")[s], flat(result, "corr_school")[s, 0]
        truth = np.outer(sd, sd) * np.array([[1, corr], [corr, 1]])
        error = np.sqrt((truth**2 + np.outer(sd, sd) ** 2) / size)
        assert np.all(np.abs(found - truth) < 4.5 * error)


def test_without_data_every_group_is_replaced(make_result):
    result = nested(make_result)
    old = predict(result, kind="linear").array()
    new = predict(result, groups="new", kind="linear").array()
    assert (np.abs(new - old) > 1e-9).all()
    same = result.design.block("school:room").grouping.codes
    one = np.flatnonzero(same == same[0])
    x = FRAME["x"].to_numpy()
    slope = (new[one[1]] - new[one[0]]) / (x[one[1]] - x[one[0]])
    third = new[one[0]] + slope * (x[one[2]] - x[one[0]])
    assert new[one[2]] == pytest.approx(third)


def test_by_grouping(make_result):
    result = nested(make_result)
    found = predict(result, groups={"room": "average"}, kind="linear")
    assert found.treatment == {"school": "existing", "school:room": "average"}
    u = flat(result, "u_school")[:, 2]
    expected = flat(result, "beta") @ [1, FRAME["x"][30]] + u @ [1, FRAME["x"][30]]
    assert found.array()[30] == pytest.approx(expected)


def test_unseen_groups_are_refused_or_drawn_or_left_out(make_result):
    result = nested(make_result)
    new = FRAME.assign(school=["A"] * 40 + ["Z"] * 8)
    with pytest.raises(DataError, match=r"(?s)1 groups of 'school'.*'Z'.*its 4 groups.*\"new\""):
        predict(result, new)
    with pytest.raises(DataError, match=r"(?s)every group of 'school', 'school:room' is one of"):
        predict(result, FRAME, "new")
    found = predict(result, new, "new")
    assert any("school: 1 new groups; 1 known ones keep theirs" in note for note in found.notes)
    with pytest.raises(DataError, match="unknown column 'school'"):
        predict(result, new.drop(columns="school"))
    bare = predict(result, new[["x"]], "average").array()
    assert bare.shape == (48, S)


def test_bad_options(make_result):
    result = nested(make_result)
    with pytest.raises(StatisticError, match=r"(?s)groups: 'exsting' \(did you mean 'existing'"):
        predict(result, groups="exsting")
    with pytest.raises(StatisticError, match=r"(?s)kind: 'prob'.*'mean', 'linear', 'response'"):
        predict(result, kind="prob")
    with pytest.raises(SpecError, match="no effects vary over 'pupil'"):
        predict(result, groups={"pupil": "new"})
    with pytest.raises(StatisticError, match=r"seed=-1"):
        predict(result, seed=-1)
    with pytest.raises(StatisticError, match=r"replicates=0"):
        predict(result, replicates=0)
    with pytest.raises(StatisticError, match=r"probability=95"):
        predict(result).frame(95)


def test_transforms_and_categories_are_those_of_the_fit(make_result):
    result = nested(
        make_result,
        "y ~ within(x, school) + between(x, school) + center(s) + f + (x | school)"
        " + (1 | school:room)",
    )
    new = pd.DataFrame(
        {
            "school": ["A", "new", "new"],
            "room": [1, 1, 2],
            "x": [1.0, 2.0, 4.0],
            "s": [1.0, 1.0, 3.0],
            "f": ["q", "r", "p"],
        }
    )
    of_a = FRAME["x"][FRAME["school"] == "A"].mean()
    s = np.array([1.0, 1.0, 3.0]) - FRAME["s"].mean()
    X = np.column_stack([[1, 1, 1], [1 - of_a, -1, 1], [of_a, 3, 3], s, [1, 0, 0], [0, 1, 0]])
    order = ["Intercept", "within(x, school)", "between(x, school)", "center(s)", "f[T.q]"]
    assert list(result.design.coef) == [*order, "f[T.r]"]
    for data in (new, pl.from_pandas(new)):
        found = predict(result, data, "average", "linear").array()
        assert found == pytest.approx(X @ flat(result, "beta").T)
    with pytest.raises(DataError, match="categories that the training data lack: z"):
        predict(result, new.assign(f="z"), "average")
    with pytest.raises(DataError, match=r"(?s)missing values in x \(1\).*leave these rows out"):
        predict(result, new.assign(x=[np.nan, 1, 2]), "average")


def test_responses_need_what_they_depend_on(make_result):
    result = nested(make_result, "y | se(s) ~ x + (x | school) + (1 | school:room)")
    new = FRAME.drop(columns=["y", "s"])
    assert predict(result, new).array().shape == (48, S)
    with pytest.raises(DataError, match="unknown column 's'"):
        predict(result, new, kind="response")
    drawn = predict(result, new.assign(s=3.0), kind="response", replicates=400).array()
    mean = predict(result, new, replicates=400).array()
    assert (drawn - mean).std() == pytest.approx(3.0, rel=0.01)


def test_the_same_seed_gives_the_same_draws_however_they_are_read(make_result, monkeypatch):
    result = nested(make_result)
    one = predict(result, groups="new", seed=4).array()
    assert np.array_equal(one, predict(result, groups="new", seed=4).array())
    assert not np.array_equal(one, predict(result, groups="new", seed=5).array())
    whole = predict(result, groups="marginal", kind="response", seed=4)
    assert len(np.unique(whole.array())) == 48 * S
    monkeypatch.setattr(predictor, "CHUNK", 7 * S * 2)
    assert np.array_equal(one, predict(result, groups="new", seed=4).array())
    rows = np.concatenate([rows for rows, _ in predict(result).blocks()])
    assert sorted(rows) == list(range(48)) and len(list(predict(result).blocks())) == 7


def test_draws_and_frame(make_result):
    result = nested(make_result)
    found = predict(result, FRAME.iloc[5:9], kind="response", seed=2)
    draws, frame = found.draws(), found.frame(0.8)
    assert draws.dims == ("chain", "draw", "obs") and draws.shape == (2, S // 2, 4)
    flat_draws = draws.to_numpy().reshape(S, 4)
    assert frame["mean"].to_numpy() == pytest.approx(flat_draws.mean(axis=0))
    assert frame["sd"].to_numpy() == pytest.approx(flat_draws.std(axis=0, ddof=1))
    assert frame["lower"].to_numpy() == pytest.approx(np.quantile(flat_draws, 0.1, axis=0))
    assert frame["upper"].to_numpy() == pytest.approx(np.quantile(flat_draws, 0.9, axis=0))
    assert frame.index.tolist() == [0, 1, 2, 3]
    with pytest.warns(mlm.BayesmlmWarning, match="1 of 48 rows dropped"):
        kept = mlm.Model("y ~ x", FRAME.assign(x=[np.nan, *FRAME["x"][1:]]), missing="drop")
    own = make_result(kept, beta=np.zeros((1, 3, 2)), sigma=np.ones((1, 3)))
    assert predict(own).frame().index.tolist() == list(range(1, 48))


def test_categories_have_probabilities(make_result):
    frame = FRAME.assign(y=pd.Categorical(FRAME["f"], ["q", "p", "r"], ordered=True))
    model = mlm.Model("y ~ x + (1 | school)", frame, family="cumulative")
    u = np.zeros((1, 2, 4, 1))
    cuts = np.array([[[-1.0, 0.5], [0.0, 2.0]]])
    given = {"beta": np.zeros((1, 2, 1)), "u_school": u, "sd_school": np.ones((1, 2, 1))}
    result = make_result(model, thresholds=cuts, **given)
    found = predict(result, frame[:2])
    below = scipy.stats.logistic.cdf(cuts[0])
    truth = np.column_stack([below[:, 0], below[:, 1] - below[:, 0], 1 - below[:, 1]])
    second = found.array()[1].transpose()
    assert second == pytest.approx(truth)
    assert found.draws().dims == ("chain", "draw", "obs", "category")
    assert found.draws()["category"].to_numpy().tolist() == ["q", "p", "r"]
    assert found.frame().loc[(1, "p"), "mean"] == pytest.approx(truth[:, 1].mean())
    drawn = predict(result, frame[:2], kind="response", replicates=20_000).array()
    share = [(drawn[0, :20_000] == k).mean() for k in range(3)]
    assert share == pytest.approx(truth[0], abs=5 * 0.5 / np.sqrt(20_000))


def test_a_point_repeats_what_is_random(make_result):
    model = mlm.Model("y ~ x + (1 | school)", FRAME)
    given = {"beta": np.ones((1, 1, 2)), "sigma": np.full((1, 1), 2.0)}
    effects = {"sd_school": np.full((1, 1, 1), 3.0), "u_school": np.ones((1, 1, 4, 1))}
    result = make_result(model, **given, **effects)
    assert predict(result).array().shape == (48, 1)
    assert predict(result).frame().drop(columns="mean").isna().all(axis=None)
    drawn = predict(result, groups="new", kind="response").array()
    assert drawn.shape == (48, predictions.REPLICATES)
    assert drawn.std(axis=1).mean() == pytest.approx(np.sqrt(13), rel=0.05)


def test_impossible_means_are_nan_or_refused(make_result):
    counts = FRAME.assign(y=FRAME["b"] + 1)
    model = mlm.Model("y ~ x", counts, family="poisson", link="sqrt")
    result = make_result(model, beta=np.array([[[1.0, 1.0], [2.0, 0.0]]]))
    found = predict(result, pd.DataFrame({"x": [-2.0, 0.0]}))
    assert np.isnan(found.frame().iloc[0]).all() and found.frame().iloc[1, 0] == 2.5
    with pytest.raises(StatisticError, match="(?s)cannot be drawn.*poisson family has no mean"):
        predict(result, pd.DataFrame({"x": [-2.0, 0.0]}), kind="response").array()


def test_latent_group_means_are_refused(make_result):
    model = mlm.Model("y ~ within(x, school) + latent(x, school) + (1 | school)", FRAME)
    result = make_result(model, beta=np.zeros((1, 2, 3)), sigma=np.ones((1, 2)))
    for data in (None, FRAME):
        with pytest.raises(mlm.UnsupportedError, match=r"(?s)latent\(x, school\) is not observed"):
            predict(result, data, "average")


MANY = """
import resource, sys
import numpy as np, pandas as pd
import bayesmlm as mlm

def peak():
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit

rng = np.random.default_rng(0)
g, x = np.repeat(np.arange(100), 20), rng.normal(size=2000)
b = (rng.logistic(size=2000) + x + rng.normal(size=100)[g] > 0).astype(int)
model = mlm.Model("b ~ x + (x | g)", pd.DataFrame({"g": g, "x": x, "b": b}), family="bernoulli")
fit = model.fit("laplace", seed=1, draws=4000)
fit.predict().frame
print(peak())
for size in (10_000, 1_000_000):
    rows = pd.DataFrame({"g": rng.integers(0, 200, size), "x": rng.normal(size=size)})
    frame = fit.predict(rows, groups="new", kind="mean").frame
    assert frame.shape == (size, 4) and frame.notna().all(axis=None)
    print(peak())
assert "pytensor" not in sys.modules  # nothing was compiled
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no module resource")
def test_a_million_rows_of_four_thousand_draws():
    """32 GB of predictions, half of the rows in new groups, of which a block is held."""
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", MANY], env=environment, capture_output=True, text=True, check=True
    )
    before, small, large = map(float, done.stdout.split())
    assert small - before < 100
    assert large < 800
