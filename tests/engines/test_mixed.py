"""Effects of mass points: drawn from probabilities, and sampled by NUTS."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.engines.mixed import draw_effects


def test_draws_have_the_probabilities():
    points = np.array([[-1.0], [0.0], [2.0]])
    share = np.array([[0.2, 0.5, 0.3], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    many = np.broadcast_to(share, (20000, 3, 3))
    drawn = draw_effects(np.broadcast_to(points, (20000, 3, 1)), many, np.random.default_rng(1))
    assert drawn.shape == (20000, 3, 1)
    assert set(np.unique(drawn[:, 0])) == {-1.0, 0.0, 2.0}
    for k, value in enumerate(points[:, 0]):
        error = 4 * np.sqrt(share[0, k] * (1 - share[0, k]) / 20000)
        assert abs((drawn[:, 0] == value).mean() - share[0, k]) < error
    assert (drawn[:, 1] == -1).all() and (drawn[:, 2] == 2).all()


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(50), 10)
    c = rng.choice(2, 50, p=[0.4, 0.6])
    x = rng.normal(size=500)
    eta = np.array([-1.5, 1.0])[c][g] + 0.4 * x
    frame = pd.DataFrame({"g": g, "x": x, "k": rng.binomial(1, 1 / (1 + np.exp(-eta)))})
    heavy = rng.standard_t(4, 50)[g]
    return frame.assign(y=1 + 0.5 * x + heavy + rng.normal(0, 2, 500))


@pytest.mark.slow
def test_nuts_finds_the_points_that_maximum_likelihood_finds(data):
    model = mlm.Model("k ~ x + (1 | gr(g, dist='points', k=2))", data, family="bernoulli")
    fit = model.fit(mlm.NUTS(draws=1000, tune=1000, chains=2), seed=1)
    again = model.fit(mlm.NUTS(draws=1000, tune=1000, chains=2), seed=1)
    assert fit.check().ok
    posterior = fit.result.posterior
    assert np.array_equal(posterior["u_g"], again.result.posterior["u_g"])
    maximum = mlm.Model("k ~ x + (1 | g)", data, family="bernoulli").fit("npml", points=2, seed=1)
    for name in ("points_g", "mass_g", "beta"):
        mean, sd = (
            getattr(posterior[name], f)(("chain", "draw")).to_numpy() for f in ("mean", "std")
        )
        best = maximum.result.posterior[name].to_numpy()[0, 0]
        assert (np.abs(mean - best) < 0.5 * sd).all(), name
    share = fit.tree["mixing"]["membership_g"]
    best = maximum.tree["mixing"]["membership_g"]
    assert share.dims == ("g", "g_point") and np.abs(share - best).max() < 0.1
    expected = (posterior["u_g"][..., 0] == posterior["points_g"][..., 1, 0]).mean(
        ("chain", "draw")
    )
    assert np.abs(expected - share[:, 1]).max() < 0.06  # draws against probabilities
    assert fit.tree["observed_data"]["k"].size == 500
    assert any(
        "Sampled the PyMC graph: the effects by g are not normal" in n for n in fit.result.notes
    )
    assert len(fit.ranef("g").frame) == 50


@pytest.mark.slow
def test_nuts_samples_student_effects(data):
    model = mlm.Model("y ~ x + (1 | gr(g, dist='student'))", data)
    fit = model.fit(mlm.NUTS(draws=1500, tune=1000, chains=4), seed=1)
    assert fit.check().ok
    nu = fit.result.posterior["nu_g"]
    assert float(nu.min()) > 2 and float(nu.quantile(0.05)) < 10
    sigma = float(fit.result.posterior["sigma"].mean())
    assert sigma == pytest.approx(2.0, rel=0.1)
