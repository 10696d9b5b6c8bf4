import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.summaries.latent import level1_latent, linear_predictor_mean, lognormal_variance


def test_lognormal_approximation():
    """ln(1 + 1 / lambda), Nakagawa, Johnson & Schielzeth (2017)."""
    assert lognormal_variance(np.log(2.0), np.zeros(1)) == pytest.approx(np.log(1.5))
    assert lognormal_variance(np.zeros(1), np.full(1, 2.0)) == pytest.approx(np.log(1 + 1 / np.e))


def test_it_is_of_the_mean_fixed_part_with_its_offset(make_result):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": np.repeat(range(5), 4), "x": rng.normal(size=20)})
    frame = frame.assign(y=rng.poisson(2, 20), t=rng.uniform(1, 2, 20))
    model = mlm.Model("y ~ x + offset(log(t)) + (1 | g)", frame, family="poisson")
    beta = np.array([[[0.5, 1.0], [0.2, -1.0]]])
    result = make_result(model, beta=beta, sd_g=np.full((1, 2, 1), 0.6))
    center = beta[0] @ [1, frame["x"].mean()] + np.log(frame["t"]).mean()
    np.testing.assert_allclose(linear_predictor_mean(result), center)
    np.testing.assert_allclose(level1_latent(result), np.log1p(1 / np.exp(center + 0.18)))
