"""Student-t effects in the graph: their density, their variance, their prior."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmlm as mlm
from bayesmlm.errors import EngineError, PriorError


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    g, x = np.repeat(np.arange(6), 5), rng.normal(size=30)
    return pd.DataFrame({"g": g, "x": x, "y": rng.normal(size=30)})


FORMULAS = ("y ~ x + (1 | gr(g, dist='student'))", "y ~ x + (x | gr(g, dist='student'))")


@pytest.mark.parametrize("formula", FORMULAS)
def test_effects_have_the_density_of_a_multivariate_t(formula, data):
    """Of location 0 and scale T (nu - 2) / nu, against that of the standardised effects."""
    model = mlm.Model(formula, data)
    graph = model.to_pymc()
    point = graph.initial_point()
    rng = np.random.default_rng(1)
    point = {name: value + rng.normal(0, 0.4, np.shape(value)) for name, value in point.items()}
    z = next(v for v in graph.free_RVs if v.name.startswith("z_"))
    wanted = ["u_g", "sd_g", "nu_g"] + (["corr_g"] if model.design.random[0].pairs else [])
    values = graph.compile_fn(
        graph.replace_rvs_by_values([graph[name] for name in wanted]),
        inputs=graph.value_vars,
        on_unused_input="ignore",
    )(point)
    at = dict(zip(wanted, map(np.asarray, values), strict=True))
    nu, sds = float(at["nu_g"]), at["sd_g"]
    assert nu > 2
    T = np.outer(sds, sds)
    if len(sds) > 1:
        T[0, 1] = T[1, 0] = T[0, 1] * at["corr_g"][0]
    scale = T * (nu - 2) / nu
    expected = stats.multivariate_t(np.zeros(len(sds)), scale, nu).logpdf(at["u_g"])
    ours = graph.compile_logp(vars=[z], jacobian=False, sum=False)(point)[0]
    jacobian = 0.5 * np.linalg.slogdet(scale)[1]  # of u over z
    np.testing.assert_allclose(np.ravel(ours) - jacobian, np.ravel(expected), rtol=1e-8)


def test_the_prior_is_of_what_is_above_two(data):
    default = mlm.Model(FORMULAS[0], data)
    row = default.priors().frame.loc["nu_g"]
    assert row["prior"] == "Gamma(2, 0.1)" and row["source"] == "default"
    own = mlm.Model(FORMULAS[0], data, priors={"nu_g": mlm.Exponential(1.0)})
    assert own.priors().frame.loc["nu_g", "source"] == "yours"
    with pytest.raises(PriorError, match="nu_g"):
        mlm.Model(FORMULAS[0], data, priors={"nu_g": mlm.Normal(3, 1)})
    with pytest.raises(PriorError, match="no parameter"):
        mlm.Model("y ~ x + (1 | g)", data, priors={"nu_g": mlm.Exponential(1.0)})


def test_the_density_refuses_and_says_why(data):
    model = mlm.Model(FORMULAS[0], data)
    with pytest.raises(EngineError, match=r"the effects by g are not normal \(student\)"):
        model.fit("laplace")
    with pytest.raises(EngineError, match="'centred' for 'g'"):
        model.to_pymc({"g": "centred"})


def test_prior_draws_have_the_variance_that_sd_says(data):
    priors = {"nu_g": mlm.Gamma(4e4, 1e4), "sd_g": mlm.Gamma(4e6, 2e6)}  # nu 6 and SD 2, nearly
    model = mlm.Model(FORMULAS[0], data, priors=priors)
    drawn = model.prior_predictive(4000, seed=1)["prior"]["u_g"].to_numpy()
    assert drawn.std() == pytest.approx(2.0, rel=0.03)
    kurtosis = (drawn**4).mean() / (drawn**2).mean() ** 2
    assert 4 < kurtosis < 9  # 6 for six degrees of freedom, 3 for a normal
