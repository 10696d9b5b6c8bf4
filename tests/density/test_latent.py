"""The latent field integrated out: numerical integration, one grouping, glmer, derivatives."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.stats import norm

import bayesmlm as mlm
from bayesmlm.density import QuadratureMarginal, latent_marginal, quadrature_marginal
from bayesmlm.density.dense import backward, factor, forward
from bayesmlm.density.hyperparameters import log_prior
from bayesmlm.density.latent import LatentMarginal
from bayesmlm.density.shift import shift


def data(seed=0, rows=60, groups=10):
    rng = np.random.default_rng(seed)
    g = np.concatenate([np.arange(groups), rng.integers(0, groups, rows - groups)])
    h = rng.permutation(np.arange(rows) % 3)
    eta = 0.3 + rng.normal(size=groups)[g] + 0.5 * rng.normal(size=3)[h]
    return pd.DataFrame(
        {
            "g": g,
            "h": h,
            "top": g // 4,
            "x": rng.normal(2, 1, rows),
            "y": rng.binomial(1, 1 / (1 + np.exp(-eta))),
            "k": rng.poisson(np.exp(eta)),
        }
    )


def density(formula, family, nodes, make=latent_marginal, frame=None, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)
        model = mlm.Model(formula, data() if frame is None else frame, family=family, **options)
    found = make(model.design, model.prior_values, nodes)
    assert isinstance(found, LatentMarginal | QuadratureMarginal), found
    return found


def laplace_over_field(log_joint, start):
    """Return Laplace's approximation of an integral by numerical derivatives."""
    best = minimize(lambda x: -log_joint(x), start, method="BFGS", options={"gtol": 1e-6}).x
    m, step = len(best), 2e-3
    H = np.empty((m, m))
    for a in range(m):
        for b in range(m):
            ea, eb = step * np.eye(m)[a], step * np.eye(m)[b]
            H[a, b] = -sum(
                s * t * log_joint(best + s * ea + t * eb) for s in (1, -1) for t in (1, -1)
            )
    H /= 4 * step**2
    return log_joint(best) + 0.5 * m * np.log(2 * np.pi) - 0.5 * np.linalg.slogdet(H)[1]


@pytest.mark.parametrize(("formula", "family"), [("y ~ x + (1 | g)", "bernoulli"),
                                                 ("k ~ x + (x | g)", "poisson")])  # fmt: skip
def test_one_grouping_is_laplace_over_the_fixed_effects_of_quadrature(formula, family):
    latent = density(formula, family, 12)
    exact = density(formula, family, 12, quadrature_marginal)
    psi = np.full(latent.layout.size, -0.2)

    def log_joint(b):
        theta = np.concatenate([b, psi])
        return exact.log_density(theta)[0] - log_prior(exact.layout, exact.priors, psi[None])[0]

    expected = laplace_over_field(log_joint, np.zeros(2))
    assert latent.log_likelihood(psi)[0] == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize("second", ["h", "top"])
def test_two_groupings_agree_with_laplace_over_their_field(second):
    """Quadrature over g by SciPy's nodes, Laplace over the rest, crossed and nested."""
    frame = data(1)
    formula = f"y ~ 1 + (1 | g) + (1 | {second})"
    latent = density(formula, "bernoulli", 20, frame=frame)
    psi = np.array([0.1, -0.4])
    order = [block.name for block in latent.design.random]
    sds = dict(zip(order, np.exp(psi), strict=True))
    prior = latent.priors.coefficients["Intercept"].parameters()
    points, weights = np.polynomial.hermite_e.hermegauss(80)
    y, g, other = frame["y"].to_numpy(), frame["g"].to_numpy(), frame[second].to_numpy()

    def log_joint(x):
        total = norm.logpdf(x[0], prior["mu"], prior["sigma"]) + norm.logpdf(x[1:]).sum()
        eta = x[0] + sds[second] * x[1:][other]
        p = 1 / (1 + np.exp(-(eta[:, None] + sds["g"] * points)))
        rows = np.log(np.where(y[:, None] == 1, p, 1 - p))
        for j in range(10):
            total += np.log(np.exp(rows[g == j].sum(axis=0)) @ weights / np.sqrt(2 * np.pi))
        return total

    expected = laplace_over_field(log_joint, np.zeros(1 + len(np.unique(other))))
    assert latent.log_likelihood(psi)[0] == pytest.approx(expected, abs=5e-4)
    alone = [latent.log_likelihood(p)[0] for p in (psi, psi + 0.3)]
    np.testing.assert_allclose(latent.log_likelihood(np.stack([psi, psi + 0.3])), alone)


def test_at_given_fixed_effects_one_node_is_the_joint_mode(shared_data):
    """The crossed model of VerbAgg at glmer's estimates has glmer's log likelihood."""
    frame = pd.read_csv(shared_data / "VerbAgg.csv")
    frame["y"] = (frame["r2"] == "Y").astype(int)
    for column, levels in (("situ", ["other", "self"]), ("mode", ["want", "do"])):
        frame[column] = pd.Categorical(frame[column], levels)
    formula = "y ~ Anger + Gender + btype + situ + mode + (1 | id) + (1 | item)"
    latent = density(formula, "bernoulli", 1, frame=frame)
    beta = [0.5534825523, 0.05741789993, 0.3208020438, -1.059804052, -2.103834099]
    beta += [-1.054314586, -0.7070546044]
    psi = np.log([[1.339216987, 0.3422685473]])
    coordinates = (latent.data.to_X @ beta)[None]
    found = latent.solve_given(coordinates, *latent.scales(psi))[0]
    assert found[0] == pytest.approx(-4067.916428, abs=1e-5)


def test_draws_given_hyperparameters_have_the_right_moments():
    """Poisson counts of many rows: the conditional is Normal, and NumPy has its covariance."""
    rng = np.random.default_rng(4)
    rows = 3000
    frame = pd.DataFrame({"g": np.arange(rows) % 6, "h": (np.arange(rows) // 6) % 4})
    frame["k"] = rng.poisson(np.exp(2 + 0.3 * rng.normal(size=6)[frame["g"]]))
    latent = density("k ~ 1 + (1 | g) + (1 | h)", "poisson", 7, frame=frame)
    psi = np.tile(np.log([0.4, 0.3]), (8000, 1))
    beta, effects = latent.recover(psi, 1)
    names = [block.name for block in latent.design.random]
    drawn = np.hstack([beta, *(effects[name][:, :, 0] for name in names)])
    design = [np.ones((rows, 1)), *(np.eye(frame[name].max() + 1)[frame[name]] for name in names)]
    W = np.hstack(design)
    mean = drawn.mean(axis=0)
    prior = latent.priors.coefficients["Intercept"].parameters()
    sds = dict(zip(names, (0.4, 0.3), strict=True))
    spread = [[prior["sigma"]], *([sds[name]] * (frame[name].max() + 1) for name in names)]
    precision = np.diag(1 / np.concatenate(spread) ** 2)
    fitted = np.exp(W @ mean)
    covariance = np.linalg.inv((W * fitted[:, None]).T @ W + precision)
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), drawn.std(axis=0), rtol=0.05)
    again = latent.recover(psi, 1)[0]
    assert np.array_equal(beta, again)
    assert not np.array_equal(beta, latent.recover(psi, 2)[0])


def test_the_shift_is_that_of_the_mode():
    """One Newton step predicts how far many nodes move the mode of one."""
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(200), 5)
    y = rng.random(1000) < 1 / (1 + np.exp(-1.5 * rng.normal(size=200)[g]))
    frame = pd.DataFrame({"g": g, "y": y.astype(int)})
    one = density("y ~ 1 + (1 | g)", "bernoulli", 1, frame=frame)
    grid = np.linspace(-1, 1.5, 501)[:, None]
    values = one.log_density(grid)
    mode = grid[values.argmax()]
    step = 0.05
    around = one.log_density(mode + step * np.array([[1.0], [0.0], [-1.0]]))
    variance = -(step**2) / (around[0] - 2 * around[1] + around[2])
    predicted = shift(one, mode, np.array([[variance]])).psi[0]
    many = grid[one.with_nodes(15).log_density(grid).argmax()]
    actual = (many - mode)[0] / np.sqrt(variance)
    assert 0.4 < actual < 1.2
    assert predicted == pytest.approx(actual, rel=0.15)


def test_what_it_does_not_serve():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)
        plain = mlm.Model("k ~ x", data(), family="poisson")
        heavy = mlm.Model(
            "k ~ x + (1 | g)", data(), family="poisson", priors={"x": mlm.StudentT(3, 0, 1)}
        )
    assert "no random effect" in latent_marginal(plain.design, plain.prior_values, 1)
    assert "not Normal" in latent_marginal(heavy.design, heavy.prior_values, 1)


def test_a_dense_factor():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(7, 7))
    A = root @ root.T + np.eye(7)
    C = A.copy()
    assert factor(C) == pytest.approx(np.linalg.slogdet(A)[1])
    C = np.tril(C)
    np.testing.assert_allclose(C, np.linalg.cholesky(A), rtol=1e-10, atol=1e-12)
    value = rng.normal(size=7)
    solved = value.copy()
    forward(C, solved)
    backward(C, solved)
    np.testing.assert_allclose(A @ solved, value, rtol=1e-9, atol=1e-12)
    assert np.isnan(factor(A - 100 * np.eye(7)))


def test_covariances_are_those_of_the_draws():
    latent = density("y ~ x + (1 | g) + (1 | h)", "bernoulli", 5)
    psi = np.array([[-0.2, -0.5], [0.3, 0.1]])
    _, fields, _ = latent.solve(psi)
    found = latent.covariances(psi, fields)
    for own, covariance in zip(psi, found, strict=True):
        beta, _ = latent.recover(np.tile(own, (20000, 1)), 3)
        np.testing.assert_allclose(
            np.cov(beta.T), covariance, atol=0.05 * np.sqrt(covariance[0, 0] * covariance[1, 1])
        )
