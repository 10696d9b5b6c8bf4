"""NPML: recovery of points, limits, labels, refusals."""

import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import EngineError

A = np.array([-2.0, 0.0, 1.5])
MASS = np.array([0.3, 0.5, 0.2])


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    J, n = 80, 10
    g, x = np.repeat(np.arange(J), n), rng.normal(5, 2, J * n)
    c = rng.choice(3, J, p=MASS)
    slopes = np.array([-0.5, 0.2, 0.3])[c][g]
    frame = pd.DataFrame({"g": g, "x": x, "w": rng.normal(size=J)[g], "c": c[g]})
    noise = rng.normal(0, 0.7, J * n)
    frame["y"] = 3 + A[c][g] + 0.5 * x + 0.3 * frame["w"] + noise
    frame["s"] = frame["y"] + slopes * x
    frame["k"] = rng.binomial(12, 1 / (1 + np.exp(-(A[c][g] + 0.4 * (x - 5)))))
    frame["n"] = 12
    frame["p"] = rng.poisson(np.exp(0.7 + 0.6 * A[c][g] + 0.2 * (x - 5)))
    return frame


def fit(formula, data, family=None, seed=1, **options):
    return mlm.Model(formula, data, family=family).fit(mlm.NPML(**options), seed=seed)


def value(found, name):
    return found.result.posterior[name].to_numpy()[0, 0]


def probabilities(found):
    return found.tree["mixing"]["membership_g"].to_numpy()


CASES = {
    "gaussian": ("y ~ x + w + (1 | g)", 0.5, 1.0),
    "binomial": ("k | trials(n) ~ x + (1 | g)", 0.4, 1.0),
    "poisson": ("p ~ x + (1 | g)", 0.2, 0.6),
}


@pytest.mark.parametrize("family", CASES)
def test_points_and_memberships_are_found(family, data):
    formula, slope, scale = CASES[family]
    found = fit(formula, data, family)
    own = data.groupby("g")["c"].first().to_numpy()
    share = np.bincount(own) / len(own)
    expected = scale * (A - share @ A)
    np.testing.assert_allclose(value(found, "points_g")[:, 0], expected, atol=0.15)
    np.testing.assert_allclose(value(found, "mass_g"), share, atol=0.05)
    member = probabilities(found)
    np.testing.assert_allclose(member.sum(axis=1), 1, rtol=1e-10)
    right = (member.argmax(axis=1) == own).mean()
    assert right == pytest.approx(member.max(axis=1).mean(), abs=0.05) and right > 0.9
    np.testing.assert_allclose(value(found, "u_g"), member @ value(found, "points_g"), rtol=1e-10)
    row = found.fixef().frame.loc["x"]
    assert abs(row["estimate"] - slope) < 4 * row["se"]
    sd = np.sqrt(value(found, "mass_g") @ value(found, "points_g")[:, 0] ** 2)
    assert value(found, "sd_g")[0] == pytest.approx(sd, rel=1e-8)
    assert np.abs(value(found, "mass_g") @ value(found, "points_g")) < 1e-8
    assert found.check().ok


def test_intercepts_and_slopes(data):
    found = fit("s ~ x + w + (x | g)", data)
    points = value(found, "points_g")
    assert points.shape == (3, 2) and (np.diff(points[:, 0]) > 0).all()
    beta = value(found, "beta")
    at = {name: k for k, name in enumerate(found.result.design.coef)}
    np.testing.assert_allclose(points[:, 1] + beta[at["x"]], [0.0, 0.7, 0.8], atol=0.1)
    covariance = (points * value(found, "mass_g")[:, None]).T @ points
    sds = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(value(found, "sd_g"), sds, rtol=1e-8)
    r = covariance[0, 1] / sds.prod()
    assert value(found, "corr_g")[0] == pytest.approx(r, rel=1e-6)
    assert value(found, "sigma") == pytest.approx(0.7, rel=0.06)


def test_points_ascend_whatever_the_seed(data):
    one, two = (fit("y ~ x + (1 | g)", data, seed=seed) for seed in (1, 2))
    assert (np.diff(value(one, "points_g")[:, 0]) > 0).all()
    assert list(one.tree["posterior"]["g_point"].to_numpy()) == [1, 2, 3]
    np.testing.assert_allclose(value(one, "points_g"), value(two, "points_g"), atol=1e-4)
    assert one.log_likelihood == pytest.approx(two.log_likelihood, abs=1e-6)


def test_one_point_is_maximum_likelihood_without_groups(data):
    one = fit("y ~ x + w + (1 | g)", data, points=1)
    least = mlm.Model("y ~ x + w", data).fit("ml")
    assert one.log_likelihood == pytest.approx(least.log_likelihood, abs=1e-6)
    np.testing.assert_allclose(value(one, "beta"), value(least, "beta"), atol=1e-5)
    np.testing.assert_allclose(one.fixef().frame["se"], least.fixef().frame["se"], rtol=1e-4)
    assert value(one, "sd_g")[0] < 1e-6 and one.aic == pytest.approx(least.aic, abs=1e-5)


def test_as_many_points_as_groups_beat_every_normal_distribution():
    """The nonparametric maximum is not below that of any distribution."""
    rng = np.random.default_rng(8)
    g = np.repeat(np.arange(12), 4)
    frame = pd.DataFrame({"g": g, "y": rng.normal(0, 1, 12)[g] + rng.normal(0, 1, 48)})
    sigma = 1.0
    frame["s"] = sigma
    normal = mlm.Model("y | se(s) ~ 1 + (1 | g)", frame).fit("ml")
    found = fit("y | se(s) ~ 1 + (1 | g)", frame, points=12)
    assert found.log_likelihood > normal.log_likelihood
    assert int(found.tree["sample_stats"]["points"]) < 12
    assert found.check().singular and "points differ" in " ".join(found.result.notes)
    assert float(found.tree["sample_stats"]["further"]) < 1e-3


def test_equivariant_in_response_and_predictors(data):
    one = fit("y ~ x + w + (x | g)", data)
    moved = data.assign(y=1e3 * data["y"] - 5e4, x=1e-3 * data["x"] - 0.003)
    two = fit("y ~ x + w + (x | g)", moved)
    n = len(data)
    assert two.log_likelihood == pytest.approx(one.log_likelihood - n * np.log(1e3), abs=1e-4)
    np.testing.assert_allclose(
        two.fixef().frame["se"].loc[["x", "w"]],
        one.fixef().frame["se"].loc[["x", "w"]] * [1e6, 1e3],
        rtol=1e-3,
    )
    np.testing.assert_allclose(probabilities(two), probabilities(one), atol=1e-3)


def test_groups_of_zeros_send_a_point_to_infinity():
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(20), 8)
    frame = pd.DataFrame({"g": g, "k": np.where(g < 8, 0, rng.integers(0, 2, 160))})
    found = fit("k ~ 1 + (1 | g)", frame, "bernoulli", points=2)
    assert "probability 0 or 1" in " ".join(found.result.notes)
    half = -(160 - 64) * np.log(2)  # its maximum is not above that of a fair coin by much
    assert found.log_likelihood > half - 20


def test_priors_are_ignored_and_said_so(data):
    strong = {"x": mlm.Normal(0, 1e-3), "sd": mlm.HalfNormal(1e-3)}
    one = fit("y ~ x + (1 | g)", data)
    two = mlm.Model("y ~ x + (1 | g)", data, priors=strong).fit("npml", seed=1)
    np.testing.assert_array_equal(value(one, "beta"), value(two, "beta"))
    assert "Priors are ignored" in two.result.notes[0] and "priors ignored" in str(mlm.NPML())


BAD = (
    ("y ~ x + (1 | g)", {"points": 81}, r"NPML\(points=81\) of 80 groups"),
    ("y ~ x", {}, "0 groupings"),
    ("y ~ x + (1 | g) + (1 | c)", {}, "2 groupings"),
    ("y ~ x + (x || g)", {}, "independent effects"),
    ("y ~ x + (1 | gr(g, dist='student'))", {}, "whose distribution is student"),
    ("y ~ 1 + (x | g)", {}, "x by g, without a fixed coefficient"),
)


@pytest.mark.parametrize(("formula", "options", "match"), BAD)
def test_models_that_points_do_not_suit(formula, options, match, data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)
        model = mlm.Model(formula, data)
    with pytest.raises(EngineError, match=match):
        model.fit(mlm.NPML(**options))


@pytest.mark.parametrize(
    "options", [{"points": 0}, {"points": 2.0}, {"points": True}, {"starts": -1}]
)
def test_bad_options(options):
    with pytest.raises(EngineError, match=r"NPML\(.*\n.*a whole number from"):
        mlm.NPML(**options)


def test_a_fit_is_saved_and_read(tmp_path, data):
    found = fit("y ~ x + (1 | g)", data)
    found.save(tmp_path / "fit.zip")
    back = mlm.load(tmp_path / "fit.zip")
    for name in ("u_g", "points_g", "mass_g"):
        np.testing.assert_array_equal(value(back, name), value(found, name))
    np.testing.assert_array_equal(probabilities(back), probabilities(found))
    assert str(back.summary()).count("estimates at the maximum") == 1
    assert back.ranef("g").frame.shape[0] == 80
