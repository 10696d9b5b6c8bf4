"""The compiled log posterior of formulas of further parameters is the graph's."""

import warnings

import numpy as np
import pandas as pd
import pytest
from pytensor.compile.mode import Mode

import bayesmlm as mlm
from bayesmlm.density.conditional import ConditionalPosterior, conditional_posterior
from bayesmlm.errors import BayesmlmWarning
from bayesmlm.graph import build_model, choose

MODE = Mode(linker="py", optimizer="fast_compile")


def make_data(n=48, seed=3):
    rng = np.random.default_rng(seed)
    g = np.arange(n) % 6
    positive = np.exp(rng.normal(0.3, 0.6, n))
    trials = rng.integers(1, 9, n)
    count = rng.poisson(3, n)
    return pd.DataFrame(
        {
            "x": rng.normal(3, 1, n),
            "z": rng.normal(-2, 4, n),
            "g": g,
            "k": rng.integers(0, 4, n),
            "top": g % 3,
            "w": rng.normal(2, 1, 6)[g],
            "f": rng.choice(list("abc"), n),
            "se_": rng.uniform(0.5, 2, n),
            "weight": rng.uniform(0.5, 2, n),
            "o": rng.normal(size=n),
            "y": rng.normal(50, 10, n),
            "n": trials,
            "r": rng.binomial(trials, 0.4),
            "positive": positive,
            "share": positive / (1 + positive),
            "count": count,
            "sparse": np.where(rng.random(n) < 0.4, 0, count),
            "choice": rng.choice(["red", "green", "blue", "none"], n),
        }
    )


DATA = make_data()


def build(formula, family, priors=None, choice=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmlmWarning)
        model = mlm.Model(formula, DATA, family=family, priors=priors)
    return model, choose(model.design, choice)


FORMULAS = {
    "sigma": ("y ~ x + (1 | g); sigma ~ z + (1 | g)", "gaussian"),
    "no location effects": ("y ~ x; sigma ~ (z | k)", "gaussian"),
    "slopes, several groupings": (
        "y ~ x*w + (x | g) + (1 | k); sigma ~ w + (x | g) + (0 + z || top)",
        "gaussian",
    ),
    "precisions and weights": (
        "y | precision(se_) + weights(weight) ~ x + (1 | g); sigma ~ x + offset(o)",
        "gaussian",
    ),
    "no intercept": ("y ~ 0 + f + (1 | g); sigma ~ 0 + f", "gaussian"),
    "an offset alone": ("y ~ x + (1 | g); sigma ~ 0 + offset(o)", "gaussian"),
    "student": ("y ~ x + (1 | g); sigma ~ z + (1 | k); nu ~ w", "student"),
    "student, nu alone": ("y ~ x + (1 | g); nu ~ (1 | k)", "student"),
    "lognormal": ("positive ~ x + (1 | g); sigma ~ x + (1 | g)", "lognormal"),
    "gamma": ("positive ~ x + (1 | g); shape ~ x + (1 | g)", "gamma"),
    "beta": ("share ~ x + (1 | g); phi ~ x + (1 | g)", "beta"),
    "beta-binomial": ("r | trials(n) ~ x + (1 | g); phi ~ x + (1 | g)", "beta_binomial"),
    "negative binomial": ("count ~ x + (1 | g); shape ~ x + (1 | g)", "negbinomial"),
    "zero-inflated poisson": ("sparse ~ x + (1 | g); zi ~ z + (1 | g)", "zero_inflated_poisson"),
    "zero-inflated negative binomial": (
        "sparse ~ x + (1 | g); zi ~ w; shape ~ (1 | k)",
        "zero_inflated_negbinomial",
    ),
    "hurdle poisson": ("sparse ~ x; hu ~ (x | g)", "hurdle_poisson"),
    "hurdle negative binomial": (
        "sparse | weights(weight) ~ x + (1 | g); hu ~ x",
        "hurdle_negbinomial",
    ),
    "probit": ("sparse ~ x + (1 | g); probit(zi) ~ z + (1 | g)", "zero_inflated_poisson"),
    "cloglog": ("sparse ~ x + (1 | g); cloglog(hu) ~ z", "hurdle_poisson"),
}

IDENTITY = {
    "sigma": ("y ~ x; identity(sigma) ~ z + (1 | g) + offset(9 + 0 * o)", "gaussian"),
    "zi": (
        "sparse ~ x; identity(zi) ~ z + (1 | g) + offset(0.5 + 0 * o)",
        "zero_inflated_poisson",
    ),
}

PRIORS = {
    "intercept at zero": {"sigma_Intercept": mlm.Normal(1, 3)},
    "intercept and slopes of a kind": {
        "sigma_Intercept": mlm.StudentT(4, 1, 3),
        "sigma_slopes": mlm.StudentT(3, 0, 2),
    },
    "slopes of several kinds": {"sigma_z": mlm.Cauchy(0, 2), "sd_sigma_g": mlm.Exponential(2)},
    "all SDs of sigma": {"sd_sigma": mlm.HalfNormal(0.4), "sd": mlm.HalfCauchy(3)},
}


def values_of(density, model, theta):
    """Return theta as values of the graph's variables, with d value / d theta where not 1."""
    coordinates, psi, values = density.split(theta[None])
    found, stretch = {}, {}
    for part in density.parts:
        target = part.design.target
        end = "" if target == "mu" else f"_{target}"
        own = coordinates[0, part.first : part.first + len(part.design.coef)]
        at = [name for name in part.design.coef if name != "Intercept"]
        found[f"beta{end}_whitened__"] = own
        found[f"slopes{end}_whitened__"] = own[: len(at)]
        found |= {f"slope{end}[{name}]": own[k] for k, name in enumerate(at)}
        if len(at) < len(own):
            found |= {f"intercept_at_{place}{end}": own[-1] for place in ("means", "zero")}
    for slots in density.layout.groups:
        name = slots.block.name
        found[f"sd_{name}_log__"] = psi[0][slots.sds]
        for k, effect in enumerate(slots.block.effects):
            found[f"sd_{name}[{effect}]_log__"] = psi[0][slots.sds[k]]
            found |= {f"{kind}_{name}[{effect}]": values[name][0][:, k] for kind in ("z", "coef")}
        for at in slots.partials:
            if len(at):
                label = f"half_partial_corr_{name}_logodds__"
                found[label], stretch[label] = 2 * psi[0][at], 2.0
    for own in density.layout.further:
        suffix = "log" if own.parameter.support == "positive" else "logodds"
        found[f"{own.parameter.name}_{suffix}__"] = psi[0][own.at][0]
    wanted = [value.name for value in model.continuous_value_vars]
    return {name: np.asarray(found[name]) for name in wanted}, stretch


def check(formula, family, priors=None, choice=None, scales=(0.3, 1.0)):
    model, coordinates = build(formula, family, priors, choice)
    density = conditional_posterior(model.design, model.prior_values, coordinates)
    assert isinstance(density, ConditionalPosterior), density
    graph = build_model(model.design, model.prior_values, coordinates)
    logp, dlogp = graph.compile_logp(mode=MODE), graph.compile_dlogp(mode=MODE)
    places, _ = values_of(density, graph, np.arange(density.size, dtype=float))
    rng = np.random.default_rng(1)
    for scale in scales:
        theta = scale * rng.normal(size=density.size)
        point, stretch = values_of(density, graph, theta)
        extra = sum(np.size(point[name]) * np.log(factor) for name, factor in stretch.items())
        value, gradient = density(theta)
        assert value == pytest.approx(float(logp(point)) + extra, rel=1e-8)
        assert value == pytest.approx(density.log_density(theta), rel=1e-10)
        own = dlogp(point)
        at, expected = 0, np.zeros(density.size)
        for name, place in places.items():
            factor = stretch.get(name, 1.0)
            expected[(np.ravel(place) / factor).astype(int)] = own[at : at + place.size] * factor
            at += place.size
        bound = 1e-8 * np.maximum(1.0, np.abs(expected).max())
        assert np.abs(gradient - expected).max() < bound


@pytest.mark.parametrize("choice", ["centred", None])
@pytest.mark.parametrize("case", FORMULAS)
def test_every_formula(case, choice):
    # further out PyMC's probability rounds to 0 or 1
    scales = (0.03, 0.2) if case in ("probit", "cloglog") else (0.1, 0.5)
    check(*FORMULAS[case], choice=choice, scales=scales)


@pytest.mark.parametrize("case", IDENTITY)
def test_the_identity_link(case):
    check(*IDENTITY[case], scales=(0.01, 0.03))


@pytest.mark.parametrize("priors", PRIORS)
def test_every_prior(priors):
    check("y ~ x + (1 | g); sigma ~ x + z + (1 | g)", "gaussian", PRIORS[priors])


@pytest.mark.parametrize("offset", ["-1000", "1000"])
def test_a_predictor_that_gives_no_probability_is_impossible(offset):
    formula = f"sparse ~ x; identity(zi) ~ x + offset({offset} + 0 * o)"
    model, coordinates = build(formula, "zero_inflated_poisson")
    density = conditional_posterior(model.design, model.prior_values, coordinates)
    value, gradient = density(np.zeros(density.size))
    assert value == -np.inf
    assert (gradient == 0).all()


def test_a_bounded_prior_is_left_to_the_graph():
    model, coordinates = build("y ~ x; sigma ~ x", "gaussian", {"sigma_x": mlm.HalfNormal(1)})
    found = conditional_posterior(model.design, model.prior_values, coordinates)
    assert found == "the prior of sigma_x is bounded"


def test_student_effects_of_a_further_parameter_are_left_to_the_graph():
    model, coordinates = build("y ~ x; sigma ~ (1 | gr(g, dist='student'))", "gaussian")
    found = conditional_posterior(model.design, model.prior_values, coordinates)
    assert found == "the effects by sigma_g are not normal (student)"


def test_recovered_coefficients():
    model, coordinates = build("y ~ x + (1 | g); sigma ~ z + w + (1 | k)", "gaussian")
    density = conditional_posterior(model.design, model.prior_values, coordinates)
    theta = np.random.default_rng(2).normal(size=(3, density.size))
    _, beta, effects = density.recover(theta)
    further = density.further_beta(theta)
    assert beta.shape == (3, 2)
    assert {name: u.shape for name, u in effects.items()} == {"g": (3, 6, 1), "sigma_k": (3, 4, 1)}
    assert further["sigma"].shape == (3, 3)
    part, own = density.parts[1], density.split(theta)[0][:, 2:]
    intercept_at_means = further["sigma"] @ part.design.X.mean(axis=0)
    np.testing.assert_allclose(intercept_at_means, own[:, -1])


CATEGORIES = {
    "slopes": "choice ~ x + w + (x | g)",
    "several groupings and an offset": "choice ~ x + (1 | g) + (1 | k) + offset(o)",
    "weights": "choice | weights(weight) ~ x + (1 | g)",
    "no intercept": "choice ~ 0 + f",
    "a formula of its own": "choice ~ x + (1 | g); mured ~ z",
}


@pytest.mark.parametrize("choice", ["centred", None])
@pytest.mark.parametrize("case", CATEGORIES)
def test_categories(case, choice):
    check(CATEGORIES[case], "categorical", choice=choice)
