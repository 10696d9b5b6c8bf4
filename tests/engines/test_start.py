"""Where optimisers start."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.density import gaussian_marginal
from bayesmlm.engines.start import EFFECT_SHARE, RESIDUAL_SHARE, starting_point


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": np.repeat(np.arange(6), 5), "x": rng.normal(0, 100, 30)})
    return frame.assign(s=0.5, y=rng.normal(1e4, 7, 30))


def start(formula, frame):
    model = mlm.Model(formula, frame)
    marginal = gaussian_marginal(model.design, model.prior_values)
    return marginal, starting_point(marginal)


def test_shares_of_the_response_by_the_length_of_each_column(frame):
    marginal, point = start("y ~ x + (x | g)", frame)
    scale = frame["y"].std(ddof=0)
    length = np.sqrt((frame["x"] ** 2).mean())
    expected = [
        np.log(EFFECT_SHARE * scale),
        np.log(EFFECT_SHARE * scale / length),
        0,
        np.log(RESIDUAL_SHARE * scale),
    ]
    np.testing.assert_allclose(point, expected, rtol=1e-12)
    assert np.isfinite(marginal.log_density(point)).all()


def test_known_sampling_sds_have_no_residual(frame):
    marginal, point = start("y | se(s) ~ x + (1 | g)", frame)
    assert point.shape == (1,)
    assert np.isfinite(marginal.log_density(point)).all()
