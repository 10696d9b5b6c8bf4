"""The compiled log posterior and its gradient are the graph's, for all that both express."""

import warnings

import numpy as np
import pandas as pd
import pytest
from pytensor.compile.mode import Mode

import bayesmlm as mlm
from bayesmlm import names
from bayesmlm.density.conditional import ConditionalPosterior, conditional_posterior
from bayesmlm.errors import BayesmlmWarning
from bayesmlm.graph import build_model, choose

MODE = Mode(linker="py", optimizer="fast_compile")


def make_data(n=48, seed=3):
    rng = np.random.default_rng(seed)
    g = np.arange(n) % 6
    frame = pd.DataFrame(
        {
            "x": rng.normal(3, 1, n),
            "z": rng.normal(-2, 4, n),
            "g": g,
            "k": rng.integers(0, 4, n),
            "top": g % 3,
            "w": rng.normal(2, 1, 6)[g],
            "se_": rng.uniform(0.5, 2, n),
            "weight": rng.uniform(0.5, 2, n),
            "n": rng.integers(1, 9, n),
            "o": rng.normal(size=n),
            "y": rng.normal(50, 10, n),
            "b": rng.integers(0, 2, n),
            "count": rng.poisson(3, n),
        }
    )
    positive = np.exp(rng.normal(0.3, 0.6, n))
    level = pd.Categorical(rng.permutation(np.arange(n) % 4), categories=range(4), ordered=True)
    return frame.assign(
        r=rng.binomial(frame["n"], 0.4),
        f=rng.choice(list("abc"), n),
        positive=positive,
        share=positive / (1 + positive),
        sparse=np.where(frame["b"] == 1, frame["count"], 0),
        level=level.rename_categories(["none", "some", "more", "most"]),
    )


DATA = make_data()

STRUCTURES = {
    "no effects": "1 + x + f",
    "intercepts": "x + (1 | g)",
    "slopes and group-level predictors": "x*w + (x | g)",
    "independent": "x + (x + z || g)",
    "three effects": "x + z + w + (x + z | g)",
    "two blocks of one grouping": "x + (x | g) + (0 + z + w | g)",
    "nested and crossed": "x + w + (x | top/g) + (1 | k)",
    "no intercept": "0 + f + x + (0 + x | g)",
}

PRIORS = {
    "default": None,
    "intercept at zero": {"Intercept": mlm.Normal(1, 3), "x": mlm.Normal(0, 2)},
    "Student t": {"Intercept": mlm.StudentT(4, 1, 3), "slopes": mlm.StudentT(3, 0, 2)},
    "Cauchy, SDs of several kinds": {"slopes": mlm.Cauchy(0, 2), "sd_g[x]": mlm.Exponential(2)},
    "InverseGamma, LKJ(1)": {"sd": mlm.InverseGamma(2, 3), "corr": mlm.LKJ(1.0)},
    "Gamma, HalfCauchy": {"sd_g": mlm.Gamma(2, 1), "sd_k": mlm.HalfCauchy(2)},
    "HalfNormal": {"sd": mlm.HalfNormal(2)},
}

OUTCOMES = {
    "gaussian": ("y", "gaussian"),
    "gaussian with precisions and weights": ("y | precision(se_) + weights(weight)", "gaussian"),
    "gaussian with known SDs": ("y | se(se_)", "gaussian"),
    "bernoulli": ("b", "bernoulli"),
    "weighted bernoulli": ("b | weights(weight)", "bernoulli"),
    "binomial": ("r | trials(n)", "binomial"),
    "poisson with an offset": ("count", "poisson"),
    "student": ("y", "student"),
    "weighted lognormal": ("positive | weights(weight)", "lognormal"),
    "gamma with an offset": ("positive", "gamma"),
    "beta": ("share", "beta"),
    "beta-binomial with an offset": ("r | trials(n)", "beta_binomial"),
    "weighted negative binomial": ("count | weights(weight)", "negbinomial"),
    "zero-inflated poisson": ("sparse", "zero_inflated_poisson"),
    "zero-inflated negative binomial with an offset": ("sparse", "zero_inflated_negbinomial"),
    "hurdle poisson": ("sparse", "hurdle_poisson"),
    "weighted hurdle negative binomial": ("sparse | weights(weight)", "hurdle_negbinomial"),
    "cumulative with an offset": ("level", "cumulative"),
    "weighted cumulative": ("level | weights(weight)", "cumulative"),
}

LINKS = [
    ("b", "bernoulli", "probit"),
    ("b", "bernoulli", "cloglog"),
    ("r | trials(n)", "binomial", "probit"),
    ("r | trials(n)", "binomial", "cloglog"),
    ("r | trials(n)", "beta_binomial", "probit"),
    ("r | trials(n)", "beta_binomial", "cloglog"),
    ("share", "beta", "probit"),
    ("share", "beta", "cloglog"),
    ("level", "cumulative", "probit"),
    ("level", "cumulative", "cloglog"),
]
"""Links that are defined everywhere, beside the canonical ones."""

POSITIVE = [
    ("count", "poisson", "identity"),
    ("count", "poisson", "sqrt"),
    ("count", "negbinomial", "identity"),
    ("count", "negbinomial", "sqrt"),
    ("positive", "gamma", "inverse"),
    ("positive", "gamma", "identity"),
]
"""Links that need a positive linear predictor."""


def build(formula, family, priors=None, choice=None, link=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmlmWarning)
        model = mlm.Model(formula, DATA, family=family, priors=priors, link=link)
    coordinates = choose(model.design, choice)
    return model, coordinates


def values_of(density, model, theta):
    """Return theta as values of the graph's variables, with d value / d theta where not 1."""
    coordinates, psi, values = density.split(theta[None])
    found, stretch = {}, {}
    layout, design = density.layout, density.design
    names_of = {value.name for value in model.continuous_value_vars}
    if "beta_whitened__" in names_of:
        found["beta_whitened__"] = coordinates[0]
    else:
        at = [name for name in design.coef if name != names.INTERCEPT]
        if "slopes_whitened__" in names_of:
            found["slopes_whitened__"] = coordinates[0][: len(at)]
        else:
            found |= {f"slope[{name}]": coordinates[0][k] for k, name in enumerate(at)}
        if len(at) < len(design.coef):
            found["intercept_at_means"] = found["intercept_at_zero"] = coordinates[0][-1]
    for slots in layout.groups:
        group = slots.block.name
        safe = names.safe(group)
        found[f"sd_{safe}_log__"] = psi[0][slots.sds]
        for k, effect in enumerate(slots.block.effects):
            label = f"{safe}[{names.safe(effect)}]"
            found[f"sd_{label}_log__"] = psi[0][slots.sds[k]]
            for kind in ("z", "coef"):
                found[f"{kind}_{label}"] = values[group][0][:, k]
        joint = [at for at in slots.partials if len(at)]
        for number, at in enumerate(joint):
            suffix = "" if len(joint) == 1 else f"_{number}"
            label = f"half_partial_corr_{safe}{suffix}_logodds__"
            found[label], stretch[label] = 2 * psi[0][at], 2.0
    for own in layout.further:
        name, value = own.parameter.name, psi[0][own.at]
        if own.parameter.support == "ordered":
            found |= {f"thresholds_at_{at}_ordered__": value for at in ("means", "zero")}
        else:
            suffix = "log" if own.parameter.support == "positive" else "logodds"
            found[f"{name}_{suffix}__"] = value[0]
    missing = names_of - set(found)
    assert not missing
    return {name: np.asarray(found[name]) for name in names_of}, stretch


def check(formula, family, priors=None, choice=None, link=None, scales=(0.3, 1.0)):
    model, coordinates = build(formula, family, priors, choice, link)
    density = conditional_posterior(model.design, model.prior_values, coordinates)
    assert isinstance(density, ConditionalPosterior), density
    graph = build_model(model.design, model.prior_values, coordinates)
    logp = graph.compile_logp(mode=MODE)
    dlogp = graph.compile_dlogp(mode=MODE)
    rng = np.random.default_rng(1)
    for scale in scales:
        theta = scale * rng.normal(size=density.size)
        point, stretch = values_of(density, graph, theta)
        extra = sum(np.size(point[name]) * np.log(factor) for name, factor in stretch.items())
        value, gradient = density(theta)
        assert value == pytest.approx(float(logp(point)) + extra, rel=1e-8)
        assert value == pytest.approx(density.log_density(theta), rel=1e-10)
        # the graph's gradient, sent through the same map one direction at a time
        own = dlogp(point)
        at, expected = 0, np.zeros(density.size)
        for variable in graph.continuous_value_vars:
            slope = own[at : at + point[variable.name].size]
            at += point[variable.name].size
            positions = where(density, graph, variable.name)
            expected[positions] = slope * stretch.get(variable.name, 1.0)
        bound = 1e-8 * np.maximum(1.0, np.abs(expected).max())
        assert np.abs(gradient - expected).max() < bound


def where(density, graph, name):
    """Return the positions in theta of the entries of a variable of the graph."""
    found, _ = values_of(density, graph, np.arange(density.size, dtype=float))
    scale = 2.0 if name.startswith("half_partial") else 1.0
    return (np.ravel(found[name]) / scale).astype(int)


@pytest.mark.parametrize("choice", ["centred", "non-centred", None])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_structure(structure, choice):
    check(f"y ~ {STRUCTURES[structure]}", "gaussian", choice=choice)


@pytest.mark.parametrize("priors", PRIORS)
def test_every_prior(priors):
    check("y ~ x*w + z + (x | g) + (1 | k)", "gaussian", PRIORS[priors])


@pytest.mark.parametrize("choice", ["centred", None])
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_family(outcome, choice):
    left, family = OUTCOMES[outcome]
    offset = " + offset(o)" if "offset" in outcome else ""
    check(f"{left} ~ x + w + (x | g) + (1 | k){offset}", family, choice=choice)


@pytest.mark.parametrize(("left", "family", "link"), LINKS)
def test_links(left, family, link):
    # further out PyMC's probability rounds to 0 or 1
    check(f"{left} ~ x + w + (x | g)", family, link=link, scales=(0.03, 0.1))


@pytest.mark.parametrize(("left", "family", "link"), POSITIVE)
def test_links_of_positive_predictors(left, family, link):
    formula = f"{left} ~ x + (1 | g) + offset(20 + 0 * o)"
    check(formula, family, link=link, scales=(0.03, 0.1))


@pytest.mark.parametrize(("left", "family", "link"), POSITIVE)
def test_a_predictor_that_is_not_positive_is_impossible(left, family, link):
    model, coordinates = build(f"{left} ~ x + offset(-1000 + 0 * o)", family, link=link)
    density = conditional_posterior(model.design, model.prior_values, coordinates)
    assert density(np.zeros(density.size))[0] == -np.inf


CUTS = {
    "Normal": mlm.Normal(1, 3),
    "Cauchy": mlm.Cauchy(-0.5, 2),
    "Student": mlm.StudentT(4, 0, 2),
}


@pytest.mark.parametrize("prior", CUTS)
def test_thresholds_at_zero(prior):
    priors = {"thresholds": CUTS[prior], "slopes": mlm.Normal(0, 1)}
    check("level ~ x*w + f + (x | g)", "cumulative", priors, scales=(0.03, 0.1))


def test_thresholds_alone():
    check("level ~ 1 + (1 | g)", "cumulative")


def test_a_prior_of_thresholds_that_the_kernel_lacks_is_left_to_the_graph():
    model, coordinates = build("level ~ x", "cumulative", {"thresholds": mlm.StudentT(3, 1, 2)})
    found = conditional_posterior(model.design, model.prior_values, coordinates)
    assert found == "the prior of the thresholds is a StudentT that is not about zero"


@pytest.mark.parametrize(
    ("left", "family", "priors"),
    [
        ("sparse", "zero_inflated_negbinomial", {"zi": mlm.Beta(2, 5), "shape": mlm.Gamma(2, 1)}),
        ("y", "student", {"nu": mlm.Exponential(20), "sigma": mlm.HalfNormal(9)}),
        ("share", "beta", {"phi": mlm.HalfStudentT(3, 20)}),
    ],
)
def test_priors_of_further_parameters(left, family, priors):
    check(f"{left} ~ x + (1 | g)", family, priors)


def test_mixed_parametrisation():
    check("y ~ x*w + (x + z | g)", "gaussian", choice={"g[x]": "centred", "g[z]": "centred"})


def test_a_bounded_prior_is_left_to_the_graph():
    model, coordinates = build("y ~ x + (1 | g)", "gaussian", {"x": mlm.HalfNormal(1)})
    found = conditional_posterior(model.design, model.prior_values, coordinates)
    assert found == "the prior of x is bounded"


def test_recovered_effects_give_the_linear_predictor():
    model, coordinates = build("y ~ x*w + (x | g) + (1 | k)", "gaussian", None, "centred")
    density = conditional_posterior(model.design, model.prior_values, coordinates)
    theta = np.random.default_rng(2).normal(size=(3, density.size))
    psi, beta, effects = density.recover(theta)
    assert psi.shape == (3, density.layout.size)
    assert beta.shape == (3, 4)
    assert {name: u.shape for name, u in effects.items()} == {"g": (3, 6, 2), "k": (3, 4, 1)}
