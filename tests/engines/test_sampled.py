"""Formulas of further parameters and categories, sampled: truth, other models, refusals."""

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from scipy.special import expit

import bayesmlm as mlm
from bayesmlm.errors import BayesmlmWarning, EngineError, SpecError, StatisticError

J, EACH = 40, 25


@pytest.fixture(scope="module")
def location_scale():
    rng = np.random.default_rng(11)
    g = np.repeat(np.arange(J), EACH)
    x = rng.normal(2, 1.5, J * EACH)
    u, v = rng.normal(0, 0.8, J), rng.normal(0, 0.4, J)
    sigma = np.exp(-0.5 + 0.25 * x + v[g])
    data = pd.DataFrame({"y": 1 + 0.5 * x + u[g] + sigma * rng.normal(size=J * EACH)})
    return data.assign(x=x, g=g), v


@pytest.fixture(scope="module")
def fit(location_scale):
    model = mlm.Model("y ~ x + (1 | g); sigma ~ x + (1 | g)", location_scale[0])
    return model.fit(draws=700, tune=500, chains=4, seed=2, progress=False)


def within(draws, truth, width=3.5):
    draws = np.asarray(draws).ravel()
    assert abs(draws.mean() - truth) < width * draws.std(), (draws.mean(), draws.std(), truth)


def test_a_location_scale_model_is_recovered(fit, location_scale):
    posterior = fit.result.posterior
    assert fit.check().ok
    assert not any("graph" in note for note in fit.result.notes)
    for name, truth in {"beta": (1, 0.5), "beta_sigma": (-0.5, 0.25)}.items():
        for k, value in enumerate(truth):
            within(posterior[name][..., k], value)
    within(posterior["sd_g"], 0.8)
    within(posterior["sd_sigma_g"], 0.4)
    drawn = posterior["u_sigma_g"].mean(("chain", "draw")).to_numpy()[:, 0]
    assert np.corrcoef(drawn, location_scale[1])[0, 1] > 0.85
    assert posterior["u_sigma_g"].dims == ("chain", "draw", "g", "sigma_g_effect")
    assert posterior["beta_sigma"].dims == ("chain", "draw", "coef_sigma")


@pytest.mark.slow
def test_a_location_scale_model_by_a_model_written_by_hand(location_scale):
    import pymc as pm

    data = location_scale[0]
    priors = {
        "Intercept": mlm.Normal(0, 5),
        "x": mlm.Normal(0, 2),
        "sd_g": mlm.HalfNormal(2),
        "sigma_Intercept": mlm.Normal(0, 2),
        "sigma_x": mlm.Normal(0, 1),
        "sd_sigma_g": mlm.HalfNormal(1),
    }
    model = mlm.Model("y ~ x + (1 | g); sigma ~ x + (1 | g)", data, priors=priors)
    ours = model.fit(draws=1000, seed=3, progress=False).result.posterior
    with pm.Model():
        b, c = pm.Normal("b", 0, (5, 2)), pm.Normal("c", 0, (2, 1))
        su, sv = pm.HalfNormal("su", 2), pm.HalfNormal("sv", 1)
        u, v = pm.Normal("u", 0, 1, shape=J), pm.Normal("v", 0, 1, shape=J)
        x, g = data["x"].to_numpy(), data["g"].to_numpy()
        scale = pm.math.exp(c[0] + c[1] * x + sv * v[g])
        pm.Normal("y", b[0] + b[1] * x + su * u[g], scale, observed=data["y"])
        tree = pm.sample(1000, random_seed=4, progressbar=False, nuts_sampler="nutpie")
    theirs = tree["posterior"].to_dataset()
    pairs = [(ours["beta"][..., k], theirs["b"][..., k]) for k in (0, 1)]
    pairs += [(ours["beta_sigma"][..., k], theirs["c"][..., k]) for k in (0, 1)]
    pairs += [(ours["sd_g"][..., 0], theirs["su"]), (ours["sd_sigma_g"][..., 0], theirs["sv"])]
    for one, other in pairs:
        one, other = one.to_numpy(), other.to_numpy()
        assert abs(one.mean() - other.mean()) < 0.2 * other.std()
        assert one.std() == pytest.approx(other.std(), rel=0.15)


def test_the_posterior_of_sigma_by_numerical_integration():
    rng = np.random.default_rng(5)
    x = np.tile([0.0, 1.0], 30)
    y = np.exp(0.3 + 0.6 * x) * rng.normal(size=60)
    priors = {
        "Intercept": mlm.Normal(0, 0.001),
        "sigma_Intercept": mlm.Normal(0, 1),
        "sigma_x": mlm.Normal(0, 0.5),
    }
    model = mlm.Model("y ~ 1; sigma ~ x", pd.DataFrame({"y": y, "x": x}), priors=priors)
    drawn = model.fit(draws=2000, seed=1, progress=False).result.posterior["beta_sigma"]
    a, b = np.meshgrid(np.linspace(-1, 2, 301), np.linspace(-1.5, 2, 351), indexing="ij")
    log = scipy.stats.norm.logpdf(a) + scipy.stats.norm.logpdf(b, 0, 0.5)
    for group, slope in ((0.0, 0.0), (1.0, 1.0)):
        own = y[x == group]
        eta = a + slope * b
        log += -len(own) * eta - 0.5 * (own**2).sum() * np.exp(-2 * eta)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    for k, values in enumerate((a, b)):
        mean = (weight * values).sum()
        sd = np.sqrt((weight * (values - mean) ** 2).sum())
        own = drawn[..., k].to_numpy()
        assert own.mean() == pytest.approx(mean, abs=0.1 * sd)
        assert own.std() == pytest.approx(sd, rel=0.06)


def test_zero_inflation_by_row_is_recovered():
    rng = np.random.default_rng(8)
    n = 1500
    x, g = rng.normal(size=n), rng.integers(0, 30, n)
    u = rng.normal(0, 0.6, 30)
    zero = rng.random(n) < expit(-0.7 + 1.1 * x + u[g])
    y = np.where(zero, 0, rng.poisson(np.exp(1.0 + 0.3 * x)))
    data = pd.DataFrame({"y": y, "x": x, "g": g})
    model = mlm.Model("y ~ x; zi ~ x + (1 | g)", data, family="zero_inflated_poisson")
    posterior = model.fit(draws=600, tune=500, seed=2, progress=False).result.posterior
    for name, truth in {"beta": (1.0, 0.3), "beta_zi": (-0.7, 1.1)}.items():
        for k, value in enumerate(truth):
            within(posterior[name][..., k], value)
    within(posterior["sd_zi_g"], 0.6)


def test_graph_and_density_sample_one_posterior(location_scale):
    data = location_scale[0].iloc[: 10 * EACH]
    model = mlm.Model("y ~ x + (1 | g); sigma ~ x + (1 | g)", data)
    options = {"draws": 1500, "tune": 1000, "chains": 4, "progress": False}
    one = model.fit(seed=1, **options).result
    other = model.fit(seed=2, backend="graph", **options).result
    assert "Sampled the PyMC graph: as asked." in other.notes
    assert set(one.posterior) == set(other.posterior)
    for name in ("beta", "beta_sigma", "sd_g", "sd_sigma_g"):
        assert one.posterior[name].dims == other.posterior[name].dims
        a, b = (result.posterior[name].stack(s=("chain", "draw")) for result in (one, other))
        distance = abs(a.mean("s") - b.mean("s")) / b.std("s")
        assert float(distance.max()) < 0.25


REFUSING = ["laplace", "quadrature", "ml", "reml", "npml"]


@pytest.mark.parametrize("engine", REFUSING)
def test_engines_that_integrate_refuse_a_formula_of_sigma(location_scale, engine):
    model = mlm.Model("y ~ x + (1 | g); sigma ~ x", location_scale[0])
    with pytest.raises(EngineError, match='sigma has a formula(?s:.*)next: *fit with "nuts"'):
        model.fit(engine, progress=False)


def test_effects_are_not_integrated_where_sigma_has_a_formula(location_scale):
    model = mlm.Model("y ~ x + (1 | g); sigma ~ x", location_scale[0])
    with pytest.raises(EngineError, match="sigma has a formula"):
        model.fit(random_effects="integrate", progress=False)
    with pytest.raises(EngineError, match="sigma has a formula"):
        model.to_pymc(random_effects="integrate")


def test_a_density_that_cannot_express_the_effects_leaves_them_to_the_graph(location_scale):
    data = location_scale[0].iloc[: 10 * EACH]
    model = mlm.Model("y ~ x; sigma ~ (1 | gr(g, dist='student'))", data)
    with pytest.warns(BayesmlmWarning):
        fit = model.fit(draws=20, tune=20, chains=2, seed=1, progress=False)
    assert "nu_sigma_g" in fit.result.posterior
    assert any("sigma_g are not normal" in note for note in fit.result.notes)


def test_summary_and_tables(fit):
    text = str(fit.summary())
    assert "log(sigma) = t00 + t10*x + w0" in text
    assert "Formula of log(sigma)" in text
    for name in ("sigma_Intercept", "sigma_x", "sd_sigma_g[Intercept]"):
        assert name in text
    assert list(fit.ranef("sigma_g").frame.index.names) == ["sigma_g", "effect"]
    mean = fit.result.posterior["beta_sigma"][..., 0].mean()
    shift = fit.coef("sigma_g").frame["mean"] - fit.ranef("sigma_g").frame["mean"]
    np.testing.assert_allclose(shift, float(mean))
    assert "residual" not in fit.variance_components().frame.index.get_level_values("group")
    assert "log(sigma) = " in fit.equations().estimates.text
    assert "sigma_x" in str(fit.equations())


def test_effects_on_sigma_are_no_effects_on_the_response(fit):
    assert fit.plot.caterpillar("sigma_g")
    assert fit.ranks("sigma_g").frame.shape[0] == J
    assert fit.random_effects("sigma_g", [3]).dims == ("chain", "draw", "g", "sigma_g_effect")
    for draw in (fit.plot.lines, fit.plot.spaghetti, fit.plot.within_between):
        with pytest.raises(SpecError, match="no effects vary over 'sigma_g'"):
            draw("sigma_g")


@pytest.mark.parametrize(
    "statistic", ["icc", "reliability", "shrinkage", "r2", "standard_errors", "anova"]
)
def test_statistics_of_one_residual_variance_are_refused(fit, statistic):
    with pytest.raises(StatisticError, match="sigma"):
        getattr(fit, statistic)()


def test_saved_and_loaded(fit, tmp_path):
    fit.save(tmp_path / "fit.zip")
    loaded = mlm.load(tmp_path / "fit.zip")
    assert loaded.result.spec == fit.result.spec
    assert str(loaded.summary()) == str(fit.summary())
    part, own = loaded.result.design.further[0], fit.result.design.further[0]
    assert (part.parameter, part.link, part.coef) == (own.parameter, own.link, own.coef)
    assert loaded.result.priors == fit.result.priors


def test_new_data_meet_every_formula(fit, location_scale):
    design = fit.result.design
    rows = design.apply(location_scale[0].iloc[:5])
    np.testing.assert_array_equal(rows.further["sigma"].X, design.further[0].X[:5])
    np.testing.assert_array_equal(
        rows.further["sigma"].codes["sigma_g"], design.any_block("sigma_g").grouping.codes[:5]
    )


def test_what_needs_one_parameter_for_all_rows_refuses():
    """Nothing is computed with a sigma that is not there."""
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"x": rng.normal(size=60), "g": np.arange(60) % 6})
    data["y"] = data["x"] + rng.normal(size=60) * np.exp(0.3 * data["x"])
    model = mlm.Model(mlm.formula("y ~ x + (1 | g)", sigma="~ x"), data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmlmWarning)
        fit = model.fit(mlm.NUTS(draws=100, tune=200, chains=2), seed=1)
    for kind in ("mean", "response"):  # these take sigma by row
        assert fit.predict(data.head(2), kind=kind).frame.shape[0] == 2
    for call in (lambda: fit.loo("new group"), fit.icc, fit.reliability):
        with pytest.raises(StatisticError, match="sigma (has|with) a formula"):
            call()


@pytest.fixture(scope="module")
def choices():
    rng = np.random.default_rng(21)
    g = np.repeat(np.arange(30), 30)
    x = rng.normal(size=900)
    u, v = rng.normal(0, 0.8, 30), rng.normal(0, 0.5, 30)
    utility = np.stack([0 * x, 0.5 + x + u[g], -0.3 - 0.5 * x + v[g]], axis=1)
    chosen = np.argmax(utility + rng.gumbel(size=utility.shape), axis=1)
    return pd.DataFrame({"y": np.array(["bus", "car", "walk"])[chosen], "x": x, "g": g})


def test_categories_are_recovered(choices):
    model = mlm.Model("y ~ x + (1 | g)", choices, family="categorical")
    fit = model.fit(draws=800, tune=600, seed=5, progress=False)
    posterior = fit.result.posterior
    assert not any("graph" in note for note in fit.result.notes)
    for name, truth in {"beta_mucar": (0.5, 1.0), "beta_muwalk": (-0.3, -0.5)}.items():
        for k, value in enumerate(truth):
            within(posterior[name][..., k], value)
    within(posterior["sd_mucar_g"], 0.8)
    within(posterior["sd_muwalk_g"], 0.5)
    assert "beta" not in posterior
    rows = ["mucar_Intercept", "mucar_x", "muwalk_Intercept", "muwalk_x"]
    assert list(fit.fixef().frame.index) == rows
    assert "reference category is 'bus'" in str(fit.summary())
    assert "log odds of walk against bus" in str(fit.summary())


def test_categories_by_numerical_integration():
    y = np.repeat(["a", "b", "c"], [12, 5, 23])
    priors = {"Intercept": mlm.Normal(0, 1), "muc_Intercept": mlm.Normal(0.2, 0.7)}
    model = mlm.Model("y ~ 1", pd.DataFrame({"y": y}), family="categorical", priors=priors)
    posterior = model.fit(draws=2000, seed=1, progress=False).result.posterior
    b, c = np.meshgrid(np.linspace(-4, 3, 500), np.linspace(-3, 4, 500), indexing="ij")
    log = 5 * b + 23 * c - 40 * np.log(1 + np.exp(b) + np.exp(c))
    log += scipy.stats.norm.logpdf(b) + scipy.stats.norm.logpdf(c, 0.2, 0.7)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    for name, values in (("beta_mub", b), ("beta_muc", c)):
        mean = (weight * values).sum()
        sd = np.sqrt((weight * (values - mean) ** 2).sum())
        assert float(posterior[name].mean()) == pytest.approx(mean, abs=0.1 * sd)
        assert float(posterior[name].std()) == pytest.approx(sd, rel=0.06)


@pytest.mark.parametrize("engine", [*REFUSING, "pql", "mql"])
def test_engines_that_integrate_refuse_categories(choices, engine):
    model = mlm.Model("y ~ x + (1 | g)", choices, family="categorical")
    with pytest.raises(EngineError, match='next: *fit with "nuts"'):
        model.fit(engine, progress=False)


def test_categories_are_saved_and_loaded(choices, tmp_path):
    model = mlm.Model("y ~ x", choices, family="categorical")
    fit = model.fit(draws=500, tune=500, chains=4, seed=3, progress=False)
    fit.save(tmp_path / "fit.zip")
    loaded = mlm.load(tmp_path / "fit.zip")
    assert loaded.result.design.family == fit.result.design.family
    assert str(loaded.summary()) == str(fit.summary())
