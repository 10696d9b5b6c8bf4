"""PQL and MQL: fixed points, limits in closed form, refusals."""

import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.engines.quasi import Quasi
from bayesmlm.engines.working import working
from bayesmlm.errors import EngineError, StatisticError

ENGINES = (mlm.PQL(), mlm.PQL(order=2), mlm.MQL(), mlm.MQL(order=2))
NAMES = ("PQL1", "PQL2", "MQL1", "MQL2")


def binary(seed=1, J=60, n=8, sd=1.0):
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(J), n)
    x = rng.normal(size=J * n)
    eta = 0.3 + 0.8 * x + rng.normal(0, sd, J)[g] + x * rng.normal(0, sd / 2, J)[g]
    return pd.DataFrame({"g": g, "x": x, "y": rng.binomial(1, 1 / (1 + np.exp(-eta)))})


def fit(formula, data, engine, family="bernoulli", **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)  # few rows a group
        return mlm.Model(formula, data, family=family, **options).fit(engine)


def value(found, name):
    return found.result.posterior[name].to_numpy()[0, 0]


@pytest.mark.parametrize("engine", ENGINES, ids=NAMES)
@pytest.mark.parametrize("formula", ["y ~ x + (1 | g)", "y ~ x + (x | g)"])
def test_the_estimates_are_a_fixed_point(engine, formula):
    """ML of the working response at the estimates, from scratch, gives the estimates."""
    data = binary()
    found = fit(formula, data, engine)
    design = found.result.design
    u, block = value(found, "u_g"), design.random[0]
    eta = design.X @ value(found, "beta")
    if engine.name == "pql":
        eta = eta + (block.Z * u[block.grouping.codes]).sum(axis=1)
    sds = value(found, "sd_g")
    T = np.outer(sds, sds)
    if len(sds) > 1:
        T[0, 1] = T[1, 0] = T[0, 1] * value(found, "corr_g")[0]
    square = np.zeros(len(data))
    if engine.order == 2:
        weight = working(design, eta, square).weight
        for j in range(block.grouping.size):
            rows = block.grouping.codes == j
            Z, V = block.Z[rows], T
            if engine.name == "pql":
                marginal = Z @ T @ Z.T + np.diag(1 / weight[rows])
                V = T - T @ Z.T @ np.linalg.solve(marginal, Z @ T)
            square[rows] = np.einsum("na,ab,nb->n", Z, V, Z)
    made = working(design, eta, square)
    frame = data.assign(z=made.z, s=1 / np.sqrt(made.weight))
    again = fit(formula.replace("y ~", "z | se(s) ~"), frame, "ml", family=None)
    np.testing.assert_allclose(value(again, "beta"), value(found, "beta"), atol=1e-4)
    np.testing.assert_allclose(value(again, "sd_g"), sds, atol=2e-4)
    np.testing.assert_allclose(value(again, "u_g"), u, atol=5e-4)
    np.testing.assert_allclose(again.fixef().frame["se"], found.fixef().frame["se"], rtol=1e-3)


@pytest.mark.parametrize("engine", ENGINES, ids=NAMES)
def test_without_groups_it_is_the_generalised_linear_model(engine):
    data = binary()
    found = fit("y ~ x", data, engine)
    eta = found.result.design.X @ value(found, "beta")
    p = 1 / (1 + np.exp(-eta))
    assert np.abs(found.result.design.X.T @ (data["y"] - p)).max() < 1e-4
    X = found.result.design.X
    errors = np.sqrt(np.diag(np.linalg.inv(X.T @ (X * (p * (1 - p))[:, None]))))
    np.testing.assert_allclose(found.fixef().frame["se"], errors, rtol=1e-4)


def test_more_rows_a_group_bring_the_orders_together():
    """What the approximations leave out vanishes as the groups grow."""
    apart = []
    for n in (5, 40, 320):
        data = binary(J=30, n=n)
        one, two = (value(fit("y ~ x + (1 | g)", data, e), "sd_g")[0] for e in ENGINES[:2])
        apart.append(abs(two - one))
    assert apart[0] > 2 * apart[1] > 4 * apart[2]
    assert apart[2] < 0.02


def test_trials_are_rows():
    """A binomial row is its Bernoulli rows, save that a working residual has no more of them."""
    data = binary()
    data["x"] = data.groupby("g")["x"].transform("mean")
    counted = data.groupby("g").agg(k=("y", "sum"), n=("y", "size"), x=("x", "mean")).reset_index()
    for engine in ENGINES:
        one = fit("y ~ x + (1 | g)", data, engine)
        two = fit("k | trials(n) ~ x + (1 | g)", counted, engine, family="binomial")
        for name in ("beta", "sd_g", "u_g"):
            np.testing.assert_allclose(value(one, name), value(two, name), atol=1e-4)


def test_restricted_variances_are_larger():
    data = binary(J=12)
    by_ml, by_reml = (
        value(fit("y ~ x + (1 | g)", data, mlm.PQL(restricted=restricted)), "sd_g")[0]
        for restricted in (False, True)
    )
    assert by_reml > 1.02 * by_ml


def test_crossed_and_nested_groups():
    rng = np.random.default_rng(4)
    n = 1500
    frame = pd.DataFrame({name: rng.integers(0, size, n) for name, size in (("a", 25), ("b", 40))})
    u, v = rng.normal(0, 0.7, 25), rng.normal(0, 1.0, 40)
    eta = 0.2 + u[frame["a"]] + v[frame["b"]]
    frame["y"] = rng.poisson(np.exp(eta))
    crossed = fit("y ~ 1 + (1 | a) + (1 | b)", frame, mlm.PQL(order=2), family="poisson")
    assert value(crossed, "sd_a")[0] == pytest.approx(u.std(), rel=0.15)
    assert value(crossed, "sd_b")[0] == pytest.approx(v.std(), rel=0.15)
    nested = fit("y ~ 1 + (1 | a/b)", frame, mlm.PQL(order=2), family="poisson")
    assert value(nested, "u_a:b").shape == (len(frame.groupby(["a", "b"])), 1)


def test_few_trials_a_group_are_told():
    model = mlm.Model("y ~ x + (1 | g)", binary(n=4), family="bernoulli")
    with pytest.warns(mlm.BayesmlmWarning, match="biased towards zero"):
        found = model.fit("pql")
    assert not found.check().ok and "4 trials" in str(found.check())
    assert any("biased towards zero" in note for note in found.result.notes)
    assert "Priors are ignored" in found.result.notes[0]
    assert fit("y ~ x + (1 | g)", binary(J=20, n=40), "pql").check().ok


def test_a_step_of_the_second_order_is_told():
    """Counts of SD 1: MQL takes the mean of exp(u), e^(1/2), into its intercept."""
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(60), 10)
    k = rng.poisson(np.exp(1 + rng.normal(size=60)[g]))
    data = pd.DataFrame({"g": g, "k": k})
    mql, pql = (fit("k ~ 1 + (1 | g)", data, engine, "poisson") for engine in ("mql", "pql"))
    step = mql.tree["sample_stats"]["order_step"].to_numpy()
    error = mql.fixef().frame["se"].to_numpy()
    sd = value(mql, "sd_g")[0]
    assert step[0] == pytest.approx(-(sd**2) / 2 / error[0], rel=0.1)
    assert "second order moves Intercept" in str(mql.check()) and not mql.check().ok
    assert pql.check().ok and abs(pql.check().step) < 0.1 * abs(mql.check().step)
    second = fit("k ~ 1 + (1 | g)", data, mlm.PQL(order=2), "poisson")
    assert second.check().step is None


def test_second_order_terms_that_outrun_the_variance_end_in_an_error():
    """Two binary rows a group of SD 3: no fixed point."""
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(400), 2)
    y = rng.random(800) < 1 / (1 + np.exp(-3 * rng.normal(size=400)[g]))
    data = pd.DataFrame({"g": g, "y": y.astype(int)})
    with pytest.raises(EngineError, match=r"(?s)second order grow.*\"quadrature\" or \"nuts\""):
        fit("y ~ 1 + (1 | g)", data, mlm.PQL(order=2))


def test_there_is_no_likelihood():
    found = fit("y ~ x + (1 | g)", binary(J=20, n=40), "pql")
    for name in ("deviance", "log_likelihood", "aic", "bic"):
        with pytest.raises(StatisticError, match=f"{name} of a fit by 'pql'"):
            getattr(found, name)
    assert "Converged: " in str(found.summary())


def test_a_variance_of_zero_is_told():
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"g": np.repeat(np.arange(15), 20), "y": np.tile([0, 1], 150)})
    data["x"] = rng.normal(size=300)
    for engine in ENGINES:
        found = fit("y ~ x + (1 | g)", data, engine)
        assert value(found, "sd_g")[0] < 1e-3 and found.check().singular


def test_gaussian_is_maximum_likelihood():
    data = pd.DataFrame(
        {"g": np.repeat(list("abcd"), 5), "y": np.random.default_rng(0).normal(size=20)}
    )
    for engine in ("pql", "mql"):
        with pytest.raises(
            EngineError, match=r"(?s)gaussian response, where it is maximum likel.*ml"
        ):
            mlm.Model("y ~ 1 + (1 | g)", data).fit(engine)


def test_complete_separation_ends_in_an_error():
    data = pd.DataFrame({"g": np.tile(np.arange(10), 10), "x": np.linspace(-1, 1, 100)})
    data["y"] = (data["x"] > 0).astype(int)
    for engine in ENGINES:
        with pytest.raises(EngineError, match="did not converge"):
            fit("y ~ x + (1 | g)", data, engine)


def test_too_few_iterations_end_in_an_error():
    with pytest.raises(EngineError, match=r"(?s)in 2 iterations: estimates still move.*\"nuts\""):
        fit("y ~ x + (1 | g)", binary(), mlm.PQL(iterations=2))


BAD = (
    ({"order": 3}, "1 or 2"),
    ({"order": True}, "1 or 2"),
    ({"restricted": 1}, "True or False"),
    ({"iterations": 0}, "whole number"),
)


@pytest.mark.parametrize(("options", "match"), BAD)
@pytest.mark.parametrize("kind", [mlm.PQL, mlm.MQL])
def test_bad_options(kind, options, match):
    with pytest.raises(EngineError, match=match):
        kind(**options)


def test_a_fit_is_saved_and_read(tmp_path):
    found = fit("y ~ x + (1 | g)", binary(), mlm.PQL(order=2))
    found.save(tmp_path / "fit.zip")
    back = mlm.load(tmp_path / "fit.zip")
    assert back.result.engine == mlm.PQL(order=2) and issubclass(mlm.MQL, Quasi)
    assert str(back.check()) == str(found.check())
    np.testing.assert_array_equal(value(back, "u_g"), value(found, "u_g"))
