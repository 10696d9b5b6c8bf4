import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm


def draws_of(model, rng, chains=2, size=150):
    """Draws of every parameter of a model, around values that suit the data below."""
    design = model.design
    made = {"sigma": 1 + 0.05 * rng.normal(size=(chains, size))} if design.estimates_scale else {}
    made["beta"] = np.arange(1, len(design.coef) + 1) + 0.1 * rng.normal(
        size=(chains, size, len(design.coef))
    )
    for block in design.random:
        J, q = block.grouping.size, len(block.effects)
        centres = np.linspace(2, -2, J)[:, None] * np.linspace(1, 0.3, q)
        made[f"sd_{block.name}"] = 1.2 + 0.1 * rng.uniform(size=(chains, size, q))
        made[f"u_{block.name}"] = centres + 0.3 * rng.normal(size=(chains, size, J, q))
        if block.pairs:
            shape = (chains, size, len(block.pairs))
            made[f"corr_{block.name}"] = rng.uniform(-0.2, 0.2, size=shape)
    return made


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    g = np.repeat(np.arange(8), 6)
    frame = pd.DataFrame({"g": g, "x": rng.normal(size=48), "w": (g % 3).astype(float)})
    frame["y"] = 1 + 2 * frame["x"] + g + rng.normal(size=48)
    frame["hit"] = (frame["y"] > frame["y"].mean()).astype(int)
    return frame


@pytest.fixture
def make(make_result, frame):
    """Return a function that gives a fit of a formula to the frame, with invented draws."""

    def fit(formula, data=None, seed=0, size=150, chains=2, **options):
        model = mlm.Model(formula, frame if data is None else data, **options)
        rng = np.random.default_rng(seed)
        return make_result(model, **draws_of(model, rng, chains, size))

    return fit


@pytest.fixture
def slopes(make):
    return make("y ~ x*w + (x | g)")
