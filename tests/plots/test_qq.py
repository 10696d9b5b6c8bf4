import numpy as np
import pytest

from bayesmlm.plots import prior_posterior, qq
from bayesmlm.plots.prior_posterior import correlation_pdf, posterior_density
from bayesmlm.plots.qq import normal_order


def test_the_band_holds_normal_order_statistics():
    rng = np.random.default_rng(2)
    _, low, high = normal_order(20, 0.9)
    samples = np.sort(rng.normal(size=(20_000, 20)), axis=1)
    assert ((samples > low) & (samples < high)).mean(axis=0) == pytest.approx(0.9, abs=0.01)


def test_effects_far_from_normal_are_counted(make, frame):
    fit = make("y ~ x + (1 | g)")
    assert "0 of 8 apart" in qq(fit, "g").axes[0].get_title()
    fit.tree["posterior"]["u_g"][..., 0, 0] = 30.0
    assert "1 of 8 apart" in qq(fit, "g").axes[0].get_title()


def test_densities_integrate_to_one():
    x = np.linspace(-1, 1, 4001)
    assert np.trapezoid(correlation_pdf(2.0, 3)(x), x) == pytest.approx(1, abs=1e-5)
    draws = np.abs(np.random.default_rng(0).normal(size=40_000))
    grid, density = posterior_density(draws, 0.0, np.inf)
    assert np.trapezoid(density, grid) == pytest.approx(1, abs=0.01)
    assert density[0] == pytest.approx(0.8, abs=0.06)  # of a half normal, 2 / sqrt(2 pi)


def test_every_prior_has_its_panel(slopes):
    titles = [axis.get_title() for axis in prior_posterior(slopes).axes]
    assert titles[0] == "Intercept at mean predictors"
    assert titles[-1] == "residual SD"
    assert len(titles) == 4 + 2 + 1 + 1
