import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    g = np.repeat(np.arange(6), 5)
    frame = pd.DataFrame({"g": g, "x": rng.normal(size=30), "w": (g % 3).astype(float)})
    frame["s"] = pd.Categorical(np.where(g < 3, "a<b", "c"))
    frame["y"] = 1 + 2 * frame["x"] + g + rng.normal(size=30)
    return frame


@pytest.fixture
def model(frame):
    return mlm.Model("y ~ x*(w + s) + (x | g)", frame)


@pytest.fixture
def fit(make_result, model):
    rng = np.random.default_rng(1)
    shape = (4, 200)
    return mlm.Fit(
        make_result(
            model,
            beta=np.arange(1.0, 7.0) + 0.1 * rng.normal(size=(*shape, 6)),
            sd_g=rng.uniform(1, 1.2, size=(*shape, 2)),
            corr_g=rng.uniform(-0.2, 0.4, size=(*shape, 1)),
            u_g=rng.normal(size=(*shape, 6, 2)),
            sigma=rng.uniform(1, 1.2, size=shape),
        )
    )
