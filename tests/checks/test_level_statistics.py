"""The statistics of each level against formulas written out, group by group."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmlm as mlm
from bayesmlm.checks.level_statistics import LevelStatistics, Statistic
from bayesmlm.checks.residuals import Moments, binary, residuals_of

RNG = np.random.default_rng(3)
SIZES = [4, 6, 5, 9, 7, 8]
N = sum(SIZES)
DATA = pd.DataFrame({"g": np.repeat(np.arange(6), SIZES), "x": RNG.normal(size=N)})
DATA["h"] = np.arange(N) % 5
DATA["w"] = RNG.normal(size=6)[DATA["g"]]
DATA["y"] = DATA["x"] + RNG.normal(size=6)[DATA["g"]] + RNG.normal(size=N)
DATA["b"] = (DATA["y"] > 0).astype(int)


def statistics(formula="y ~ x + w + (1 | g)", **options):
    design = mlm.Model(formula, DATA, **options).design
    moments = Moments()
    moments.add(design.y + RNG.normal(size=(50, N)))
    return LevelStatistics(design, residuals_of(design, moments))


def of_data(found):
    """Return the statistics of the data, groups' means and slopes as they are."""
    ones = [np.ones(used.sum()) for used in (shape.used for shape in found.shapes)]
    zeros = [0 * one for one in ones]
    values = found.values(np.stack([found.design.y, 2 * found.design.y]), zeros, ones)
    return dict(zip(found.listed, values.T, strict=True))


@pytest.fixture(scope="module")
def own():
    return of_data(statistics())


def residuals():
    X = np.column_stack([np.ones(N), DATA["x"], DATA["w"]])
    return DATA["y"] - X @ np.linalg.lstsq(X, DATA["y"])[0]


def test_which_statistics(own):
    assert [(s.level, s.what, s.of) for s in own] == [
        (1, "skewness", ""),
        (1, "kurtosis", ""),
        (1, "spread", ""),
        (2, "sd", ""),
        (2, "bimodality", "Intercept"),
        (2, "extreme", "Intercept"),
        (2, "slope", "x"),  # w does not vary within groups
    ]


def test_level_one(own):
    e = residuals()
    inside = e - e.groupby(DATA["g"]).transform("mean")
    assert own[Statistic(1, "", "skewness", tails="both")][0] == pytest.approx(stats.skew(inside))
    expected = stats.kurtosis(inside, fisher=False)
    assert own[Statistic(1, "", "kurtosis", tails="both")][0] == pytest.approx(expected)
    # Bartlett's statistic less its correction
    parts = [own_e.to_numpy() for _, own_e in e.groupby(DATA["g"])]
    free = np.array(SIZES) - 1
    correction = 1 + ((1 / free).sum() - 1 / free.sum()) / (3 * 5)
    expected = stats.bartlett(*parts).statistic * correction
    assert own[Statistic(1, "g", "spread")][0] == pytest.approx(expected)


def test_level_two(own):
    means = residuals().groupby(DATA["g"]).mean()
    assert own[Statistic(2, "g", "sd", tails="both")][0] == pytest.approx(means.std(ddof=0))
    expected = (stats.skew(means) ** 2 + 1) / stats.kurtosis(means, fisher=False)
    assert own[Statistic(2, "g", "bimodality", "Intercept")][0] == pytest.approx(expected)
    far = (means - means.mean()).abs().max() / means.std(ddof=0)
    assert own[Statistic(2, "g", "extreme", "Intercept")][0] == pytest.approx(far)


def test_the_slopes_are_those_of_the_analysis_of_covariance(own):
    """The F of separate slopes against one slope, both with an intercept a group."""
    dummies = (DATA["g"].to_numpy()[:, None] == np.arange(6)).astype(float)
    x, y = DATA["x"].to_numpy(), DATA["y"].to_numpy()

    def left(columns):
        return float(((y - columns @ np.linalg.lstsq(columns, y)[0]) ** 2).sum())

    separate = left(np.column_stack([dummies, dummies * x[:, None]]))
    common = left(np.column_stack([dummies, x]))
    expected = (common - separate) / separate
    assert own[Statistic(2, "g", "slope", "x")][0] == pytest.approx(expected)


def test_units_of_the_response_matter_to_the_sd_alone(own):
    for statistic, (one, two) in own.items():
        assert two == pytest.approx(2 * one if statistic.what == "sd" else one)


def test_slopes_in_the_model_have_their_shape_and_no_test():
    found = of_data(statistics("y ~ x + w + (x | g)"))
    asked = [(s.what, s.of) for s in found if s.level == 2]
    assert ("bimodality", "x") in asked and ("slope", "x") not in asked


def test_crossed_groupings_each_have_their_own():
    found = of_data(statistics("y ~ x + (1 | g) + (1 | h)"))
    assert {s.group for s in found if s.what == "slope"} == {"g", "h"}
    # after the sweeps nothing of either grouping is left in the residuals of level 1
    own = statistics("y ~ x + (1 | g) + (1 | h)")
    R = own.residuals(own.design.y[None])
    for _ in range(50):
        for sums in own.sums:
            R = sums.without_fit(R)
    skew = found[Statistic(1, "", "skewness", tails="both")][0]
    assert skew == pytest.approx(stats.skew(R[0]), abs=0.02)


def test_a_binary_response_has_no_checks_of_rows():
    found = statistics("b ~ x + (1 | g)", family="bernoulli")
    assert binary(found.design)
    assert {s.level for s in found.listed} == {2}
    trials = statistics("b | trials(2) ~ x + (1 | g)", family="binomial")
    assert not binary(trials.design)


def test_moments_are_those_of_all_batches():
    values = RNG.normal(5, 3, (70, 4))
    moments = Moments()
    for part in np.split(values, [1, 20, 65]):
        moments.add(part)
    assert moments.mean == pytest.approx(values.mean(axis=0))
    assert moments.sd == pytest.approx(values.std(axis=0))
