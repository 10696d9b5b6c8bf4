"""The Quadrature engine: options, layout, seeds, posteriors by a grid, bad input."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import binom, norm

import bayesmlm as mlm
from bayesmlm.engines import quadrature
from bayesmlm.engines.marginal import require_quadrature
from bayesmlm.engines.separation import is_separated
from bayesmlm.engines.weights import WeightedSample
from bayesmlm.errors import EngineError


def pairs(seed=5, groups=6, size=5):
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), size)
    y = rng.random(len(g)) < 1 / (1 + np.exp(-1.5 * rng.normal(size=groups)[g]))
    return pd.DataFrame({"g": g, "y": y.astype(int), "x": rng.normal(size=len(g))})


def model_of(formula, data, family="bernoulli", **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)
        return mlm.Model(formula, data, family=family, **options)


@pytest.fixture(scope="module")
def model():
    return model_of("y ~ x + (x | g)", pairs(groups=15))


@pytest.fixture(scope="module")
def fit(model):
    return model.fit("quadrature", seed=1, nodes=5, draws=500, evaluations=1024)


@pytest.mark.parametrize("option", ["draws", "evaluations"])
@pytest.mark.parametrize("value", [0, 99, 2.5, True, "many"])
def test_options_are_whole_numbers_from_100(option, value):
    text = "(?s)" + re.escape(f"Quadrature({option}={value!r})") + ".*a whole number from 100"
    with pytest.raises(EngineError, match=text):
        mlm.Quadrature(**{option: value})


def test_it_writes_itself():
    text = "Quadrature: 4,000 draws, effects integrated out by auto nodes"
    assert str(mlm.Quadrature()) == text
    assert mlm.Quadrature(nodes=np.int64(3)) == mlm.Quadrature(nodes=3)
    with pytest.raises(EngineError, match=r"Quadrature\(nodes=0\)"):
        mlm.Quadrature(nodes=0)


def test_layout_of_the_posterior(fit):
    posterior = fit.tree["posterior"].to_dataset()
    assert set(posterior) == {"beta", "sd_g", "corr_g", "u_g"}
    assert dict(posterior.sizes) == {
        "chain": 1, "draw": 500, "coef": 2, "g": 15, "g_effect": 2, "g_pair": 1,
    }  # fmt: skip
    assert {"observed_data", "constant_data", "sample_stats"} <= set(fit.tree.children)
    statistics = fit.tree["sample_stats"].to_dataset()
    assert int(statistics["nodes"]) == 5
    _, repeats = np.unique(posterior["sd_g"][0, :, 0].to_numpy(), return_counts=True)
    assert posterior["u_g"].attrs["ess"] == pytest.approx(500**2 / (repeats**2).sum())
    assert "5 nodes" in fit.result.notes[0]


def test_same_seed_same_draws_and_another_seed_other_draws(model, fit):
    options = {"nodes": 5, "draws": 500, "evaluations": 1024}
    same, other = (model.fit("quadrature", seed=s, **options) for s in (1, 2))
    for name in fit.result.posterior:
        first = fit.result.posterior[name].to_numpy()
        assert np.array_equal(first, same.result.posterior[name].to_numpy()), name
        assert not np.array_equal(first, other.result.posterior[name].to_numpy()), name


def test_the_posterior_agrees_with_a_grid():
    """An intercept and one SD: means and effects by SciPy's integration over the group."""
    data = pairs()
    priors = {"Intercept": mlm.Normal(0, 1.5), "sd": mlm.HalfNormal(2)}
    found = model_of("y ~ 1 + (1 | g)", data, priors=priors).fit("quadrature", seed=3, draws=20000)
    assert found.check().ok
    beta, log_tau = np.linspace(-5, 5, 41), np.linspace(-9, 2.5, 116)
    counts = data.groupby("g")["y"].agg(["sum", "size"]).to_numpy()
    kinds, which = np.unique(counts, axis=0, return_inverse=True)
    nodes = np.linspace(-8, 8, 401)
    density = norm.pdf(nodes) * (nodes[1] - nodes[0])
    mass, first = np.empty((41, 116)), np.empty((41, 116))
    for i, b in enumerate(beta):
        for k, tau in enumerate(np.exp(log_tau)):
            p = 1 / (1 + np.exp(-b - tau * nodes))
            parts = np.array([density * binom.pmf(s, n, p) for s, n in kinds])
            totals = parts.sum(axis=1)
            prior = norm.pdf(b, 0, 1.5) * norm.pdf(tau, 0, 2) * tau
            mass[i, k] = prior * np.prod(totals[which])
            first[i, k] = tau * (parts[which[0]] @ nodes) / totals[which[0]]
    mass /= mass.sum()
    b, tau = 1.5, np.exp(0.3)
    assert parts.shape[0] == len(kinds)
    exact = quad(lambda v: norm.pdf(v) / (1 + np.exp(-b - tau * v)), -9, 9)[0]
    assert density @ (1 / (1 + np.exp(-b - tau * nodes))) == pytest.approx(exact, abs=1e-9)
    expected = {
        "beta": mass.sum(axis=1) @ beta,
        "sd_g": mass.sum(axis=0) @ np.exp(log_tau),
        "u_g": (mass * first).sum(),
    }
    scores = {}
    for name, mean in expected.items():
        array = found.result.posterior[name]
        draws = array.to_numpy().reshape(20000, -1)[:, 0]
        scores[name] = (draws.mean() - mean) / (draws.std() / np.sqrt(array.attrs["ess"]))
    assert max(map(abs, scores.values())) < norm.isf(1e-3 / 6), scores


def test_effects_given_parameters_follow_their_conditional():
    """A group of two binary rows at a large SD: the distribution function by SciPy."""
    data = pd.DataFrame({"g": [0, 0, 1, 1], "y": [1, 1, 0, 1]})
    model = model_of("y ~ 1 + (1 | g)", data)
    marginal = require_quadrature(model.design, model.prior_values, "a test").with_nodes(7)
    theta = np.tile([0.2, np.log(3.0)], (40000, 1))
    b = float(marginal.to_user(theta[:1, :1])[0, 0])
    drawn = marginal.draw_effects(theta, 1)["g"][:, :, 0]
    for g, y in ((0, (1, 1)), (1, (0, 1))):

        def f(u, y=y):
            p = 1 / (1 + np.exp(-b - u))
            return norm.pdf(u, 0, 3) * p ** sum(y) * (1 - p) ** (2 - sum(y))

        whole = quad(f, -40, 40, limit=300)[0]
        for at in (-2.0, 0.0, 2.0, 5.0):
            p = quad(f, -40, at, limit=300)[0] / whole
            score = ((drawn[:, g] < at).mean() - p) / np.sqrt(p * (1 - p) / 40000)
            assert abs(score) < 4, (g, at, score)


def test_complete_separation_is_fitted_and_named():
    data = pairs(groups=10).assign(y=lambda d: (d["x"] > 0).astype(int))
    model = model_of("y ~ x + (1 | g)", data)
    assert is_separated(model.design)
    found = model.fit("quadrature", seed=1)
    assert any("Complete separation" in note for note in found.result.notes)
    assert np.isfinite(found.fixef().frame.to_numpy()).all()
    with pytest.warns(mlm.BayesmlmWarning, match="the likelihood has no maximum"):
        ml = model.fit("ml", nodes=3)
    assert any("the likelihood has no maximum" in note for note in ml.result.notes)
    almost = data.assign(y=lambda d: np.where(d.index == d["x"].idxmax(), 0, d["y"]))
    assert not is_separated(model_of("y ~ x + (1 | g)", almost).design)


def weighted(khat):
    points = np.zeros((600, 5)) + np.linspace(0, 0.1, 600)[:, None]
    return WeightedSample(points, np.full(600, 1 / 600), khat, 600)


def test_nuts_samples_where_the_tail_stays_too_heavy(model, fit, monkeypatch):
    asked = []

    def explore(*_, draws, **__):
        asked.append(draws)
        return weighted(0.9)

    class Instead:
        def fit(self, *_):
            return fit.result

    monkeypatch.setattr(quadrature, "explore", explore)
    monkeypatch.setattr(quadrature, "NUTS", Instead)
    found = model.fit("quadrature", seed=1, nodes=3)
    assert asked == [2048, 4096, 8192]
    assert found.result.notes[0].startswith("Pareto k-hat of the importance weights was 0.90: NUTS")


def test_what_it_does_not_serve_is_refused():
    data = pairs(groups=15).assign(h=lambda d: d.index % 4)
    with pytest.raises(EngineError, match=r"(?s)Quadrature cannot fit.*next:.*nuts"):
        model_of("y ~ x + (x + I(x**2) + I(x**3) | g)", data).fit("quadrature")


def test_one_node_tells_how_far_it_is_off():
    """As the Laplace engine does for the same model, where fixed effects are integrated out."""
    model = model_of("y ~ x + (1 | g)", pairs(groups=200))
    with pytest.warns(mlm.BayesmlmWarning, match=r"puts log sd_g\[Intercept\] .* too low"):
        one = model.fit("quadrature", nodes=1, draws=500, seed=1)
    with pytest.warns(mlm.BayesmlmWarning, match=r"puts log sd_g\[Intercept\] .* too low"):
        other = model.fit("laplace", draws=500, seed=1)
    assert one.check().shift == pytest.approx(other.check().shift, rel=0.1)
    assert one.check().shift_of == "log sd_g[Intercept]"
    many = model.fit("quadrature", nodes=7, draws=500, seed=1)
    assert many.check().shift is None


@pytest.mark.parametrize("engine", ["quadrature", "laplace"])
@pytest.mark.parametrize(
    ("family", "name", "shape"), [("cumulative", "thresholds", (2,)), ("negbinomial", "shape", ())]
)
@pytest.mark.parametrize("right", ["x + (1 | g)", "x + (1 | g) + (1 | h)"])
def test_further_parameters_are_drawn_and_predicted_with(right, family, name, shape, engine):
    frame = pairs(groups=20).assign(h=lambda d: np.arange(len(d)) % 5)
    rng = np.random.default_rng(2)
    mean = rng.gamma(1.0, np.exp(1 + 0.5 * frame["x"]))
    frame["y"] = np.minimum(rng.poisson(mean), 2 if shape else 999)
    model = model_of(f"y ~ {right}", frame, family)
    with warnings.catch_warnings():
        # of few rows a group, where Laplace's approximation says by how much it is off
        warnings.filterwarnings("ignore", "Converged, to an approximation", mlm.BayesmlmWarning)
        fit = model.fit(engine, draws=400, seed=1)
    assert fit.result.engine.name == engine
    posterior = fit.result.posterior
    assert posterior[name].shape == (1, 400, *shape)
    assert np.isfinite(posterior[name].to_numpy()).all()
    assert name in str(fit.summary())
    if shape:
        assert list(posterior["threshold"].to_numpy()) == ["0|1", "1|2"]
        assert (np.diff(posterior[name].to_numpy()) > 0).all()
    found = fit.predict(frame.head(4), seed=1).frame
    assert np.isfinite(found["mean"].to_numpy(dtype=float)).all()
