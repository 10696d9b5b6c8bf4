"""Replicated responses against the laws they come from."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmlm as mlm
from bayesmlm.errors import EngineError, StatisticError
from bayesmlm.families import family as family_of

RNG = np.random.default_rng(5)
J, n = 8, 6
N = J * n
DATA = pd.DataFrame({"g": np.repeat(np.arange(J), n), "x": RNG.normal(1, 1, N)})
DATA["t"] = RNG.integers(2, 9, N)
DATA["y"] = 1 + RNG.normal(size=J)[DATA["g"]] + RNG.normal(size=N)
DATA["k"] = DATA["t"] // 2
DATA["p"] = RNG.uniform(0.1, 0.9, N)
DATA["pos"] = np.exp(DATA["y"] / 2)
DATA["b"] = np.where(np.arange(N) % 2 == 1, "yes", "no")
DATA["o"] = pd.Categorical.from_codes(np.arange(N) % 3, ["low", "mid", "high"], ordered=True)
VALUES = {"Intercept": 1.0, "x": 0.5, "sd_g[Intercept]": 2.0, "sd_g[x]": 0.3, "corr_g": 0.6}

FAMILIES = [
    ("y ~ x + (1 | g)", "gaussian"),
    ("y ~ x + (1 | g)", "student"),
    ("pos ~ x + (1 | g)", "lognormal"),
    ("pos ~ x + (1 | g)", "gamma"),
    ("p ~ x + (1 | g)", "beta"),
    ("b ~ x + (1 | g)", "bernoulli"),
    ("k | trials(t) ~ x + (1 | g)", "binomial"),
    ("k | trials(t) ~ x + (1 | g)", "beta_binomial"),
    ("k ~ x + (1 | g)", "poisson"),
    ("k ~ x + (1 | g)", "negbinomial"),
    ("k ~ x + (1 | g)", "zero_inflated_poisson"),
    ("k ~ x + (1 | g)", "zero_inflated_negbinomial"),
    ("k ~ x + (1 | g)", "hurdle_poisson"),
    ("k ~ x + (1 | g)", "hurdle_negbinomial"),
    ("o ~ x + (1 | g)", "cumulative"),
]
NARROW = {"sd": mlm.HalfNormal(0.3), "slopes": mlm.Normal(0, 0.1), "Intercept": mlm.Normal(0, 0.5)}


@pytest.fixture(scope="module")
def fit():
    return mlm.Model("y ~ x + (1 | g)", DATA).fit("laplace", seed=1, draws=400)


@pytest.mark.parametrize(("formula", "family"), FAMILIES, ids=[f for _, f in FAMILIES])
def test_every_family_from_its_priors(formula, family):
    priors = {k: v for k, v in NARROW.items() if family != "cumulative" or k != "Intercept"}
    further = {parameter.name for parameter in family_of(family).further}
    # the wide defaults draw shapes under which a positive response underflows to zero
    priors |= dict.fromkeys({"shape", "phi"} & further, mlm.Gamma(16, 2))
    model = mlm.Model(formula, DATA, family=family, priors=priors)
    found = model.simulate(draws=200, seed=3)
    y = found.responses.to_numpy()
    assert y.shape == (200, N)
    rows = model.design.outcome.rows
    assert all(model.design.family.supports(each, rows).all() for each in y)
    # the mean of the responses given everything behind them is the family's mean
    data, family = found.dataset, model.design.family
    eta = data["beta"].to_numpy() @ model.design.X.T
    eta += data["u_g"].to_numpy()[:, DATA["g"], 0]
    others = {p.name: data[p.name].to_numpy() for p in model.design.parameters}
    total, variance = 0.0, 0.0
    for s in range(200):
        own = {name: values[s] for name, values in others.items()}
        spread = family.variance(eta[s], own, rows)
        usable = np.isfinite(spread) & (spread < 1e6)  # heavy tails have no variance
        share = y[s] / rows["trials"] if "trials" in rows else y[s]
        total += (share - family.mean(eta[s], own, rows))[usable].sum()
        variance += spread[usable].sum()
    assert abs(total) < 4 * np.sqrt(variance)


def test_given_parameters_have_the_marginal_covariance():
    model = mlm.Model("y ~ x + (x | g)", DATA)
    values = VALUES | {"sigma": 0.7}
    y = model.simulate(values, draws=20_000, seed=2).responses.to_numpy()
    X = model.design.X
    T = np.array([[4.0, 0.36], [0.36, 0.09]])
    own = DATA["g"].to_numpy() == 0
    V = X[own] @ T @ X[own].T + 0.49 * np.eye(n)
    mean = X @ [1.0, 0.5]
    se = np.sqrt(np.diag(V) / 20_000)
    assert (np.abs(y[:, own].mean(axis=0) - mean[own]) < 4 * se).all()
    S = np.cov(y[:, own].T)
    spread = np.sqrt((np.outer(np.diag(V), np.diag(V)) + V**2) / 20_000)
    assert (np.abs(S - V) < 4.5 * spread).all()


def test_the_fits_own_groups(fit):
    model = mlm.Model("y ~ x + (1 | g)", DATA)
    found = model.simulate(fit, draws=400, seed=1)
    kept = fit.random_effects("g").to_numpy()[0, :, :, 0]
    assert np.sort(found.dataset["u_g"].to_numpy()[:, 2, 0]) == pytest.approx(np.sort(kept[:, 2]))
    # effects stay with their parameters
    beta = fit.tree["posterior"]["beta"].to_numpy()[0]
    pair = (found.dataset["beta"].to_numpy()[9, 0], found.dataset["u_g"].to_numpy()[9, 2, 0])
    at = int(np.argmin(np.abs(beta[:, 0] - pair[0])))
    assert (beta[at, 0], kept[at, 2]) == pytest.approx(pair)


def test_new_groups_are_drawn_anew(fit):
    found = mlm.Model("y ~ x + (1 | g)", DATA).simulate(fit, draws=400, groups="new", seed=1)
    z = found.dataset["u_g"].to_numpy()[:, :, 0] / found.dataset["sd_g"].to_numpy()
    assert stats.kstest(z.ravel(), "norm").pvalue > 0.001
    same = mlm.Model("y ~ x + (1 | g)", DATA).simulate(fit, draws=400, seed=1)
    between = [
        d["y"].to_numpy().reshape(400, J, n).mean(2).var(0) for d in (same.dataset, found.dataset)
    ]
    assert between[1].mean() > 3 * between[0].mean()


def test_other_rows_and_groups_they_bring(fit):
    model = mlm.Model("y ~ x + (1 | g)", DATA)
    rows = pd.DataFrame({"x": [1.0, 2.0, 3.0], "g": [3, 99, 99]})
    with pytest.raises(StatisticError, match="2 rows of groups of g"):
        model.simulate(fit, data=rows)
    found = model.simulate(fit, data=rows, groups={"g": "new"}, draws=3000, seed=1)
    y = found.responses.to_numpy() - found.dataset["beta"].to_numpy() @ np.array(
        [[1] * 3, [1, 2, 3]]
    )
    assert found.dataset["g"].to_numpy().tolist() == [3, 99]
    r = np.corrcoef(y.T)
    assert abs(r[0, 1]) < 0.1 and r[1, 2] > 0.3
    assert len(found.frame(1)) == 3 and found.frame(1)["y"].notna().all()


def test_student_effects_have_their_tails():
    model = mlm.Model("y ~ x + (1 | gr(g, dist='student'))", DATA)
    values = {"Intercept": 0, "x": 0, "sd_g": 2.0, "nu_g": 5.0, "sigma": 1.0}
    u = model.simulate(values, draws=2000, seed=4).dataset["u_g"].to_numpy().ravel()
    assert stats.kstest(u, stats.t(5, scale=2 * np.sqrt(3 / 5)).cdf).pvalue > 0.001


def test_mass_points_are_refused():
    model = mlm.Model("y ~ x + (1 | gr(g, dist='points', k=2))", DATA)
    with pytest.raises(StatisticError, match="mass points"):
        model.simulate()


def test_frames_name_categories_as_the_data_do():
    for formula, family in (("b ~ x + (1 | g)", "bernoulli"), ("o ~ x + (1 | g)", "cumulative")):
        model = mlm.Model(formula, DATA, family=family)
        frame = model.simulate(draws=2, seed=1).frame(1)
        again = mlm.Model(formula, frame, family=family)
        assert again.design.outcome.success == model.design.outcome.success
        assert set(frame.columns) == set(DATA.columns)


def test_expressions_have_no_frame():
    model = mlm.Model("log(pos) ~ x + (1 | g)", DATA)
    with pytest.raises(StatisticError, match="take .responses"):
        model.simulate(seed=1).frame()


def test_a_seed_is_a_simulation(fit):
    model = mlm.Model("y ~ x + (1 | g)", DATA)
    for source in (None, fit, {"Intercept": 0, "x": 0, "sd_g": 1, "sigma": 1}):
        one, two = (model.simulate(source, draws=3, seed=8).responses for _ in range(2))
        assert (one == two).all()
        assert (one != model.simulate(source, draws=3, seed=9).responses).any()


def test_bad_requests(fit):
    model = mlm.Model("y ~ x + (1 | g)", DATA)
    with pytest.raises(StatisticError, match="without a fit"):
        model.simulate(groups="same")
    with pytest.raises(StatisticError, match="groups='old'"):
        model.simulate(fit, groups="old")
    with pytest.raises(EngineError, match="draws=0"):
        model.simulate(draws=0)
    with pytest.raises(EngineError, match="a fit of another model"):
        mlm.Model("y ~ 1 + (1 | g)", DATA).simulate(fit)


def test_a_refit_is_the_fit_of_that_response(fit):
    model = mlm.Model("y ~ x + (1 | g)", DATA)
    new = model.simulate(fit, draws=1, seed=1)
    again = fit.refit(new.responses.to_numpy()[0])
    other = mlm.Model("y ~ x + (1 | g)", new.frame(0), priors=None)
    direct = other.fit("ml")
    assert model.fit("ml").refit(new.frame(0)["y"]).deviance == pytest.approx(direct.deviance)
    assert again.result.priors == fit.result.priors  # resolved once, against the first response
    assert again.result.design.X is fit.result.design.X
    assert fit.refit(DATA["y"]).fixef().frame.equals(fit.fixef().frame)


def test_a_refit_names_categories():
    model = mlm.Model("b ~ x + (1 | g)", DATA, family="bernoulli")
    ml = model.fit("ml")
    swapped = np.where(DATA["b"] == "yes", "no", "yes")
    flipped = ml.refit(swapped)
    assert flipped.fixef().frame["estimate"].to_numpy() == pytest.approx(
        -ml.fixef().frame["estimate"].to_numpy(), abs=1e-4
    )
    assert ml.refit((DATA["b"] == "yes").astype(float)).deviance == pytest.approx(ml.deviance)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1.0, 2.0], "shape"),
        (np.full(N, np.nan), "outside the support"),
        (["a"] * N, "numbers"),
        (np.ones(N), "the response 'y'"),
    ],
)
def test_bad_responses_of_a_refit(fit, values, said):
    with pytest.raises(mlm.DataError, match=said):
        fit.refit(values)


def test_latent_group_means_are_refused():
    model = mlm.Model("y ~ within(x, g) + latent(x, g) + (1 | g)", DATA)
    with pytest.raises(StatisticError, match=r"write between\(x, g\)"):
        model.simulate(draws=1)


@pytest.mark.parametrize("draw", [2, -3, 1.5, "a", True])
def test_a_draw_that_is_not_there(draw):
    frame = pd.DataFrame({"y": [1.0, 2.0, 4.0, 3.0], "g": list("aabb")})
    found = mlm.Model("y ~ 1 + (1 | g)", frame).simulate(draws=2, seed=1)
    assert repr(found) == "<bayesmlm simulation of y: 2 draws of 4 rows>"
    with pytest.raises(StatisticError, match=r"the draw .* of a simulation\n  allowed: 0 to 1"):
        found.frame(draw)


SPREADING = "y ~ x + (1 | g); sigma ~ x + (1 | g)"
SPREAD = {"Intercept": 1.0, "x": 0.5, "sd_g": 2.0}
SPREAD |= {"sigma_Intercept": -0.5, "sigma_x": 0.3, "sd_sigma_g": 0.4}


def test_a_formula_of_sigma_by_its_moments():
    model = mlm.Model(SPREADING, DATA)
    draws = 40_000
    found = model.simulate(SPREAD, draws=draws, seed=1)
    y, x = found.responses.to_numpy(), DATA["x"].to_numpy()
    assert np.all(np.abs(y.mean(axis=0) - (1 + 0.5 * x)) < 5 * y.std(axis=0) / np.sqrt(draws))
    within = np.exp(2 * (-0.5 + 0.3 * x) + 2 * 0.4**2)  # E sigma²
    squares = (y - 1 - 0.5 * x) ** 2
    error = squares.std(axis=0) / np.sqrt(draws)
    assert np.all(np.abs(squares.mean(axis=0) - (4 + within)) < 5 * error)
    residual = y - 1 - 0.5 * x - found.dataset["u_g"].to_numpy()[:, DATA["g"], 0]
    v = found.dataset["u_sigma_g"].to_numpy()[:, DATA["g"], 0]
    assert stats.kstest((residual / np.exp(-0.5 + 0.3 * x + v))[:, 7], "norm").pvalue > 0.001
    assert found.dataset["beta_sigma"].dims == ("draw", "coef_sigma")
    assert found.dataset["sd_sigma_g"].to_numpy() == pytest.approx(0.4)


def test_impossible_sigmas_are_refused():
    model = mlm.Model("y ~ x; identity(sigma) ~ x", DATA)
    values = {"Intercept": 0, "x": 0, "sigma_Intercept": 0.1, "sigma_x": -1}
    with pytest.raises(StatisticError, match="no possible sigma"):
        model.simulate(values, draws=2, seed=1)


def test_categories_without_an_order_by_their_shares():
    frame = DATA.assign(c=np.array(list("uvw"))[np.arange(N) % 3])
    model = mlm.Model("c ~ x", frame, family="categorical")
    values = {"muv_Intercept": 0.4, "muv_x": 0.5, "muw_Intercept": -0.6, "muw_x": 0.2}
    draws = 20_000
    found = model.simulate(values, draws=draws, seed=2)
    x = DATA["x"].to_numpy()
    odds = np.exp(np.stack([0 * x, 0.4 + 0.5 * x, -0.6 + 0.2 * x]))
    shares = odds / odds.sum(axis=0)
    drawn = np.stack([(found.responses.to_numpy() == k).mean(axis=0) for k in range(3)])
    assert np.all(np.abs(drawn - shares) < 5 * np.sqrt(shares * (1 - shares) / draws))
    assert not found.frame(3)["c"].dtype.ordered
    assert mlm.Model("c ~ x", found.frame(3), family="categorical").design.y == pytest.approx(
        found.responses.to_numpy()[3]
    )


@pytest.mark.parametrize("groups", ["same", "new"])
def test_a_fit_with_a_formula_of_sigma(make_result, groups):
    model = mlm.Model(SPREADING, DATA)
    u, v = RNG.normal(size=(2, 1, 3, J, 1))
    given = {
        "beta": np.tile([1.0, 0.5], (1, 3, 1)),
        "beta_sigma": np.tile([-9.0, 0.0], (1, 3, 1)),
        **{"sd_g": np.ones((1, 3, 1)), "sd_sigma_g": np.full((1, 3, 1), 0.1)},
        **{"u_g": u, "u_sigma_g": v / 10},
    }
    fit = mlm.Fit(make_result(model, **given))
    found = model.simulate(fit, draws=3, groups=groups, seed=1)
    own = found.dataset["u_g"].to_numpy()
    same = {tuple(draw) for draw in u[0, :, :, 0].round(9)}
    assert all((tuple(d) in same) == (groups == "same") for d in own[:, :, 0].round(9))
    eta = 1 + 0.5 * DATA["x"].to_numpy() + own[:, DATA["g"], 0]
    assert found.responses.to_numpy() == pytest.approx(eta, abs=0.01)  # sigma is exp(-9)


def test_draws_from_the_priors_of_a_formula():
    model = mlm.Model(SPREADING, DATA, priors={"sigma_x": mlm.Normal(0.2, 0.05)})
    found = model.simulate(draws=4000, seed=4).dataset
    assert stats.kstest(found["beta_sigma"][:, 1], stats.norm(0.2, 0.05).cdf).pvalue > 0.001
    at_means = found["beta_sigma"].to_numpy() @ np.array([1.0, DATA["x"].mean()])
    prior = model.prior_values.of("sigma").coefficients["Intercept"]
    assert stats.kstest(at_means, stats.norm(prior.mu, prior.sigma).cdf).pvalue > 0.001


def test_counts_beyond_all_numbers_are_told():
    frame = pd.DataFrame({"y": [1, 2, 4, 3], "x": [0.0, 1, 2, 3], "g": list("aabb")})
    model = mlm.Model("y ~ x + (1 | g)", frame, "poisson", {"x": mlm.Normal(0, 1000)})
    for draw in (model.check_priors, lambda: model.simulate(draws=500, seed=1)):
        with pytest.raises(StatisticError, match=r"cannot be drawn(.|\n)*tighter priors"):
            draw()
