"""The Laplace engine: options, refusals, seeds, the layout, and posteriors by a grid."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, norm

import bayesmlm as mlm
from bayesmlm.engines import laplace
from bayesmlm.engines.marginal import require_marginal
from bayesmlm.engines.weights import WeightedSample
from bayesmlm.errors import EngineError


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(2)
    g = np.repeat(np.arange(12), 6)
    frame = pd.DataFrame({"g": g, "h": np.tile(np.arange(6), 12), "x": rng.normal(size=72)})
    u = rng.normal(0, 1, (12, 2))
    noise = rng.normal(0, 1, 72)
    return frame.assign(y=5 + frame["x"] + u[g, 0] + u[g, 1] * frame["x"] + noise)


@pytest.fixture(scope="module")
def model(frame):
    return mlm.Model("y ~ x + (x | g)", frame)


@pytest.fixture(scope="module")
def fit(model):
    return model.fit("laplace", seed=1, draws=500, evaluations=2048)


@pytest.mark.parametrize("option", ["draws", "evaluations"])
@pytest.mark.parametrize("value", [0, 99, -1, 2.5, True, "many"])
def test_options_are_whole_numbers_from_100(option, value):
    text = "(?s)" + re.escape(f"Laplace({option}={value!r})") + ".*a whole number from 100"
    with pytest.raises(EngineError, match=text):
        mlm.Laplace(**{option: value})


def test_draws_must_be_told():
    with pytest.raises(EngineError, match="draws=None"):
        mlm.Laplace(draws=None)


def test_what_does_not_integrate_out_is_refused(frame):
    counts = frame.assign(k=(frame["y"] > 5).astype(int))
    with pytest.raises(EngineError, match=r"(?s)Laplace.*no random effect.*next:.*\"nuts\""):
        mlm.Model("k ~ x", counts, family="bernoulli").fit("laplace")
    model = mlm.Model('y ~ x + (1 | gr(g, dist="student"))', frame)
    with pytest.raises(EngineError, match=r"(?s)are not normal.*next:.*nuts"):
        model.fit("laplace")


def test_a_model_without_hyperparameters_is_refused(frame):
    model = mlm.Model("y | se(s) ~ x", frame.assign(s=1.0 + frame["g"]))
    with pytest.raises(EngineError, match="neither a residual SD nor a random effect"):
        model.fit("laplace")


def test_layout_of_the_posterior(fit):
    posterior = fit.tree["posterior"].to_dataset()
    assert set(posterior) == {"beta", "sd_g", "corr_g", "u_g", "sigma"}
    assert dict(posterior.sizes) == {
        "chain": 1, "draw": 500, "coef": 2, "g": 12, "g_effect": 2, "g_pair": 1,
    }  # fmt: skip
    assert posterior["u_g"].dims == ("chain", "draw", "g", "g_effect")
    assert posterior["coef"].to_numpy().tolist() == ["Intercept", "x"]
    assert posterior["g_pair"].to_numpy().tolist() == ["Intercept~x"]
    assert {"observed_data", "constant_data", "sample_stats"} <= set(fit.tree.children)


def test_statistics_and_the_effective_sample_size(fit):
    statistics = fit.tree["sample_stats"].to_dataset()
    assert {"k_hat", "ess", "evaluations"} <= set(statistics)
    assert float(statistics["k_hat"]) < 0.7
    assert int(statistics["evaluations"]) > 2048  # those of the mode too
    assert 400 < float(statistics["ess"]) <= 2048
    posterior = fit.tree["posterior"].to_dataset()
    _, repeats = np.unique(posterior["sigma"].to_numpy(), return_counts=True)
    for name in posterior:
        assert posterior[name].attrs["ess"] == pytest.approx(500**2 / (repeats**2).sum()), name
    assert "Random and fixed effects integrated out exactly." in fit.result.notes


def test_same_seed_same_draws_and_another_seed_other_draws(model, fit):
    same, other = (model.fit("laplace", seed=s, draws=500, evaluations=2048) for s in (1, 2))
    for name in fit.result.posterior:
        first = fit.result.posterior[name].to_numpy()
        assert np.array_equal(first, same.result.posterior[name].to_numpy()), name
        assert not np.array_equal(first, other.result.posterior[name].to_numpy()), name


@pytest.mark.parametrize("tau", [1.0, 0.0])
def test_the_posterior_agrees_with_a_grid(tau):
    """Two hyperparameters: every mean and quantile by quadrature, an SD near zero too."""
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(6), 5)
    y = 3 + tau * rng.normal(size=6)[g] + rng.normal(size=30)
    priors = {"sd": mlm.HalfNormal(2), "sigma": mlm.HalfNormal(2), "Intercept": mlm.Normal(0, 3)}
    model = mlm.Model("y ~ 1 + (1 | g)", pd.DataFrame({"g": g, "y": y}), priors=priors)
    marginal = require_marginal(model.design, model.prior_values, "a grid")
    log_tau, log_sigma = np.linspace(-14, 3, 1201), np.linspace(-1.2, 1.4, 301)
    psi = np.stack(np.meshgrid(log_tau, log_sigma, indexing="ij"), axis=-1).reshape(-1, 2)
    weights = np.exp(marginal.log_density(psi) - marginal.log_density(psi).max())
    weights /= weights.sum()
    beta, effects = marginal.recover(psi)
    expected = {
        "sd_g": weights @ np.exp(psi[:, 0]),
        "sigma": weights @ np.exp(psi[:, 1]),
        "beta": weights @ beta[:, 0],
        "u_g": weights @ effects["g"][:, 0, 0],
    }
    fit = model.fit("laplace", seed=3, draws=8000)
    assert fit.check().ok
    scores = {}
    for name, mean in expected.items():
        array = fit.result.posterior[name]
        draws = array.to_numpy().reshape(8000, -1)[:, 0]
        error = draws.std() / np.sqrt(array.attrs["ess"])
        scores[name] = (draws.mean() - mean) / error
    by_tau = weights.reshape(1201, 301).sum(axis=1)
    draws = np.sort(fit.result.posterior["sd_g"].to_numpy().ravel())
    for p in (0.05, 0.5, 0.95):
        at = np.exp(np.interp(p, np.cumsum(by_tau) - by_tau / 2, log_tau))
        error = np.sqrt(p * (1 - p) / fit.result.posterior["sd_g"].attrs["ess"])
        scores[f"sd_g {p}"] = ((draws < at).mean() - p) / error
    bound = norm.isf(1e-3 / 2 / len(scores))
    assert max(map(abs, scores.values())) < bound, scores


def weighted(khat):
    points = np.zeros((600, 4)) + np.linspace(0, 0.1, 600)[:, None]
    return WeightedSample(points, np.full(600, 1 / 600), khat, 600)


def test_more_evaluations_while_the_tail_is_too_heavy(model, monkeypatch):
    asked = []

    def explore(*_, draws, **__):
        asked.append(draws)
        return weighted(0.9 if len(asked) < 3 else 0.2)

    monkeypatch.setattr(laplace, "explore", explore)
    fit = model.fit("laplace", seed=1, draws=100, evaluations=128)
    assert asked == [128, 256, 512]
    assert fit.check().ok and fit.check().khat == 0.2


def test_nuts_samples_where_the_tail_stays_too_heavy(model, fit, monkeypatch):
    monkeypatch.setattr(laplace, "explore", lambda *_, **__: weighted(0.9))

    class Instead:
        def __init__(self, keep_random_effects):
            assert keep_random_effects == "auto"

        def fit(self, *_):
            return fit.result

    monkeypatch.setattr(laplace, "NUTS", Instead)
    found = model.fit("laplace", seed=1)
    assert found.result.notes[0].startswith("Pareto k-hat of the importance weights was 0.90: NUTS")
    assert found.result.notes[1:] == fit.result.notes


def test_it_writes_itself():
    assert str(mlm.Laplace()) == "Laplace: 4,000 draws, effects integrated out"
    assert mlm.Laplace() == mlm.Laplace(draws=4000)


@pytest.mark.slow
def test_means_over_many_seeds_err_as_the_effective_sample_size_tells():
    """Of every parameter, random effects included: no more than so many independent draws."""
    data = mlm.datasets.load("sleepstudy")
    model = mlm.Model("Reaction ~ Days + (Days | Subject)", data)
    means, seeds = [], 200
    for seed in range(seeds):
        posterior = model.fit("laplace", seed=seed).result.posterior
        draws = posterior.sizes["draw"]
        values = [posterior[name].to_numpy().reshape(draws, -1) for name in posterior.data_vars]
        drawn = np.concatenate(values, axis=1)
        means.append(drawn.mean(axis=0))
    told = posterior["beta"].attrs["ess"]
    assert told > 3500
    ratio = np.var(means, axis=0, ddof=1) * told / drawn.var(axis=0)
    bound = chi2.isf(1e-3 / len(ratio), seeds - 1) / (seeds - 1)
    assert ratio.max() < bound
