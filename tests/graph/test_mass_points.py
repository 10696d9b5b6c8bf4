"""Mass points in the graph: the likelihood by direct summation, ordered points, their SD."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmlm as mlm
from bayesmlm.errors import BayesmlmError, DataError, EngineError

BARS = {
    "gaussian": "y ~ x + (1 | gr(g, dist='points', k=3)) + (1 | h)",
    "bernoulli": "b ~ x + (x | gr(g, dist='points', k=3))",
    "binomial": "k | trials(n) ~ x + (1 | gr(g, dist='points', k=3))",
    "poisson": "c | weights(v) ~ x + offset(t) + (x | gr(g, dist='points', k=3))",
}


def rows():
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"g": np.repeat(list("abcd"), 5), "h": np.tile(list("pqrst"), 4)})
    frame["x"], frame["t"] = rng.normal(size=20), rng.normal(size=20) / 5
    frame["v"], frame["y"] = rng.uniform(0.5, 2, 20), rng.normal(size=20)
    frame["b"], frame["n"] = rng.integers(0, 2, 20), rng.integers(1, 6, 20)
    frame["k"], frame["c"] = rng.binomial(frame["n"], 0.5), rng.poisson(2, 20)
    return frame


def evaluate(graph, names, seed=1):
    """Return deterministics and the log likelihood at a random point."""
    point = graph.initial_point()
    rng = np.random.default_rng(seed)
    point = {name: value + rng.normal(0, 0.3, np.shape(value)) for name, value in point.items()}
    wanted = graph.replace_rvs_by_values([graph[name] for name in names])
    found = graph.compile_fn(wanted, inputs=graph.value_vars, on_unused_input="ignore")(point)
    return dict(zip(names, map(np.asarray, found), strict=True))


def row_density(family, frame, eta, sigma):
    p = 1 / (1 + np.exp(-eta))
    if family == "gaussian":
        return stats.norm.pdf(frame["y"], eta, sigma)
    if family == "bernoulli":
        return stats.bernoulli.pmf(frame["b"], p)
    if family == "binomial":
        return stats.binom.pmf(frame["k"], frame["n"], p)
    return stats.poisson.pmf(frame["c"], np.exp(eta)) ** frame["v"]


@pytest.mark.parametrize("family", BARS)
def test_the_likelihood_is_the_sum_over_all_assignments(family):
    frame = rows()
    model = mlm.Model(BARS[family], frame, family=family)
    graph = model.to_pymc()
    names = ["beta", "points_g", "mass_g", "membership_g", "sd_g", "mixed_likelihood"]
    names += ["sigma", "u_h"] if family == "gaussian" else []
    names += ["corr_g"] if model.design.random[0].pairs else []
    at = evaluate(graph, names)
    design = model.design
    block = design.random[0]
    base = design.X @ at["beta"] + design.offset
    if family == "gaussian":
        base = base + at["u_h"][design.random[1].grouping.codes, 0]
    points, mass = at["points_g"], at["mass_g"]
    total, share = 0.0, np.zeros((4, 3))
    for chosen in itertools.product(range(3), repeat=4):
        u = points[np.array(chosen)[block.grouping.codes]]
        eta = base + (block.Z * u).sum(axis=1)
        one = np.prod(row_density(family, frame, eta, at.get("sigma"))) * np.prod(
            mass[list(chosen)]
        )
        total += one
        share[np.arange(4), chosen] += one
    assert at["mixed_likelihood"] == pytest.approx(np.log(total), rel=1e-9)
    np.testing.assert_allclose(at["membership_g"], share / total, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(mass @ points, 0, atol=1e-10)
    covariance = (points * mass[:, None]).T @ points
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), at["sd_g"], rtol=1e-9)
    if "corr_g" in at:
        r = covariance[0, 1] / at["sd_g"].prod()
        assert at["corr_g"][0] == pytest.approx(r, rel=1e-9)
    assert (np.diff(points[:, 0]) > 0).all()


def test_gradients_are_finite_where_a_point_explains_nothing():
    graph = mlm.Model(BARS["bernoulli"], rows(), family="bernoulli").to_pymc()
    point = graph.initial_point()
    name = next(key for key in point if key.startswith("sd_g"))
    point[name] = point[name] + 4.0
    assert np.isfinite(graph.compile_dlogp()(point)).all()


def test_what_cannot_be_done_is_refused():
    frame = rows()
    model = mlm.Model(BARS["bernoulli"], frame, family="bernoulli")
    with pytest.raises(EngineError, match="mass points by g, which are summed out"):
        model.prior_predictive()
    with pytest.raises(DataError, match="5 mass points of 4 groups of g"):
        mlm.Model("y ~ x + (1 | gr(g, dist='points', k=5))", frame)
    normal = mlm.Model("y ~ x + (1 | gr(g, dist='points', k=2))", frame)
    for engine in ("laplace", "ml", "reml", mlm.NUTS(backend="density")):
        with pytest.raises(EngineError, match=r"the effects by g are not normal \(points\)"):
            normal.fit(engine)
    for kind in ("pql", "npml"):
        with pytest.raises(BayesmlmError, match=r"not normal \(points\)|distribution is points"):
            model.fit(kind)
    with pytest.raises(EngineError, match="'centred' for 'g', whose effects are not normal"):
        normal.to_pymc("centred")


def test_priors_are_described():
    model = mlm.Model(BARS["bernoulli"], rows(), family="bernoulli")
    table = model.priors().frame
    assert table.loc["mass_g", "prior"] == "Dirichlet(2)" and "corr_g" not in table.index
