"""The further parameters in the graph: names, dimensions, thresholds, and formulas of them.

Formulas are held against a joint density written with SciPy.
"""

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from pytensor.compile.mode import Mode
from scipy.special import expit

import bayesmlm as mlm
from bayesmlm.errors import EngineError
from bayesmlm.graph import choose

MODE = Mode(linker="py", optimizer="fast_compile")
RNG = np.random.default_rng(1)
FRAME = pd.DataFrame({"y": np.arange(30) % 3, "x": RNG.normal(7, 2, 30)})


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        ("student", {"sigma", "nu"}),
        ("negbinomial", {"shape"}),
        ("hurdle_negbinomial", {"shape", "hu"}),
        ("poisson", set()),
    ],
)
def test_they_are_variables_of_their_names(family, expected):
    graph = mlm.Model("y ~ x", FRAME, family=family).to_pymc()
    assert {v.name for v in graph.free_RVs} - {"slopes", "intercept_at_means"} == expected


@pytest.mark.parametrize(("prior", "place"), [(None, "means"), (mlm.Normal(0, 5), "zero")])
def test_thresholds_are_displayed_where_the_predictors_are_zero(prior, place):
    priors = None if prior is None else {"thresholds": prior}
    model = mlm.Model("y ~ x", FRAME, family="cumulative", priors=priors)
    graph = model.to_pymc()
    assert graph.coords["threshold"] == ("0|1", "1|2")
    outputs = [graph[name] for name in (f"thresholds_at_{place}", "beta", "thresholds")]
    graph.check_start_vals(graph.initial_point())
    point = {key: value + 0.3 for key, value in graph.initial_point().items()}
    own, beta, displayed = graph.compile_fn(
        graph.replace_rvs_by_values(outputs), mode=MODE, on_unused_input="ignore"
    )(point)
    assert (np.diff(displayed) > 0).all()
    shift = beta[0] * FRAME["x"].mean() if place == "means" else 0.0
    np.testing.assert_allclose(displayed, own + shift)
    assert model.design.coef == ("x",)


OWN = np.random.default_rng(2)
N, J = 36, 6
ROWS = pd.DataFrame(
    {
        "y": OWN.normal(3, 2, N),
        "count": OWN.poisson(1, N),
        "x": OWN.normal(1, 2, N),
        "g": np.arange(N) % J,
    }
)
NORMAL = scipy.stats.norm.logpdf


def at_random(graph, seed=1):
    rng = np.random.default_rng(seed)
    start = graph.initial_point()
    return {name: np.asarray(v) + rng.normal(0, 0.3, np.shape(v)) for name, v in start.items()}


def quantities(graph, point, wanted):
    tensors = graph.replace_rvs_by_values([graph[name] for name in wanted])
    options = {"inputs": graph.value_vars, "on_unused_input": "ignore", "mode": MODE}
    return dict(zip(wanted, graph.compile_fn(tensors, **options)(point), strict=True))


def rest(graph, point):
    """Return the log density of everything but the response."""
    free = graph.free_RVs
    return sum(graph.compile_logp(vars=[v], mode=MODE)(point) for v in free)


@pytest.mark.parametrize("choice", ["centred", "non-centred"])
def test_a_formula_of_sigma(choice):
    model = mlm.Model("y ~ x + (1 | g); sigma ~ x + (x | g)", ROWS)
    graph = model.to_pymc(choice)
    point = at_random(graph)
    found = quantities(graph, point, ["beta", "u_g", "beta_sigma", "u_sigma_g"])
    x, g = ROWS["x"].to_numpy(), ROWS["g"].to_numpy()
    eta = found["beta"] @ [np.ones(N), x] + found["u_g"][g, 0]
    v = found["u_sigma_g"][g]
    sigma = np.exp(found["beta_sigma"] @ [np.ones(N), x] + v[:, 0] + v[:, 1] * x)
    expected = NORMAL(ROWS["y"], eta, sigma).sum()
    total = graph.compile_logp(mode=MODE)(point)
    assert total - rest(graph, point) == pytest.approx(expected, rel=1e-9)


def test_the_prior_of_a_formula_of_sigma():
    priors = {"sigma_Intercept": mlm.Normal(1, 2), "sigma_x": mlm.StudentT(3, 0, 1)}
    model = mlm.Model("y ~ 1; sigma ~ x + (1 | g)", ROWS, priors=priors)
    graph = model.to_pymc("non-centred")
    point = at_random(graph)
    a, b = quantities(graph, point, ["beta_sigma"])["beta_sigma"]
    sd = float(np.exp(point["sd_sigma_g_log__"])[0])
    own = NORMAL(a, 1, 2) + scipy.stats.t.logpdf(b, 3, 0, 1)
    own += NORMAL(point["z_sigma_g[Intercept]"]).sum()
    own += float(model.prior_values.sds["sigma_g"]["Intercept"].log_density(sd)) + np.log(sd)
    free = [v for v in graph.free_RVs if v.name != "intercept_at_means"]
    found = sum(graph.compile_logp(vars=[v], mode=MODE)(point) for v in free)
    shift = {**point, "intercept_at_zero_sigma": point["intercept_at_zero_sigma"] + 0.7}
    after = sum(graph.compile_logp(vars=[v], mode=MODE)(shift) for v in free)
    assert after - found == pytest.approx(NORMAL(a + 0.7, 1, 2) - NORMAL(a, 1, 2))
    # the whitening of the slope changes the density by a constant
    constant = np.log(np.abs(ROWS["x"] - ROWS["x"].mean()).pow(2).mean() ** -0.5)
    assert found == pytest.approx(own + constant, rel=1e-8)


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_a_formula_of_a_probability(link):
    model = mlm.Model(f"count ~ 1; {link}(zi) ~ x", ROWS, family="zero_inflated_poisson")
    graph = model.to_pymc()
    point = at_random(graph)
    found = quantities(graph, point, ["beta", "beta_zi"])
    eta = found["beta_zi"] @ [np.ones(N), ROWS["x"]]
    zi = {
        "logit": expit(eta),
        "probit": scipy.stats.norm.cdf(eta),
        "cloglog": 1 - np.exp(-np.exp(eta)),
    }[link]
    y = ROWS["count"].to_numpy()
    own = scipy.stats.poisson.pmf(y, np.exp(found["beta"][0]))
    expected = np.log(np.where(y == 0, zi, 0) + (1 - zi) * own).sum()
    total = graph.compile_logp(mode=MODE)(point)
    assert total - rest(graph, point) == pytest.approx(expected, rel=1e-9)


def test_names_dims_and_coordinates():
    model = mlm.Model("y ~ x + (1 | g); sigma ~ x + (x | g)", ROWS)
    graph = model.to_pymc()
    dims = graph.named_vars_to_dims
    assert dims["beta_sigma"] == ("coef_sigma",)
    assert dims["u_sigma_g"] == ("g", "sigma_g_effect")
    assert dims["sd_sigma_g"] == ("sigma_g_effect",)
    assert dims["corr_sigma_g"] == ("sigma_g_pair",)
    assert list(graph.coords["coef_sigma"]) == ["Intercept", "x"]
    assert "sigma" not in graph.named_vars


def test_coordinates_of_a_further_parameter():
    model = mlm.Model("y ~ x + (1 | g); sigma ~ (1 | g)", ROWS)
    own = [each for each in choose(model.design) if each.parameter == "sigma"]
    assert [(each.group, each.effect, each.choice) for each in own] == [
        ("sigma_g", "Intercept", "non-centred")
    ]
    zero = mlm.Model("count ~ x; zi ~ (1 | g)", ROWS, family="zero_inflated_poisson")
    (other,) = choose(zero.design)
    assert (other.choice, str(other)) == (
        "non-centred",
        "Intercept by zi_g: non-centred (of zi)",
    )
    asked = choose(model.design, {"sigma_g": "centred"})
    assert [each.choice for each in asked if each.group == "sigma_g"] == ["centred"]
    with pytest.raises(EngineError, match="sigma_g"):
        choose(model.design, {"sigma_k": "centred"})


def test_prior_predictive_draws_by_row():
    model = mlm.Model("y ~ 1; sigma ~ x", ROWS, priors={"sigma_x": mlm.Normal(2, 0.01)})
    drawn = model.prior_predictive(200, seed=1)["prior_predictive"]["y"]
    spread = drawn.std(("chain", "draw")).to_numpy()
    order = np.argsort(ROWS["x"].to_numpy())
    assert spread[order[-5:]].min() > spread[order[:5]].max()
