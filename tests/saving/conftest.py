"""Fits of every kind of model, with draws from a generator: nothing is sampled here."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm import names

N = 96


def rows(seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=N)
    n = rng.integers(3, 9, size=N)
    return pd.DataFrame(
        {
            "school": np.repeat(["a/b", "c:d", "é ", "ß\\n", "1", "01"], N // 6),
            "class": np.tile([1, 2, 3, 4], N // 4),
            "item": rng.permutation(np.tile([7, 11, 13], N // 3)),
            "my group/x:y": np.tile(["u", "v", "w", "z"], N // 4),
            "flag": np.tile([True, False, False], N // 3),
            "kind": rng.choice(["low", "mid", "high"], size=N),
            "x": x,
            "z": rng.normal(3, 2, size=N),
            "w": rng.uniform(1, 2, size=N),
            "n": n,
            "y": x + rng.normal(size=N),
            "count": rng.poisson(n),
            "wins": rng.binomial(n, 0.4),
            "passed": rng.choice(["no", "yes"], size=N),
            "hit": rng.integers(0, 2, size=N),
        }
    )


EQUATIONS = """
level 1:          y = β₀ + β₁*within(x, school) + r
level 2 (school): β₀ = γ₀₀ + γ₀₁*between(x, school) + u₀
                  β₁ = γ₁₀ + u₁
"""

MODELS = {
    "crossed": ("y ~ x + (x | school) + (1 | item)", {}),
    "nested": ("y ~ x + (1 | school/class)", {}),
    "combined": ("y ~ x + (x | school:class)", {}),
    "independent": ("y ~ x + (x || school)", {}),
    "boolean group": ("y ~ x + (1 | flag)", {}),
    "odd name": ("y ~ x + (x | `my group/x:y`)", {}),
    "splines": ("y ~ bs(x, df=4) + poly(z, 2) + scale(w) + (1 | school)", {}),
    "centring": ("y ~ within(x, school) + between(x, school) + grand(z) + (1 | school)", {}),
    "categories": ("y ~ C(item) + kind + flag + (kind | school)", {}),
    "contrasts": ("y ~ C(kind, contr.sum) * x + (1 | school)", {}),
    "equations": (EQUATIONS, {}),
    "no groups": ("y ~ x", {}),
    "no fixed part": ("y ~ 0 + (1 | school)", {}),
    "known sds": ("y | se(w) ~ x + (1 | school)", {}),
    "weights": ("y | weights(n) + precision(w) ~ x + (1 | school)", {}),
    "counts": ("count ~ x + offset(log(n)) + (1 | school)", {"family": "poisson"}),
    "trials": ("wins | trials(n) ~ x + (1 | school)", {"family": "binomial"}),
    "text outcome": ("passed ~ x + (1 | school)", {"family": "bernoulli"}),
    "probit": ("hit ~ x + (x | school)", {"family": "bernoulli", "link": "probit"}),
    "own priors": (
        "y ~ x + (x | school)",
        {
            "priors": {
                "Intercept": mlm.StudentT(4, 1 / 3, 0.1),
                "sd": mlm.HalfCauchy(np.float64(2)),
                "corr": mlm.LKJ(4),
                "sigma": mlm.Gamma(2, 0.5),
            }
        },
    ),
}


def pytest_generate_tests(metafunc):
    """A test of `model_name` runs for every model."""
    if "model_name" in metafunc.fixturenames:
        metafunc.parametrize("model_name", MODELS)


@pytest.fixture
def frame():
    """The rows that all the models are fitted to."""
    return rows()


@pytest.fixture
def fit_of(make_result):
    """Return a function of a name in MODELS (or a Model) that gives a Fit."""

    def make(model, chains=2, draws=40, seed=0):
        if isinstance(model, str):
            text, options = MODELS[model]
            spec = mlm.equations(text) if "level 1" in text else text
            model = mlm.Model(spec, rows(), **options)
        return mlm.Fit(make_result(model, **draws_of(model.design, (chains, draws), seed)))

    return make


def draws_of(design, shape, seed):
    rng = np.random.default_rng(seed)
    found = {names.BETA: rng.normal(size=(*shape, len(design.coef)))} if design.coef else {}
    for block in design.random:
        q = len(block.effects)
        found[names.sd(block.name)] = rng.uniform(0.5, 1, size=(*shape, q))
        found[names.effects(block.name)] = rng.normal(size=(*shape, block.grouping.size, q))
        if block.pairs:
            found[names.corr(block.name)] = rng.uniform(-1, 1, size=(*shape, len(block.pairs)))
    if design.estimates_scale:
        found[names.SIGMA] = rng.uniform(1, 2, size=shape)
    return found


@pytest.fixture
def saved(fit_of, tmp_path):
    """The path of a small saved fit."""
    path = tmp_path / "fit.zip"
    fit_of("crossed", draws=5).save(path)
    return path
