"""Every engine's fit predicts at every level."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.engines import ENGINES
from bayesmlm.predict.treatment import TREATMENTS

pytestmark = pytest.mark.filterwarnings("ignore::bayesmlm.BayesmlmWarning")  # runs are short

RNG = np.random.default_rng(6)
G = np.repeat(np.arange(10), 6)
FRAME = pd.DataFrame({"g": G, "x": RNG.normal(size=60)})
FRAME["y"] = FRAME["x"] + RNG.normal(size=10)[G] + RNG.normal(size=60)
FRAME["b"] = (FRAME["y"] > 0).astype(int)
NEW = pd.DataFrame({"g": [100, 100, 101], "x": [-1.0, 0.0, 1.0]})

MODELS = {"gaussian": "y ~ x + (1 | g)", "bernoulli": "b ~ x + (1 | g)"}

SHORT = {
    "nuts": mlm.NUTS(draws=100, tune=200, chains=2),
    "laplace": mlm.Laplace(draws=200),
    "npml": mlm.NPML(points=2),
}
SLOW = ("advi", "pathfinder")

CASES = [
    pytest.param(name, family, marks=[pytest.mark.slow] if name in SLOW else [])
    for name in ENGINES
    for family in MODELS
    if not (name in ("pql", "mql", "quadrature") and family == "gaussian")
    and not (name == "reml" and family == "bernoulli")
]


@pytest.mark.parametrize(("name", "family"), CASES)
def test_every_engine(name, family):
    if name == "pathfinder":
        pytest.importorskip("pymc_extras")
    model = mlm.Model(MODELS[family], FRAME, family=family)
    fit = model.fit(SHORT.get(name, name), seed=3, progress=False)
    for groups in TREATMENTS:
        for kind in ("mean", "linear", "response"):
            data = NEW if groups != "existing" else NEW.assign(g=[0, 1, 2])
            found = fit.predict(data, groups, kind, seed=1)
            assert np.isfinite(found.frame["mean"]).all()
            again = fit.predict(data, groups, kind, seed=1)
            assert np.array_equal(found.draws(), again.draws())
    u = fit.random_effects("g", [1]).to_numpy()[:, :, 0, 0]
    beta = fit.tree["posterior"]["beta"].to_numpy()
    linear = fit.predict(NEW.assign(g=1), kind="linear").draws()[:, :, 0]
    assert linear.to_numpy() == pytest.approx(beta @ [1, -1] + u)


def test_effects_that_were_not_kept_are_drawn_again():
    model = mlm.Model("y ~ x + (x | g)", FRAME)
    options = {"seed": 1, "draws": 300, "evaluations": 2048}
    kept, not_kept = (
        model.fit("laplace", **options, keep_random_effects=keep).predict().draws()
        for keep in (True, False)
    )
    assert not_kept.identical(kept)


@pytest.mark.slow
@pytest.mark.parametrize("distribution", ["dist='student'", "dist='points', k=2"])
def test_effects_of_other_distributions(distribution):
    """Drawn anew, their average response is the marginal mean."""
    model = mlm.Model(f"b ~ x + (1 | gr(g, {distribution}))", FRAME, family="bernoulli")
    fit = model.fit(mlm.NUTS(draws=300, tune=300, chains=2), seed=2, progress=False)
    marginal = fit.predict(NEW, "marginal").draws()
    drawn = fit.predict(NEW, "new", seed=3, replicates=100).draws()
    means = drawn.to_numpy().reshape(2, 300, 100, 3).mean(axis=2)
    error = drawn.to_numpy().reshape(2, 300, 100, 3).std(axis=2) / 10
    assert np.abs((means - marginal) / error).max() < 6.5
    assert np.mean(means - marginal) == pytest.approx(0, abs=4 * error.mean() / np.sqrt(600))
