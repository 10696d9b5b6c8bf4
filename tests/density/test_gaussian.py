"""The marginal density: additions, integration by quadrature, invariance, recovery, refusals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad, quad
from scipy.special import gammaln
from scipy.stats import norm

import bayesmlm as mlm
from bayesmlm.density import gaussian_marginal
from bayesmlm.density.noise import Noise

ADDITIONS = (
    "y | se(s) ~ x + (1 | a)",
    "y | se(s) ~ 1 + (x | a) + (1 | b)",
    "y | se(s) ~ x + (1 | a) + (1 | c)",
    "y | precision(v) ~ x + (x | a)",
    "y | precision(v) ~ x + (x | a) + (w | c)",
    "y | weights(v) ~ x + (x | a)",
    "y | weights(v) ~ x + (1 | a) + (x | c)",
    "y | precision(v) + weights(s) ~ x + (x | a)",
    "y | se(s) + weights(v) ~ x + (1 | a) + (1 | c)",
    "y ~ x + offset(w) + (1 | a)",
    "y | precision(v) ~ 0 + x + offset(w) + (x || a)",
)


@given(formula=st.sampled_from(ADDITIONS), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_additions_agree_with_dense_algebra(formula, seed, frame, marginal_of, psi_of, agrees):
    marginal = marginal_of(formula, frame(seed))
    agrees(marginal, psi_of(marginal, seed))


@pytest.mark.parametrize("formula", ADDITIONS)
def test_every_addition_agrees_with_dense_algebra(formula, frame, marginal_of, psi_of, agrees):
    marginal = marginal_of(formula, frame(7))
    agrees(marginal, psi_of(marginal, 7))


def test_priors_of_the_user_agree_with_dense_algebra(frame, marginal_of, psi_of, agrees):
    """The user's intercept is the one at x = 0, whatever the means of the predictors."""
    priors = {"Intercept": mlm.Normal(15, 0.5), "x": mlm.Normal(2, 0.1)}
    marginal = marginal_of("y ~ x + w + (x | a)", frame(8), priors)
    assert not marginal.priors.intercept_at_means
    agrees(marginal, psi_of(marginal, 8))


def test_one_effect_agrees_with_numerical_integration(frame, marginal_of):
    data = frame(1, rows=12, groups=5)
    data["y"] -= 22
    marginal = marginal_of("y ~ 0 + (1 | a)", data)
    psi = np.array([0.4, 0.2])
    tau, sigma = np.exp(psi)
    expected = 0.0
    for _, rows in data.groupby("a"):
        y = rows["y"].to_numpy()

        def joint(u, y=y):
            return np.exp(norm.logpdf(y, u, sigma).sum() + norm.logpdf(u, 0, tau))

        expected += np.log(quad(joint, -15, 15, epsabs=0, epsrel=1e-11, limit=200)[0])
    assert marginal.log_likelihood(psi[None])[0] == pytest.approx(expected, rel=1e-8)


def test_two_effects_agree_with_numerical_integration(frame, marginal_of):
    data = frame(1, rows=9, groups=4)
    data["y"] -= 22
    data["x"] -= 3
    marginal = marginal_of("y ~ 0 + (x | a)", data)
    psi = np.array([[0.2, -0.3, 0.5, 0.4]])
    L = marginal.layout.groups[0].factor(psi)[0]
    sigma = np.exp(psi[0, 3])
    expected = 0.0
    for _, rows in data.groupby("a"):
        y, x = rows["y"].to_numpy(), rows["x"].to_numpy()

        def joint(v, z, y=y, x=x):
            u = L @ (z, v)
            residual = (y - u[0] - u[1] * x) / sigma
            power = residual @ residual + z * z + v * v
            return np.exp(-0.5 * power) / (2 * np.pi * (sigma * np.sqrt(2 * np.pi)) ** len(y))

        value = dblquad(joint, -9, 9, -9, 9, epsabs=1e-13, epsrel=1e-9)[0]
        expected += np.log(value)
    assert marginal.log_likelihood(psi)[0] == pytest.approx(expected, rel=1e-8)


def test_fixed_and_random_effect_agree_with_numerical_integration(frame, marginal_of):
    """Two groups: beta outside, the two effects given beta are independent."""
    data = frame(3, rows=8, groups=5)
    data["y"] -= 20
    marginal = marginal_of("y ~ 1 + (1 | top)", data, {"Intercept": mlm.Normal(1, 2)})
    tau, sigma = np.exp([0.1, 0.3])
    groups = [rows["y"].to_numpy() for _, rows in data.groupby("top")]
    assert len(groups) == 2

    def group(beta, y):
        # the mean of a group is sufficient for its effect, which is integrated over a grid
        u, step = np.linspace(-12, 12, 4001, retstep=True)
        logs = norm.logpdf(y[:, None], beta + u, sigma).sum(axis=0) + norm.logpdf(u, 0, tau)
        return np.exp(logs).sum() * step

    def joint(beta):
        return np.prod([group(beta, y) for y in groups]) * norm.pdf(beta, 1, 2)

    expected = np.log(quad(joint, -15, 17, epsabs=0, epsrel=1e-11, limit=200)[0])
    found = marginal.log_likelihood(np.log([[tau, sigma]]))[0]
    assert found == pytest.approx(expected, rel=1e-8)


INVARIANT = (
    "y ~ x + (x | a) + (w || b)",
    "y | precision(v) ~ x + (x | a) + (w | c)",
    "y ~ x + w + (x + w | a)",
)


@given(formula=st.sampled_from(INVARIANT), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_order_and_names_of_rows_and_groups_do_not_matter(
    formula, seed, frame, marginal_of, psi_of
):
    data = frame(seed)
    rng = np.random.default_rng([seed, 2])
    other = data.iloc[rng.permutation(len(data))].reset_index(drop=True)
    labels = rng.permutation(100)
    other = other.assign(**{g: other[g].map(lambda k: f"g{labels[k]}") for g in ("a", "b", "c")})
    one, two = marginal_of(formula, data), marginal_of(formula, other)
    psi = psi_of(one, seed)
    np.testing.assert_allclose(one.log_density(psi), two.log_density(psi), rtol=1e-10)
    beta, effects = one.recover(psi)
    beta_other, effects_other = two.recover(psi)
    np.testing.assert_allclose(beta, beta_other, rtol=1e-7, atol=1e-8)
    for slots in one.layout.groups:
        block = slots.block
        theirs = two.design.block(block.name).grouping.labels
        at = [theirs.index(f"g{labels[k]}") for k in block.grouping.labels]
        np.testing.assert_allclose(
            effects[block.name], effects_other[block.name][:, at], rtol=1e-7, atol=1e-7
        )


def test_data_far_from_zero_keep_their_digits(frame, marginal_of, psi_of):
    data = frame(6)
    formula = "y ~ x + (x | a) + (1 | c)"
    far = data.assign(y=data["y"] + 2.0**26)
    near = data.assign(y=far["y"] - 2.0**26)  # the same rounding
    psi = psi_of(marginal_of(formula, near), 6)
    np.testing.assert_allclose(
        marginal_of(formula, far).restricted_likelihood(psi),
        marginal_of(formula, near).restricted_likelihood(psi),
        rtol=1e-9,
    )


@pytest.mark.parametrize("formula", ["y ~ x + (x | a) + (1 | b)", "y ~ x + (x | a) + (1 | c)"])
def test_draws_have_the_conditional_mean_and_covariance(formula, frame, marginal_of, psi_of, dense):
    marginal = marginal_of(formula, frame(9))
    psi = psi_of(marginal, 9, 1)[0]
    S = 20_000
    beta, effects = marginal.recover(np.tile(psi, (S, 1)), Noise(1))
    flat = [effects[s.block.name].reshape(S, -1) for s in marginal.layout.groups]
    draws = np.concatenate([beta, *flat], axis=1)
    mean, covariance = dense(marginal, psi).posterior()
    variance = np.diag(covariance)
    z = (draws.mean(axis=0) - mean) / np.sqrt(variance / S)
    spread = np.sqrt((np.outer(variance, variance) + covariance**2) / S)
    z_cov = (np.cov(draws.T) - covariance) / spread
    bound = norm.isf(1e-3 / (2 * (z.size + z_cov.size)))
    print(f"{formula}: worst {np.abs(z).max():.2f}, {np.abs(z_cov).max():.2f} of {bound:.2f}")
    assert np.abs(z).max() < bound
    assert np.abs(z_cov).max() < bound


def test_recover_is_reproducible(frame, marginal_of, psi_of):
    marginal = marginal_of("y ~ x + (x | a)", frame(9))
    psi = psi_of(marginal, 9, 7)
    one, two, other = (marginal.recover(psi, Noise(s)) for s in (1, 1, 2))
    assert one[0].shape == (7, 2) and one[1]["a"].shape == (7, 9, 2)
    assert np.array_equal(one[0], two[0]) and np.array_equal(one[1]["a"], two[1]["a"])
    assert not np.array_equal(one[0], other[0])


def test_the_density_is_likelihood_and_prior(frame, marginal_of, psi_of):
    priors = {"sd": mlm.HalfNormal(2), "sigma": mlm.Exponential(3), "corr": mlm.LKJ(1)}
    marginal = marginal_of("y ~ x + (x | a)", frame(9), priors)
    psi = psi_of(marginal, 9)
    p = np.tanh(psi[:, 2])
    expected = marginal.log_likelihood(psi)
    expected += mlm.HalfNormal(2).log_density(np.exp(psi[:, :2])).sum(axis=1)
    expected += mlm.Exponential(3).log_density(np.exp(psi[:, 3])) + psi[:, [0, 1, 3]].sum(axis=1)
    expected += np.log(0.5 * (1 - p**2))  # uniform on (-1, 1)
    np.testing.assert_allclose(marginal.log_density(psi), expected, rtol=1e-10)


def test_what_cannot_be_computed_has_no_density(frame, marginal_of):
    marginal = marginal_of("y ~ x + (1 | a)", frame(9))
    assert marginal.log_density(np.array([0.0, -900.0]))[0] == -np.inf
    assert marginal.log_density(np.array([900.0, 900.0]))[0] == -np.inf


def reason(formula, data, family="gaussian", priors=None):
    model = mlm.Model(formula, data, family=family, priors=priors)
    return gaussian_marginal(model.design, model.prior_values)


def test_what_has_no_marginal_density_says_why():
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"g": np.repeat(list("abcd"), 5), "x": rng.normal(size=20)})
    data = data.assign(y=rng.normal(size=20), k=rng.integers(0, 2, 20))
    assert "bernoulli" in reason("k ~ x + (1 | g)", data, "bernoulli")
    assert "poisson" in reason("k ~ x + (1 | g)", data, "poisson")
    wide = {"x": mlm.StudentT(3, 0, 1)}
    assert "not Normal" in reason("y ~ x + (1 | g)", data, priors=wide)
    positive = {"x": mlm.HalfNormal(1)}
    assert "not Normal" in reason("y ~ x + (1 | g)", data, priors=positive)


def test_too_many_crossed_levels_say_so(frame, marginal_of, monkeypatch):
    from bayesmlm.density import crossed_arrays

    monkeypatch.setattr(crossed_arrays, "PAIRS_LIMIT", 3)
    assert "too large" in reason("y ~ 1 + (1 | a) + (1 | c)", frame(1))


def test_sigma_integrates_to_the_closed_form(frame, marginal_of):
    """Without groups, under a flat prior of beta, y is multivariate t given 1 / sigma."""
    data = frame(2, rows=12, groups=5)
    marginal = marginal_of("y ~ x", data)
    n, p = 12, 2

    def joint(log_sigma):  # p(sigma) = 1 / sigma, so that d log sigma is its measure
        return np.exp(marginal.restricted_likelihood(np.array([[log_sigma]]))[0])

    value = quad(joint, -4, 8, epsabs=0, epsrel=1e-11)[0]
    X = marginal.design.X
    best, rss = np.linalg.lstsq(X, marginal.design.y, rcond=None)[:2]
    assert best.shape == (p,)
    nu = n - p
    expected = gammaln(nu / 2) - np.log(2) - nu / 2 * np.log(np.pi * rss[0])
    expected -= 0.5 * np.linalg.slogdet(X.T @ X)[1]
    assert np.log(value) == pytest.approx(expected, rel=1e-9)
