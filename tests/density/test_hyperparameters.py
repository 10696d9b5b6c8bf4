"""psi and back, and its prior with the change of variables."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

import bayesmlm as mlm
from bayesmlm.density.hyperparameters import log_partials, log_prior

POSITIVE = (
    mlm.HalfNormal(2),
    mlm.HalfStudentT(3, 1.5),
    mlm.HalfCauchy(5),
    mlm.Exponential(0.5),
    mlm.Gamma(2, 0.1),
    mlm.InverseGamma(2, 1),
)


def test_the_layout_names_every_entry_once(frame, marginal_of):
    layout = marginal_of("y ~ x + (x + w | a) + (x || c)", frame(1)).layout
    assert layout.size == 9
    assert layout.labels[:3] == ("log sd_a[Intercept]", "log sd_a[x]", "log sd_a[w]")
    assert all("partial correlation" in label for label in layout.labels[3:6])
    assert layout.labels[6:] == ("log sd_c[Intercept]", "log sd_c[x]", "log sigma")
    assert len(set(layout.labels)) == 9


def test_known_sampling_sds_have_no_sigma(frame, marginal_of):
    layout = marginal_of("y | se(s) ~ x + (1 | a)", frame(1)).layout
    assert layout.sigma is None and layout.size == 1
    assert np.array_equal(layout.residual_sd(np.zeros((3, 1))), np.ones(3))


@given(x=st.lists(st.floats(-4, 4), min_size=7, max_size=7))
@settings(max_examples=40)
def test_factors_are_of_covariance_matrices(x, frame, marginal_of):
    layout = marginal_of("y ~ x + (x + w | a)", frame(1)).layout
    psi = np.array([x])
    slots = layout.groups[0]
    L = slots.factor(psi)[0]
    assert np.array_equal(L, np.tril(L))
    T = L @ L.T
    np.testing.assert_allclose(np.sqrt(np.diag(T)), np.exp(x[:3]), rtol=1e-12)
    scaled = T / np.sqrt(np.outer(np.diag(T), np.diag(T)))
    found = slots.correlations(psi)[0]
    assert [f"{label}" for label in slots.block.pair_labels] == [
        "Intercept~x",
        "Intercept~w",
        "x~w",
    ]
    np.testing.assert_allclose(found, [scaled[0, 1], scaled[0, 2], scaled[1, 2]], atol=1e-12)
    # and back: partial correlations from the rows of the factor
    R = np.linalg.cholesky(scaled + 1e-14 * np.eye(3)) if abs(scaled).max() < 0.999 else None
    if R is not None:
        back = [R[1, 0], R[2, 0], R[2, 1] / np.sqrt(1 - R[2, 0] ** 2)]
        np.testing.assert_allclose(np.arctanh(back), x[3:6], atol=1e-6)
    assert layout.residual_sd(psi)[0] == np.exp(x[6])


def test_independent_effects_stay_independent(frame, marginal_of):
    layout = marginal_of("y ~ x + (x || a)", frame(1)).layout
    L = layout.groups[0].factor(np.array([[0.1, 0.2, 0.3]]))[0]
    assert np.array_equal(L, np.diag(np.exp([0.1, 0.2])))
    assert layout.groups[0].correlations(np.zeros((4, 3))).shape == (4, 0)


@pytest.mark.parametrize("prior", POSITIVE, ids=str)
def test_priors_of_sds_integrate_to_one(prior, frame, marginal_of):
    """On the log scale, the change of variables included."""
    marginal = marginal_of("y ~ 1 + (1 | a)", frame(1), {"sd": prior, "sigma": prior})
    other = prior.log_density(1.0)  # the other entry at zero

    def density(at):
        def one(x):
            psi = np.zeros((1, 2))
            psi[0, at] = x
            return np.exp(log_prior(marginal.layout, marginal.priors, psi)[0] - other)

        return one

    for at in (0, 1):
        value = quad(density(at), -40, 0, epsabs=1e-12)[0] + quad(density(at), 0, 40)[0]
        assert value == pytest.approx(1, rel=1e-8)


@pytest.mark.parametrize("eta", [0.5, 1.0, 2.0, 7.0])
def test_partial_correlations_integrate_to_one(eta):
    for shape in mlm.LKJ(eta).shapes(3):
        one = np.array([shape])
        value = quad(lambda x, one=one: np.exp(log_partials(np.array([[x]]), one)[0]), -60, 60)[0]
        assert value == pytest.approx(1, rel=1e-7)


def test_far_partial_correlations_keep_their_digits():
    """1 - tanh(x)² is zero in doubles from x = 19 on; its logarithm is not."""
    shapes = np.array([2.0])
    step = log_partials(np.array([[40.0]]), shapes) - log_partials(np.array([[41.0]]), shapes)
    assert step[0] == pytest.approx(4.0, rel=1e-12)
    even = log_partials(np.array([[40.0], [-40.0]]), shapes)
    assert even[0] == even[1]


@given(x=st.lists(st.floats(-1.5, 1.5), min_size=3, max_size=3), eta=st.floats(0.5, 5))
@settings(max_examples=25)
def test_the_prior_of_partials_is_lkj_and_a_jacobian(x, eta, frame, marginal_of):
    layout = marginal_of("y ~ x + (x + w | a)", frame(1)).layout
    slots = layout.groups[0]

    def correlations(part):
        return slots.correlations(
            np.column_stack([np.zeros((len(part), 3)), part, np.zeros(len(part))])
        )

    moves = 1e-5 * np.eye(3)
    x = np.array(x)
    jacobian = (correlations(x + moves) - correlations(x - moves)) / 2e-5
    r = correlations(x[None])[0]
    R = np.array([[1, r[0], r[1]], [r[0], 1, r[2]], [r[1], r[2], 1]])
    expected = mlm.LKJ(eta).log_density(R) + np.linalg.slogdet(jacobian)[1]
    found = log_partials(x[None], mlm.LKJ(eta).shapes(3))[0]
    assert found == pytest.approx(expected, abs=1e-6)
