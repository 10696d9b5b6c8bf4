"""Parameters of every family come back from simulated data, by NUTS on the compiled density."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from oracles import OTHERS

import bayesmlm as mlm
from bayesmlm.families import FAMILIES, family

J, ROWS = 40, 25
INTERCEPT, SLOPE, SD = 0.4, 0.7, 0.5


def simulated(name: str, seed: int = 11) -> tuple[str, pd.DataFrame]:
    """Return a formula, and data of a random-intercept model of a family."""
    rng = np.random.default_rng(seed)
    f, g = family(name), np.repeat(np.arange(J), ROWS)
    x = rng.normal(2, 1, J * ROWS)
    u = rng.normal(size=J)
    u = SD * (u - u.mean()) / u.std()
    rows = {"trials": rng.integers(2, 12, len(g)).astype(float)} if "trials" in f.needs else {}
    eta = INTERCEPT * (not f.ordered) + SLOPE * (x - 2) + u[g]
    frame = pd.DataFrame({"y": f.simulate(eta, OTHERS[name], rows, rng), "x": x - 2, "g": g})
    left = "y | trials(n)" if rows else "y"
    return f"{left} ~ x + (1 | g)", frame.assign(n=rows.get("trials", 1.0))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in FAMILIES if not FAMILIES[name].unordered])
def test_parameters_are_recovered(name: str) -> None:
    formula, frame = simulated(name)
    model = mlm.Model(formula, frame, family=name)
    engine = mlm.NUTS(draws=500, tune=500, chains=2, backend="density", random_effects="sample")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)  # of short chains
        fit = model.fit(engine, seed=3, progress=False)
    statistics = fit.tree["sample_stats"]
    assert int(statistics["diverging"].sum()) < 10
    posterior = fit.tree["posterior"]
    truth = {"sd_g": np.array([SD])} | OTHERS[name]
    truth["beta"] = np.array([SLOPE] if family(name).ordered else [INTERCEPT, SLOPE])
    for key, value in truth.items():
        draws = posterior[key].to_numpy().reshape(1000, -1)
        distance = np.abs(draws.mean(axis=0) - value) / draws.std(axis=0)
        assert (distance < 4).all(), (key, draws.mean(axis=0), draws.std(axis=0), value)
    others = {p.name for p in model.design.parameters}
    assert others == set(OTHERS[name])
    text = str(fit.summary())
    shown = others - ({"sigma"} if model.design.family.residual_variance else set())
    assert all(parameter in text for parameter in shown)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "link", "centre"),
    [
        ("poisson", "identity", 9.0),
        ("poisson", "sqrt", 3.0),
        ("gamma", "inverse", 4.0),
        ("negbinomial", "sqrt", 4.0),
    ],
)
def test_links_of_positive_predictors_are_sampled(name: str, link: str, centre: float) -> None:
    rng = np.random.default_rng(5)
    f, g = family(name, link), np.repeat(np.arange(J), ROWS)
    x, u = rng.uniform(-1, 1, len(g)), rng.normal(0, 0.4, J)
    y = f.simulate(centre + 0.6 * x + u[g], OTHERS[name], {}, rng)
    frame = pd.DataFrame({"y": y, "x": x, "g": g})
    model = mlm.Model("y ~ x + (1 | g)", frame, family=name, link=link)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)  # the edge of the support is a wall
        fit = model.fit(mlm.NUTS(draws=500, tune=500, chains=2), seed=3, progress=False)
    draws = fit.tree["posterior"]["beta"].to_numpy().reshape(1000, 2)
    assert (np.abs(draws.mean(axis=0) - [centre, 0.6]) / draws.std(axis=0) < 4).all()
