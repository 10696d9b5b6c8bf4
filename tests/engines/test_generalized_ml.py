"""ML of generalized models: closed forms, numerical integration, boundaries, options."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.stats import binom, norm, poisson

import bayesmlm as mlm
from bayesmlm.engines.marginal import require_quadrature
from bayesmlm.engines.relative import theta_slopes
from bayesmlm.engines.surface import Surface
from bayesmlm.errors import EngineError


def counts(seed=0, groups=12, size=5, tau=0.8):
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), size)
    u, slope = tau * rng.normal(size=(2, groups))
    x = rng.normal(size=len(g))
    return pd.DataFrame(
        {
            "g": g,
            "x": x,
            "n": 6,
            "k": rng.poisson(np.exp(0.5 + (0.4 + slope[g]) * x + u[g])),
            "r": rng.binomial(6, 1 / (1 + np.exp(-0.3 - 0.5 * x - u[g]))),
        }
    )


def fit(formula, data, family, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)
        model = mlm.Model(formula, data, family=family)
    return model.fit("ml", **options)


def value(fit, name):
    return fit.result.posterior[name].to_numpy()[0, 0]


@pytest.mark.parametrize(
    ("formula", "family", "density"),
    [
        ("k ~ x + (1 | g)", "poisson", lambda d, eta: poisson.logpmf(d["k"], np.exp(eta))),
        (
            "r | trials(n) ~ x + (1 | g)",
            "binomial",
            lambda d, eta: binom.logpmf(d["r"], 6, 1 / (1 + np.exp(-eta))),
        ),
    ],
)
def test_many_nodes_maximise_the_integral(formula, family, density):
    data = counts()
    parts = [rows for _, rows in data.groupby("g")]

    def negative(theta):
        total = 0.0
        for rows in parts:
            eta = theta[0] + theta[1] * rows["x"].to_numpy()

            def f(u, rows=rows, eta=eta):
                return np.exp(density(rows, eta + u).sum() + norm.logpdf(u, 0, np.exp(theta[2])))

            total -= np.log(quad(f, -6, 6, epsabs=0, epsrel=1e-9, limit=200)[0])
        return total

    found = fit(formula, data, family, nodes=25)
    estimate = np.append(value(found, "beta"), np.log(value(found, "sd_g")))
    assert found.log_likelihood == pytest.approx(-negative(estimate), abs=1e-7)
    best = minimize(negative, estimate, method="BFGS", options={"gtol": 1e-4})
    np.testing.assert_allclose(estimate, best.x, atol=1e-4)
    moves, hessian = 0.01 * np.eye(3), np.empty((3, 3))
    for a in range(3):
        for b in range(3):
            corners = [s * t * negative(estimate + s * moves[a] + t * moves[b])
                       for s in (1, -1) for t in (1, -1)]  # fmt: skip
            hessian[a, b] = sum(corners) / 4e-4
    errors = np.sqrt(np.diag(np.linalg.inv(hessian)))[:2]
    np.testing.assert_allclose(found.fixef().frame["se"], errors, rtol=2e-3)
    assert int(found.tree["sample_stats"]["nodes"]) == 25


def test_without_variance_between_groups_it_is_the_regression():
    """Every group the same: the variance is zero, and beta that of one proportion."""
    data = pd.DataFrame({"g": np.repeat(np.arange(8), 10), "y": np.tile([0, 0, 0, 1, 1] * 2, 8)})
    for nodes in (1, 7, "auto"):
        found = fit("y ~ 1 + (1 | g)", data, "bernoulli", nodes=nodes)
        assert value(found, "beta")[0] == pytest.approx(np.log(0.4 / 0.6), abs=1e-6)
        assert value(found, "sd_g")[0] < 1e-3
        assert np.abs(value(found, "u_g")).max() < 1e-5
        expected = 1 / np.sqrt(80 * 0.4 * 0.6)
        assert found.fixef().frame["se"].iloc[0] == pytest.approx(expected, rel=1e-5)
        assert found.log_likelihood == pytest.approx(32 * np.log(0.4) + 48 * np.log(0.6))
        assert found.check().singular and found.check().ok
        assert any("Singular fit" in note for note in found.result.notes)


def test_conditional_modes_maximise_the_joint_density():
    data = counts(3, groups=30, size=8)
    found = fit("k ~ x + (x | g)", data, "poisson")
    sds, r = value(found, "sd_g"), value(found, "corr_g")[0]
    T = np.array([[1, r], [r, 1]]) * np.outer(sds, sds)
    beta, modes = value(found, "beta"), value(found, "u_g")
    for g, rows in data.groupby("g"):
        Z = np.column_stack([np.ones(len(rows)), rows["x"]])
        mean = np.exp(Z @ (beta + modes[g]))
        slope = Z.T @ (rows["k"] - mean) - np.linalg.solve(T, modes[g])
        np.testing.assert_allclose(slope, 0, atol=1e-4)


def test_the_surface_and_its_gradient():
    data = counts(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)
        model = mlm.Model("k ~ x + (x || g)", data, family="poisson")
    marginal = require_quadrature(model.design, model.prior_values, "a test").with_nodes(3)
    surface = Surface(marginal)
    assert surface.places == (2, 4)
    x = np.array([[0.3, 0.2, 0.5, -0.4], [0.1, 0.0, -0.2, 0.3]])
    values, slopes = surface.gradient(x)
    np.testing.assert_allclose(values, surface.log_likelihood(x), rtol=1e-12)
    flipped = surface.log_likelihood(x * [1, 1, -1, 1])
    np.testing.assert_allclose(values, flipped, rtol=1e-9)
    for k in range(4):
        move = 1e-5 * np.eye(4)[k]
        numerical = (surface.log_likelihood(x + move) - surface.log_likelihood(x - move)) / 2e-5
        np.testing.assert_allclose(slopes[:, k], numerical, atol=1e-5)
    assert theta_slopes(surface.blocks, [np.zeros((2, 2))], 2).tolist() == [0, 0]


def test_nodes_are_doubled_where_groups_are_small():
    """Pairs of binary rows with much between them need more than the first number of nodes."""
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(400), 2)
    y = rng.random(800) < 1 / (1 + np.exp(-3 * rng.normal(size=400)[g]))
    data = pd.DataFrame({"g": g, "y": y.astype(int)})
    found = fit("y ~ 1 + (1 | g)", data, "bernoulli", nodes="auto")
    nodes = int(found.tree["sample_stats"]["nodes"])
    assert nodes > 7
    many = fit("y ~ 1 + (1 | g)", data, "bernoulli", nodes=60)
    assert found.log_likelihood == pytest.approx(many.log_likelihood, abs=0.01)
    with pytest.warns(mlm.BayesmlmWarning, match="puts sd_g"):
        one = fit("y ~ 1 + (1 | g)", data, "bernoulli")
    assert value(one, "sd_g")[0] < 0.8 * value(many, "sd_g")[0]
    assert "Laplace's approximation" in one.result.notes[1]
    assert f"{nodes} nodes" in found.result.notes[1]


@pytest.mark.parametrize("nodes", [0, -1, 101, 2.5, True, "many", None])
def test_nodes_are_a_whole_number_or_auto(nodes):
    with pytest.raises(EngineError, match=r"(?s)ML\(nodes=.*from 1 to 100, or 'auto'"):
        mlm.ML(nodes=nodes)
    assert mlm.ML(nodes=np.int64(7)) == mlm.ML(nodes=7)
    assert str(mlm.ML(nodes=7)) == "ML by 7 nodes, priors ignored"


def clusters(size, groups, seed=1):
    """Return binary rows of clusters of a size."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), size)
    x = rng.normal(size=len(g))
    eta = 0.3 + 0.5 * x + 1.2 * rng.normal(size=groups)[g]
    y = (rng.random(len(g)) < 1 / (1 + np.exp(-eta))).astype(int)
    return mlm.Model("y ~ x + (1 | g)", pd.DataFrame({"g": g, "x": x, "y": y}), family="bernoulli")


def test_one_node_tells_how_far_it_is_off():
    """In standard errors, by one Newton step; many nodes say nothing, as they are not off."""
    model = clusters(5, 300)
    with pytest.warns(mlm.BayesmlmWarning, match="puts sd_g.* standard errors too low"):
        one = model.fit("ml")
    many = model.fit("ml", nodes="auto")
    assert "shift" not in many.tree["sample_stats"]
    error = one.tree["standard_errors"]["beta_covariance"].to_numpy()
    actual = (value(many, "beta") - value(one, "beta")) / np.sqrt(np.diag(error))
    statistics = one.tree["sample_stats"]
    np.testing.assert_allclose(statistics["beta_shift"], actual, atol=0.02)
    # d log-likelihood^2 of the SD by differences of the log likelihood itself
    surface = Surface(require_quadrature(model.design, model.prior_values, "ML"))
    x = np.append(surface.marginal.data.to_X @ value(one, "beta"), value(one, "sd_g"))
    moves = 0.01 * np.array([[0, 0, 0], [0, 0, 1], [0, 0, -1]])
    middle, up, down = surface.log_likelihood(x + moves)
    sd_error = 0.01 / np.sqrt(2 * middle - up - down)
    wanted = (value(many, "sd_g") - value(one, "sd_g")) / sd_error
    assert wanted > 0.3
    assert statistics["shift"].item() == pytest.approx(wanted.item(), rel=0.15)


def test_large_clusters_are_not_warned_of():
    fit = clusters(40, 60).fit("ml")
    assert fit.check().ok and abs(fit.check().shift) < 0.1


@pytest.mark.parametrize("right", ["x + (1 | g)", "x + (1 | g) + (1 | x0)"])
def test_a_parameter_without_a_maximum_is_named_and_held(right):
    """Counts of less than Poisson variance: the Poisson model, standard errors included."""
    frame = counts(3, tau=0.3)
    rng = np.random.default_rng(5)
    frame["k"] = rng.binomial(9, np.minimum(0.3 * np.exp(0.2 * frame["x"]), 1))
    frame["x0"] = np.arange(len(frame)) % 5
    nb, plain = fit(f"k ~ {right}", frame, "negbinomial"), fit(f"k ~ {right}", frame, "poisson")
    (note,) = [note for note in nb.result.notes if "no maximum in log shape" in note]
    assert "where the search ended" in note
    assert nb.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-3)
    for column in ("estimate", "se"):
        np.testing.assert_allclose(
            nb.fixef().frame[column], plain.fixef().frame[column], rtol=1e-3, atol=1e-4
        )


def test_scale_and_origin_of_a_t_response_are_the_estimates():
    rng = np.random.default_rng(6)
    g = np.repeat(np.arange(20), 10)
    frame = pd.DataFrame({"g": g, "x": rng.normal(size=200)})
    frame["y"] = frame["x"] + rng.normal(size=20)[g] + rng.standard_t(3, 200)
    one = fit("y ~ x + (1 | g)", frame, "student", nodes=7)
    other = fit("y ~ x + (1 | g)", frame.assign(y=5e3 + 1e3 * frame["y"]), "student", nodes=7)
    assert other.log_likelihood == pytest.approx(one.log_likelihood - 200 * np.log(1e3), abs=1e-4)
    np.testing.assert_allclose(value(other, "nu"), value(one, "nu"), rtol=1e-3)
    np.testing.assert_allclose(value(other, "sd_g"), 1e3 * value(one, "sd_g"), rtol=1e-3)


def test_a_lognormal_response_has_the_exact_likelihood():
    frame = counts(4)
    frame["y"] = np.exp(0.3 * frame["x"] + 0.1 * frame["k"])
    found = fit("y ~ x + (1 | g)", frame, "lognormal")
    exact = fit("z ~ x + (1 | g)", frame.assign(z=np.log(frame["y"])), "gaussian")
    change = -np.log(frame["y"]).sum()
    assert found.log_likelihood == pytest.approx(exact.log_likelihood + change, abs=1e-6)
    np.testing.assert_allclose(value(found, "sigma"), value(exact, "sigma"), rtol=1e-4)
