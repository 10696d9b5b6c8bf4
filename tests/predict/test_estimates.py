"""Average predictions, comparisons and slopes against arithmetic on the draws."""

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
from bayesmlm.errors import DataError, StatisticError
from bayesmlm.predict import predictor

RNG = np.random.default_rng(9)
N, S, J = 60, 40, 6
FRAME = pd.DataFrame(
    {
        "g": np.repeat(np.arange(J), N // J),
        "x": RNG.normal(size=N),
        "c": np.tile(["lo", "mid", "hi"], N // 3),
        "t": np.tile([0, 0, 1, 1, 0, 1], N // 6),
        "flag": np.tile([True, False], N // 2),
    }
)
FRAME["c"] = pd.Categorical(FRAME["c"], ["lo", "mid", "hi"])
FRAME["b"] = RNG.integers(0, 2, N)
FRAME["y"] = RNG.normal(size=N)


@pytest.fixture
def fit(make_result):
    def of(formula, family="gaussian", link=None, data=FRAME):
        model = mlm.Model(formula, data, family=family, link=link)
        rng, design = np.random.default_rng(1), model.design
        shape = (2, S // 2)
        q = len(design.random[0].effects)
        draws = {
            "beta": rng.normal(0, 0.7, (*shape, len(design.coef))),
            "sd_g": rng.uniform(0.5, 1.5, (*shape, q)),
            "u_g": rng.normal(size=(*shape, J, q)),
        }
        draws |= {"corr_g": np.zeros((*shape, 1))} if q > 1 else {}
        draws |= {"sigma": np.ones(shape)} if design.estimates_scale else {}
        return mlm.Fit(make_result(model, **draws), model._data)

    return of


def flat(fit, name):
    values = fit.tree["posterior"][name].to_numpy()
    return values.reshape(S, *values.shape[2:])


def beta(fit, coefficient):
    return flat(fit, "beta")[:, list(fit.result.design.coef).index(coefficient)]


def estimates(effect):
    return effect.draws().to_numpy().reshape(S, -1)


def test_linear_models_return_coefficients(fit):
    own = fit("y ~ x*t + c + (1 | g)")
    slope = beta(own, "x") + beta(own, "x:t") * FRAME["t"].mean()
    assert estimates(own.avg_slopes("x"))[:, 0] == pytest.approx(slope)
    assert estimates(own.avg_comparisons({"x": 5}))[:, 0] == pytest.approx(5 * slope)
    sd, width = FRAME["x"].std(), np.ptp(FRAME["x"])
    assert estimates(own.avg_comparisons({"x": "sd"}))[:, 0] == pytest.approx(sd * slope)
    assert estimates(own.avg_comparisons({"x": "minmax"}))[:, 0] == pytest.approx(width * slope)
    frame = own.avg_comparisons("c").frame
    assert frame.index.tolist() == [("c", "mid - lo"), ("c", "hi - lo")]
    assert frame["mean"].tolist() == pytest.approx(
        [beta(own, "c[T.mid]").mean(), beta(own, "c[T.hi]").mean()]
    )
    pairs = own.avg_comparisons({"c": "pairwise"})
    assert [at[1] for at in pairs.frame.index] == ["mid - lo", "hi - lo", "hi - mid"]
    hi_mid = beta(own, "c[T.hi]") - beta(own, "c[T.mid]")
    assert estimates(pairs)[:, 2] == pytest.approx(hi_mid)
    steps = own.avg_comparisons({"c": "sequential"}).frame
    assert [at[1] for at in steps.index] == ["mid - lo", "hi - mid"]
    one = own.avg_comparisons({"c": ("hi", "mid")})
    assert estimates(one)[:, 0] == pytest.approx(-hi_mid)


def test_numbers_of_0_and_1_and_booleans_are_switched(fit):
    own = fit("y ~ t + flag + (1 | g)")
    frame = own.avg_comparisons().frame
    assert frame.index.tolist() == [("t", "1 - 0"), ("flag", "True - False")]
    assert frame["mean"].tolist() == pytest.approx(
        [beta(own, "t").mean(), beta(own, "flag").mean()]
    )


def logistic(fit, x):
    u = flat(fit, "u_g")[:, FRAME["g"]]
    eta = flat(fit, "beta") @ np.stack([np.ones(N), x]) + u[:, :, 0] + u[:, :, 1] * x
    return scipy.stats.logistic.cdf(eta)


def test_averages_of_a_logistic_model(fit):
    own, x = fit("b ~ x + (x | g)", "bernoulli"), FRAME["x"].to_numpy()
    p, moved = logistic(own, x), logistic(own, x + 1)
    assert estimates(own.avg_predictions())[:, 0] == pytest.approx(p.mean(axis=1))
    assert estimates(own.avg_comparisons())[:, 0] == pytest.approx((moved - p).mean(axis=1))
    slope = (flat(own, "beta")[:, 1:] + flat(own, "u_g")[:, FRAME["g"], 1]) * p * (1 - p)
    assert estimates(own.avg_slopes())[:, 0] == pytest.approx(slope.mean(axis=1), abs=1e-8)
    ratio = moved.mean(axis=1) / p.mean(axis=1)
    assert estimates(own.avg_comparisons(compare="ratio"))[:, 0] == pytest.approx(ratio)
    found = own.avg_comparisons(compare="log_ratio")
    assert estimates(found)[:, 0] == pytest.approx(np.log(ratio))
    by = own.avg_predictions(by="c")
    shares = [p[:, (FRAME["c"] == level).to_numpy()].mean() for level in ("hi", "lo", "mid")]
    assert by.frame.index.tolist() == ["hi", "lo", "mid"]
    assert by.frame["mean"].tolist() == pytest.approx(shares)
    two = own.avg_comparisons(by=["t", "flag"])
    chosen = ((FRAME["t"] == 1) & FRAME["flag"]).to_numpy()
    expected = (moved - p)[:, chosen].mean()
    assert two.frame.loc[("x", "+1", 1, True), "mean"] == pytest.approx(expected)


def test_rows_one_by_one(fit):
    own, x = fit("b ~ x + (x | g)", "bernoulli"), FRAME["x"].to_numpy()
    p, moved = logistic(own, x), logistic(own, x + 1)
    frame = own.comparisons(probability=0.5).frame
    assert frame.index.names == ["term", "contrast", "obs"] and len(frame) == N
    assert frame["mean"].to_numpy() == pytest.approx((moved - p).mean(axis=0))
    assert frame["upper"].to_numpy() == pytest.approx(np.quantile(moved - p, 0.75, axis=0))
    assert own.predictions().frame["mean"].to_numpy() == pytest.approx(p.mean(axis=0))
    odds = own.comparisons(compare="log_odds_ratio").frame["mean"]
    slopes = (flat(own, "beta")[:, 1:] + flat(own, "u_g")[:, FRAME["g"], 1]).mean(axis=0)
    assert odds.to_numpy() == pytest.approx(slopes, rel=1e-9)
    with pytest.raises(StatisticError, match="draws of estimates of every row"):
        own.comparisons().draws()


def test_the_marginal_slope_of_a_probit_in_closed_form(fit):
    own, x = fit("b ~ x + (1 | g)", "bernoulli", "probit"), FRAME["x"].to_numpy()
    scale = np.sqrt(1 + flat(own, "sd_g") ** 2)
    b = flat(own, "beta") / scale
    density = scipy.stats.norm.pdf(b @ np.stack([np.ones(N), x]))
    found = estimates(own.avg_slopes(groups="marginal"))[:, 0]
    assert found == pytest.approx((density * b[:, 1:]).mean(axis=1), rel=1e-6)
    conditional = scipy.stats.norm.pdf(flat(own, "beta") @ np.stack([np.ones(N), x]))
    zero = estimates(own.avg_slopes(groups="average"))[:, 0]
    expected = (conditional * flat(own, "beta")[:, 1:]).mean(axis=1)
    assert zero == pytest.approx(expected, rel=1e-6)


def test_a_changed_predictor_keeps_the_group_means_of_the_fit(fit):
    own = fit("y ~ within(x, g) + between(x, g) + (1 | g)")
    found = estimates(own.avg_slopes("x"))[:, 0]
    assert found == pytest.approx(beta(own, "within(x, g)"))


def test_new_groups_of_the_fits_own_rows(fit):
    own = fit("b ~ x + (1 | g)", "bernoulli")
    drawn = own.avg_predictions(groups="new", replicates=300, seed=2).draws()
    truth = estimates(own.avg_predictions(groups="marginal"))[:, 0]
    by_draw = drawn.to_numpy().reshape(S, 300)
    error = by_draw.std(axis=1) / np.sqrt(300)
    assert np.abs((by_draw.mean(axis=1) - truth) / error).max() < 4.5


def test_a_million_numbers_are_read_in_pieces(fit, monkeypatch):
    own = fit("b ~ x + c + (x | g)", "bernoulli")
    whole = [own.avg_comparisons(by="t").frame, own.comparisons("c").frame]
    monkeypatch.setattr(predictor, "CHUNK", 7 * S * 2)
    pieces = [own.avg_comparisons(by="t").frame, own.comparisons("c").frame]
    for one, other in zip(whole, pieces, strict=True):
        pd.testing.assert_frame_equal(one, other, rtol=1e-12)


def test_probabilities_of_categories(make_result):
    frame = FRAME.assign(y=pd.Categorical(FRAME["c"], ["lo", "mid", "hi"], ordered=True))
    model = mlm.Model("y ~ x + (1 | g)", frame, family="cumulative")
    given = {"beta": np.full((1, 2, 1), 0.8), "thresholds": np.array([[[-1.0, 1.0]] * 2])}
    effects = {"sd_g": np.ones((1, 2, 1)), "u_g": np.zeros((1, 2, J, 1))}
    own = mlm.Fit(make_result(model, **given, **effects), model._data)
    table = own.avg_comparisons("x").frame
    assert table.index.names == ["term", "contrast", "category"]
    cdf, x = scipy.stats.logistic.cdf, FRAME["x"].to_numpy()
    low = (cdf(-1 - 0.8 * (x + 1)) - cdf(-1 - 0.8 * x)).mean()
    assert table.loc[("x", "+1", "lo"), "mean"] == pytest.approx(low)
    assert table["mean"].sum() == pytest.approx(0, abs=1e-12)


def test_polars_rows_and_grids(fit):
    own = fit("y ~ x + c + t + (1 | g)")
    new = pl.from_pandas(FRAME[["x", "c", "t"]].astype({"c": str}))
    found = own.avg_comparisons("c", new, groups="average").frame["mean"]
    assert found.tolist() == pytest.approx(own.avg_comparisons("c").frame["mean"].tolist())
    grid = own.datagrid(x=[-1, 0, 1], c=["lo", "hi"])
    assert len(grid) == 6 and set(grid["t"]) == {0.5} and set(grid["g"]) == {0}
    frame = own.predictions(grid, by=["x"], groups="average").frame
    level = beta(own, "Intercept") + beta(own, "t") / 2 + beta(own, "c[T.hi]") / 2
    assert frame.loc[1, "mean"] == pytest.approx((level + beta(own, "x")).mean())


def test_refusals(fit):
    own = fit("y ~ x + c + (1 | g)")
    with pytest.raises(StatisticError, match=r"(?s)'g' is no predictor.*x, c.*not a term or a gro"):
        own.comparisons("g")
    with pytest.raises(
        StatisticError, match=r"(?s)slopes of 'c', which have categories.*comparisons of"
    ):
        own.slopes(["x", "c"])
    with pytest.raises(StatisticError, match=r"(?s)'c' changed by 'top'.*two of 'lo', 'mid', 'hi'"):
        own.comparisons({"c": "top"})
    with pytest.raises(StatisticError, match=r"'x' changed by 'reference'"):
        own.comparisons({"x": "reference"})
    with pytest.raises(StatisticError, match=r"(?s)compare: 'rato' \(did you mean 'ratio'"):
        own.comparisons(compare="rato")
    with pytest.raises(StatisticError, match=r"(?s)compare: 'log_odds_ratio'.*'log_ratio'\n"):
        own.comparisons(compare="log_odds_ratio")
    for ask in (own.slopes, own.predictions, lambda **more: own.comparisons(kind="linear", **more)):
        with pytest.raises(StatisticError, match=r"compare: 'ratio'\n  allowed: 'difference'\n"):
            ask(compare="ratio")
    with pytest.raises(StatisticError, match="kind: 'response'"):
        own.comparisons(kind="response")
    with pytest.raises(DataError, match="unknown column 'region'"):
        own.avg_predictions(by="region")
    with pytest.raises(StatisticError, match="which the model does not use"):
        own.datagrid(z=1)
    with pytest.raises(StatisticError, match="without predictors"):
        fit("y ~ 1 + (1 | g)").comparisons()
    with pytest.raises(StatisticError, match="slopes of a model without predictors"):
        fit("y ~ 1 + (1 | g)").slopes()


def test_a_loaded_fit_needs_the_data(fit):
    own = mlm.Fit(fit("y ~ x + (1 | g)").result)
    with pytest.raises(StatisticError, match="(?s)loaded from a file.*pass data="):
        own.avg_comparisons()
    assert own.avg_comparisons("x", FRAME).frame.shape == (1, 4)


MANY = """
import resource, sys
import numpy as np, pandas as pd
import bayesmlm as mlm

def peak():
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit

rng = np.random.default_rng(0)
g, x = np.repeat(np.arange(50), 20), rng.normal(size=1000)
n = rng.poisson(np.exp(0.5 * x + rng.normal(0, 0.3, size=50)[g]))
model = mlm.Model("n ~ x + (1 | g)", pd.DataFrame({"g": g, "x": x, "n": n}), family="poisson")
fit = model.fit("laplace", seed=1, draws=4000)
for size in (5_000, 100_000):
    rows = {"g": rng.integers(0, 50, size), "x": rng.normal(size=size), "s": np.arange(size) % 5}
    assert fit.avg_comparisons("x", pd.DataFrame(rows), by="s").frame.notna().all(axis=None)
    print(peak())
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no module resource")
def test_comparisons_hold_no_array_of_rows_and_draws():
    """100,000 rows of 4,000 draws twice: 6.4 GB, of which blocks are held."""
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", MANY], env=environment, capture_output=True, text=True, check=True
    )
    small, large = map(float, done.stdout.split())
    assert large - small < 100
