import numpy as np
import pandas as pd
import pytest
import scipy.stats

import bayesmlm as mlm
from bayesmlm.checks.prior_blocks import (
    CORRELATIONS,
    FIXED,
    FREEDOM,
    FURTHER,
    RESIDUAL,
    SDS,
    prior_blocks,
)

S = 6
RNG = np.random.default_rng(1)


def data():
    frame = pd.DataFrame({"g": np.repeat(range(6), 5), "x": 2 + RNG.normal(size=30)})
    return frame.assign(y=RNG.normal(size=30), o=np.tile(range(3), 10))


def test_every_block_by_scipy(make_result):
    priors = {"x": mlm.Normal(1, 2), "sd_g[x]": mlm.Exponential(2), "sigma": mlm.HalfNormal(3)}
    model = mlm.Model("y ~ x + (x | g)", data(), priors=priors | {"corr_g": mlm.LKJ(3)})
    beta, sd = RNG.normal(size=(1, S, 2)), RNG.uniform(0.2, 2, (1, S, 2))
    r, sigma = RNG.uniform(-0.9, 0.9, (1, S, 1)), RNG.uniform(0.2, 2, (1, S))
    result = make_result(model, beta=beta, sd_g=sd, corr_g=r, sigma=sigma)
    found = prior_blocks(result)
    assert list(found) == [FIXED, SDS, CORRELATIONS, RESIDUAL]
    own = model.prior_values.coefficients["Intercept"]
    at_means = beta[0] @ model.design.X.mean(axis=0)
    expected = scipy.stats.norm(own.mu, own.sigma).logpdf(at_means)
    expected = expected + scipy.stats.norm(1, 2).logpdf(beta[0, :, 1])
    np.testing.assert_allclose(found[FIXED], expected)
    wide = model.prior_values.sds["g"]["Intercept"]
    expected = np.log(2) + scipy.stats.t(3, 0, wide.sigma).logpdf(sd[0, :, 0])
    expected = expected + scipy.stats.expon(0, 2).logpdf(sd[0, :, 1])
    np.testing.assert_allclose(found[SDS], expected)
    # of one correlation LKJ(eta) is 2 Beta(eta, eta) - 1
    expected = scipy.stats.beta(3, 3, -1, 2).logpdf(r[0, :, 0])
    np.testing.assert_allclose(found[CORRELATIONS], expected)
    np.testing.assert_allclose(found[RESIDUAL], scipy.stats.halfnorm(0, 3).logpdf(sigma[0]))


def test_an_intercept_at_zero_and_three_effects(make_result):
    frame = data().assign(z=RNG.normal(size=30))
    model = mlm.Model(
        "y ~ x + (x + z | g)", frame, priors={"Intercept": mlm.Normal(5, 1), "x": mlm.Normal(0, 1)}
    )
    A = RNG.normal(size=(S, 3, 9))
    C = A @ A.transpose(0, 2, 1)
    d = np.sqrt(np.einsum("sii->si", C))
    R = C / d[:, :, None] / d[:, None]
    pairs = np.array([[R[s, i, j] for i, j in model.design.random[0].pairs] for s in range(S)])
    beta = RNG.normal(size=(1, S, 2))
    result = make_result(
        model, beta=beta, sd_g=np.ones((1, S, 3)), corr_g=pairs[None], sigma=np.ones((1, S))
    )
    found = prior_blocks(result)
    expected = scipy.stats.norm([5, 0], 1).logpdf(beta[0]).sum(axis=1)
    np.testing.assert_allclose(found[FIXED], expected)
    lkj = model.prior_values.correlations["g"]
    np.testing.assert_allclose(found[CORRELATIONS], [lkj.log_density(each) for each in R])


def test_thresholds_hold_at_the_means(make_result):
    model = mlm.Model("o ~ x + (1 | g)", data(), family="cumulative")
    beta, cuts = RNG.normal(size=(1, S, 1)), np.sort(RNG.normal(size=(1, S, 2)))
    result = make_result(model, beta=beta, thresholds=cuts, sd_g=np.ones((1, S, 1)))
    inside = cuts[0] - beta[0] * model.design.X.mean(axis=0)
    expected = scipy.stats.t(3, 0, 2.5).logpdf(inside).sum(axis=1)
    np.testing.assert_allclose(prior_blocks(result)[FURTHER], expected)


def test_degrees_of_freedom_and_models_without_effects(make_result):
    model = mlm.Model('y ~ 1 + (1 | gr(g, dist="student"))', data())
    one = {"beta": np.zeros((1, S, 1)), "sigma": np.ones((1, S))}
    result = make_result(model, sd_g=np.ones((1, S, 1)), **one)
    nu = RNG.uniform(3, 9, S)
    posterior = result.posterior.assign(nu_g=(("chain", "draw"), nu[None]))
    result.tree["posterior"] = posterior
    expected = scipy.stats.gamma(2, scale=10).logpdf(nu - 2)
    np.testing.assert_allclose(prior_blocks(result)[FREEDOM], expected)
    plain = make_result(mlm.Model("y ~ 1", data()), **one)
    assert list(prior_blocks(plain)) == [FIXED, RESIDUAL]
    assert prior_blocks(plain)[FIXED] == pytest.approx(prior_blocks(plain)[FIXED][0])
