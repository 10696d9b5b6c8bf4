"""Means over random effects against closed forms and numerical integration."""

import numpy as np
import pytest
from scipy import integrate as scipy_integrate
from scipy.stats import norm, t

from bayesmlm.errors import StatisticError
from bayesmlm.families import family
from bayesmlm.predict.marginal import check_exists
from bayesmlm.predict.marginal import integrate as integrate_all
from bayesmlm.predict.outcome import Outcome
from bayesmlm.predict.spread import NormalSpread, PointSpread, StudentSpread

ETA = np.array([[-3.0, 0.2, 1.0], [0.5, 2.5, 8.0]])
SD = np.array([[0.5, 1.0, 3.0], [7.0, 1e-8, 0.0]])


def integrate(outcome, eta, parts):
    return integrate_all(outcome, {"mu": eta}, parts)


def of(name, link=None, **others):
    return Outcome(family(name, link), {key: np.asarray(value) for key, value in others.items()})


def test_probit_in_closed_form():
    found = integrate(of("bernoulli", "probit"), ETA, [NormalSpread(SD)])
    assert found == pytest.approx(norm.cdf(ETA / np.sqrt(1 + SD**2)), rel=1e-9)


def test_ordered_probit_in_closed_form():
    cuts = np.array([[-1.0, 0.5], [-0.5, 1.5], [0.0, 4.0]])
    found = integrate(of("cumulative", "probit", thresholds=cuts), ETA, [NormalSpread(SD)])
    below = norm.cdf((cuts.T - ETA[:, None]) / np.sqrt(1 + SD[:, None] ** 2))
    assert found[:, :2].cumsum(axis=1) == pytest.approx(below, rel=1e-7)
    assert found.sum(axis=1) == pytest.approx(np.ones((2, 3)))


def test_log_link_in_closed_form():
    found = integrate(of("poisson"), ETA, [NormalSpread(SD)])
    assert found == pytest.approx(np.exp(ETA + SD**2 / 2), rel=1e-8)
    sigma = np.array([0.5, 1.0, 2.0])
    found = integrate(of("lognormal", sigma=sigma), ETA, [NormalSpread(SD)])
    assert found == pytest.approx(np.exp(ETA + SD**2 / 2 + sigma**2 / 2), rel=1e-8)


def test_identity_is_the_predictor():
    parts = [NormalSpread(SD), StudentSpread(SD, np.array([2.1, 5.0, 50.0]))]
    found = integrate(of("gaussian", sigma=np.ones(3)), ETA, parts[:1])
    assert found == pytest.approx(ETA, rel=1e-12)
    found = integrate(of("gaussian", sigma=np.ones(3)), ETA, parts)
    assert found == pytest.approx(ETA, rel=1e-10)


@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_quadrature_elsewhere(link):
    outcome = of("bernoulli", link)
    found = integrate(outcome, ETA, [NormalSpread(SD)])
    for at in np.ndindex(2, 3):
        eta, sd = ETA[at], SD[at]
        truth, _ = scipy_integrate.quad(
            lambda x, eta=eta, sd=sd: (
                float(outcome.family.link.inverse(np.array(eta + sd * x))) * norm.pdf(x)
            ),
            -12,
            12,
            points=[-eta / sd] if sd > 0.1 and abs(eta / sd) < 12 else None,
            limit=400,
        )
        assert found[at] == pytest.approx(truth, rel=1e-7)


def test_student_effects():
    outcome, nu = of("bernoulli"), np.array([2.2, 4.0, 30.0])
    sd = np.array([[0.5, 1.0, 3.0], [5.0, 1.5, 0.0]])
    found = integrate(outcome, ETA, [StudentSpread(sd, nu)])
    for at in np.ndindex(2, 3):
        scale = sd[at] * np.sqrt((nu[at[1]] - 2) / nu[at[1]])

        def integrand(p, at=at, scale=scale):
            x = t.ppf(p, nu[at[1]])
            return float(outcome.family.link.inverse(np.array(ETA[at] + scale * x)))

        truth, _ = scipy_integrate.quad(integrand, 0, 1, limit=400)
        assert found[at] == pytest.approx(truth, rel=1e-5)


def test_mass_points_are_summed_and_multiply_with_normal_effects():
    values = np.array([-1.0, 0.5]) * np.ones((2, 3, 1))
    mass = np.array([[1 / 3, 2 / 3]] * 3)
    found = integrate(of("poisson"), ETA, [PointSpread(values, mass)])
    factor = np.exp(-1) / 3 + 2 * np.exp(0.5) / 3
    assert found == pytest.approx(np.exp(ETA) * factor)
    found = integrate(of("poisson"), ETA, [NormalSpread(SD), PointSpread(values, mass)])
    assert found == pytest.approx(np.exp(ETA + SD**2 / 2) * factor, rel=1e-8)


def test_means_that_do_not_exist():
    student = [StudentSpread(SD, np.full(3, 4.0))]
    with pytest.raises(StatisticError, match=r"(?s)exponential of Student-t.*infinite.*average"):
        check_exists(of("negbinomial", shape=np.ones(3)), student)
    check_exists(of("bernoulli"), student)
    for name, link in (("poisson", "sqrt"), ("gamma", "inverse"), ("poisson", "identity")):
        others = {"shape": np.ones(3)} if name == "gamma" else {}
        with pytest.raises(StatisticError, match=f"the {link} link, which has none"):
            check_exists(of(name, link, **others), [NormalSpread(SD)])


def test_a_mean_that_does_not_settle_is_refused():
    with pytest.raises(StatisticError, match="does not settle"):
        integrate(of("bernoulli"), ETA, [NormalSpread(np.full((2, 3), 1e5))])
