"""Three routes to one posterior agree on every Gaussian model of the gallery.

The routes share no code above the data: importance sampling of the hyperparameters and exact
draws of the effects; NUTS on the hyperparameters and exact draws; NUTS on everything. Mean
and 5 and 95 % quantiles of every parameter, each effect of each group included, are compared
in combined Monte Carlo standard errors against a Bonferroni bound at 1e-3.
"""

import warnings

import numpy as np
import pytest
from scipy.stats import norm

import bayesmlm as mlm
from bayesmlm import gallery

pytestmark = pytest.mark.slow

QUANTILES = (0.05, 0.95)
ROUTES = {
    "laplace": mlm.Laplace(draws=8000),
    "integrated": mlm.NUTS(draws=3000, target_accept=0.95, random_effects="integrate"),
    "conditional": mlm.NUTS(
        draws=4000, target_accept=0.98, random_effects="sample", backend="density"
    ),
}
LARGE = {"insteval"}
"""Models of some thousand effects, whose draws of all of them take minutes."""

ENTRIES = [
    name for name in gallery.available() if gallery.read(name).family in (None, "gaussian")
] + ["dyestuff2"]


@pytest.fixture
def model_of(shared_data, monkeypatch):
    def build(name):
        monkeypatch.setenv("BAYESMLM_DATA", str(shared_data))
        if name == "dyestuff2":
            return mlm.Model("Yield ~ 1 + (1 | Batch)", mlm.datasets.load("dyestuff2"))
        entry = gallery.read(name)
        return entry.model(entry.data())

    return build


def figures(fit):
    """Return mean and quantiles of every parameter with their errors, shape (2, K, 3)."""
    import arviz_stats

    posterior = fit.tree["posterior"].to_dataset()
    size = posterior["beta"].attrs.get("ess")
    values, errors = [], []
    for array in posterior.values():
        draws = array.to_numpy()
        flat = draws.reshape(draws.shape[0] * draws.shape[1], -1)
        own, error = [flat.mean(axis=0)], []
        if size:
            error.append(flat.std(axis=0) / np.sqrt(size))
        else:
            error.append(np.ravel(arviz_stats.mcse(array, method="mean").to_numpy()))
        for p in QUANTILES:
            own.append(np.quantile(flat, p, axis=0))
            if size:
                low, high = np.quantile(flat, [p - 0.02, p + 0.02], axis=0)
                error.append(np.sqrt(p * (1 - p) / size) * (high - low) / 0.04)
            else:
                found = arviz_stats.mcse(array, method="quantile", prob=p)
                error.append(np.ravel(found.to_numpy()))
        values.append(np.stack(own, axis=1))
        errors.append(np.stack(error, axis=1))
    return np.concatenate(values), np.concatenate(errors)


@pytest.mark.parametrize("name", ENTRIES)
def test_three_routes_agree(name, model_of):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)
        model = model_of(name)
        found = {}
        for route, engine in ROUTES.items():
            if name in LARGE and isinstance(engine, mlm.NUTS):
                engine = mlm.NUTS(
                    draws=300, tune=400, random_effects=engine.random_effects, backend="density"
                )
            fit = model.fit(engine, seed=5)
            print(f"{name}, {route}: {sum(fit.result.seconds.values()):.1f} s, {fit.check()}")
            assert type(fit.result.engine) is type(engine)
            found[route] = figures(fit)
    pairs = [("laplace", "integrated"), ("laplace", "conditional"), ("integrated", "conditional")]
    scores = {
        pair: (found[pair[0]][0] - found[pair[1]][0])
        / np.hypot(found[pair[0]][1], found[pair[1]][1])
        for pair in pairs
    }
    bound = norm.isf(1e-3 / 2 / sum(score.size for score in scores.values()))
    worst = {pair: float(np.abs(score).max()) for pair, score in scores.items()}
    print(f"{name}: {worst}, bound {bound:.2f}")
    assert max(worst.values()) < bound
