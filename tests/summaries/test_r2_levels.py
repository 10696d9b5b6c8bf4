import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.summaries.r2_levels import r2_levels


def test_a_group_level_predictor_explains_the_intercepts(make_result):
    rng = np.random.default_rng(0)
    w = rng.normal(size=40)
    frame = pd.DataFrame({"g": np.repeat(range(40), 3)})
    frame = frame.assign(w=w[frame["g"]], y=rng.normal(size=120))
    model = mlm.Model("y ~ w + (1 | g)", frame)
    u = rng.normal(size=(1, 30, 40, 1))
    result = make_result(
        model,
        beta=np.full((1, 30, 2), [1.0, 2.0]),
        sd_g=np.ones((1, 30, 1)),
        u_g=u,
        sigma=np.ones((1, 30)),
    )
    row = r2_levels(result).loc[("g", "Intercept")]
    errors = u[0, :, :, 0].var(axis=1, ddof=1)
    units = (2 * w + u[0, :, :, 0]).var(axis=1, ddof=1)
    assert row["R²"] == pytest.approx(1 - errors.mean() / units.mean())
    assert row["mean"] == pytest.approx((1 - errors / units).mean())
    assert row["units"] == 40
