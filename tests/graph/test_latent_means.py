"""The graph of latent group means against a model written by hand in PyMC."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytest
from pytensor.compile.mode import Mode

import bayesmlm as mlm
from bayesmlm.errors import EngineError, PriorError
from bayesmlm.graph.latent_means import quick_reliability

MODE = Mode(linker="py", optimizer="fast_compile")

FORMULA = "y ~ within(x, g)*latent(x, g) + (1 | g)"
ORDER = ("Intercept", "within(x, g)", "latent(x, g)", "within(x, g):latent(x, g)")


SIZES = {"slopes": 3, "latent_x": 10, "z_latent_x": 10, "z_g[Intercept]": 10, "sd_g": 1}


def frame(between: float, rows: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    g = np.repeat(np.arange(10), rows)
    x = rng.normal(size=10 * rows) + between * rng.normal(size=10)[g]
    return pd.DataFrame({"g": g, "x": x, "y": rng.normal(size=len(g))})


def by_hand(data: pd.DataFrame, model: mlm.Model, centred: bool) -> Any:
    """Write the same model, in the coordinates of the displayed coefficients' prior."""
    g, x, y = (data[name].to_numpy() for name in ("g", "x", "y"))
    observed = data.groupby("g")["x"].transform("mean").to_numpy()
    at = [(x - observed).mean(), observed.mean(), ((x - observed) * observed).mean()]
    priors = model.prior_values
    slopes = [priors.coefficients[name] for name in ORDER[1:]]
    wide = priors.coefficients["Intercept"]
    with pm.Model() as graph:
        mu = pm.Normal("mu_x", priors.latent["mu_x"].mu, priors.latent["mu_x"].sigma)
        tau = pm.HalfStudentT("tau_x", nu=3, sigma=priors.latent["tau_x"].sigma)
        sigma_x = pm.HalfStudentT("sigma_x", nu=3, sigma=priors.latent["sigma_x"].sigma)
        if centred:
            m = pm.Normal("latent_x", mu, tau, shape=10)
        else:
            m = mu + tau * pm.Normal("z_latent_x", 0, 1, shape=10)
        pm.Normal("x", m[g], sigma_x, observed=x)
        b = pm.Normal("slopes", 0.0, [prior.sigma for prior in slopes])
        a = pm.Normal("intercept_at_means", wide.mu, wide.sigma)
        sd = pm.HalfStudentT("sd_g", nu=3, sigma=priors.sds["g"]["Intercept"].sigma, shape=1)
        u = sd[0] * pm.Normal("z_g[Intercept]", 0, 1, shape=10)
        sigma = pm.HalfStudentT("sigma", nu=3, sigma=priors.further["sigma"].sigma)
        d = x - m[g]
        eta = a + b[0] * (d - at[0]) + b[1] * (m[g] - at[1]) + b[2] * (d * m[g] - at[2])
        pm.Normal("y", eta + u[g], sigma, observed=y)
    return graph


@pytest.mark.parametrize(("between", "centred"), [(0.3, False), (6.0, True)])
def test_the_graph_is_the_model_written_by_hand(between: float, centred: bool) -> None:
    data = frame(between)
    model = mlm.Model(FORMULA, data)
    assert model.design.coef == ORDER
    ours = model.to_pymc("non-centred")
    theirs = by_hand(data, model, centred)
    assert ("z_latent_x" in ours.named_vars) is not centred
    assert {rv.name for rv in ours.free_RVs} == {rv.name for rv in theirs.free_RVs}
    densities = []
    for graph in (ours, theirs):
        values = [graph.rvs_to_values[rv] for rv in graph.free_RVs]
        transforms = [graph.rvs_to_transforms[rv] for rv in graph.free_RVs]
        logp = graph.compile_logp(jacobian=False, mode=MODE)
        densities.append((logp, list(zip(graph.free_RVs, values, transforms, strict=True))))
    rng = np.random.default_rng(7)
    for _ in range(5):
        point = {rv.name: rng.normal(size=SIZES.get(rv.name, ())) for rv in ours.free_RVs}
        for name in ("tau_x", "sigma_x", "sd_g", "sigma"):
            point[name] = np.exp(point[name])
        found = [
            logp(
                {value.name: forward(transform, rv, point[rv.name]) for rv, value, transform in own}
            )
            for logp, own in densities
        ]
        assert found[0] == pytest.approx(found[1], rel=1e-10)


def forward(transform: Any, rv: Any, value: np.ndarray) -> np.ndarray:
    """Return a value in the coordinates of the sampler."""
    if transform is None:
        return value
    return np.asarray(transform.forward(value, *rv.owner.inputs).eval(mode=MODE))


def test_displayed_intercept_is_at_zero() -> None:
    model = mlm.Model(FORMULA, frame(0.3))
    graph = model.to_pymc()
    wanted = [graph["beta"], graph["intercept_at_means"], graph["slopes"]]
    displayed, at_means, slopes = pm.draw(wanted, random_seed=1)
    means = model.design.X[:, 1:].mean(axis=0)
    assert displayed[0] == pytest.approx(float(at_means - means @ slopes))


@pytest.mark.parametrize("priors", [{"Intercept": mlm.Normal(0, 1)}, {"slopes": mlm.Normal(0, 1)}])
def test_latent_columns_stay_whatever_the_priors(priors: dict[str, Any]) -> None:
    graph = mlm.Model(FORMULA, frame(6.0), priors=priors).to_pymc("centred")
    assert np.isfinite(graph.compile_logp(mode=MODE)(graph.initial_point()))
    assert "X" not in graph.named_vars


def test_priors_of_the_submodel_have_names() -> None:
    model = mlm.Model(FORMULA, frame(0.3), priors={"tau_x": mlm.HalfNormal(2)})
    table = model.priors().frame
    assert table.loc["tau_x", "prior"] == "HalfNormal(2)"
    assert table.loc["tau_x", "source"] == "yours"
    assert table.loc["mu_x", "source"] == "default"
    assert 'tau_x = "HalfNormal(2.0)"' in model.to_toml()
    assert "tau_x" in str(model.equations())
    with pytest.raises(PriorError):
        mlm.Model(FORMULA, frame(0.3), priors={"sigma_x": mlm.Normal(0, 1)})


def test_quick_reliability_is_that_of_the_analysis_of_variance() -> None:
    model = mlm.Model(FORMULA, frame(1.0, rows=6))
    (mean,) = model.design.latent.means
    grouping = model.design.random[0].grouping
    reml = mlm.Model("x ~ 1 + (1 | g)", frame(1.0, rows=6)).fit("reml").reliability().frame
    found = quick_reliability(mean, grouping.codes, grouping.size)
    assert found == pytest.approx(float(reml["estimate"].iloc[0]), rel=1e-4)


ENGINES = ["ml", "reml", "laplace", "npml", mlm.NUTS(random_effects="integrate")]


@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_densities_refuse_latent_means(engine: Any) -> None:
    with pytest.raises(EngineError, match=r"latent\(x, g\) is not observed") as error:
        mlm.Model("y ~ latent(x, g) + (1 | g)", frame(0.3)).fit(engine, seed=1)
    assert "nuts" in str(error.value)


@pytest.mark.parametrize("engine", ["ml", "laplace", "quadrature", "pql", "mql"])
def test_densities_of_generalized_models_refuse_latent_means(engine: str) -> None:
    data = frame(0.3).assign(y=lambda d: (d["y"] > 0).astype(int))
    with pytest.raises(EngineError, match=r"latent\(x, g\) is not observed"):
        mlm.Model("y ~ latent(x, g) + (1 | g)", data, family="bernoulli").fit(engine, seed=1)


def test_density_of_nuts_is_refused_where_it_is_asked_for() -> None:
    model = mlm.Model("y ~ latent(x, g) + (1 | g)", frame(0.3))
    with pytest.raises(EngineError, match="not observed"):
        model.fit(mlm.NUTS(backend="density", random_effects="sample"), seed=1)
    with pytest.raises(EngineError, match="not observed"):
        model.to_pymc(random_effects="integrate")
